//! Content digests (`sha256:…`): validated text, nothing computed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A digest as written, known to be well formed: a slice of the reference that it stands in.
///
/// `sha256`, `sha384` and `sha512` have exactly 64, 96 and 128 lower-case hexadecimal digits; any other
/// algorithm follows the grammar of distribution/reference (at least 32 hexadecimal digits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DigestRef<'a> {
    text: &'a str,
    colon: usize,
}

/// A digest of its own, known to be well formed as [`DigestRef`] is; a clone copies no text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    text: Arc<str>,
    colon: usize,
}

/// Why a text is no digest. Offsets are bytes from the start of the digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// There is no `:` between algorithm and digits.
    #[error("digest without `:`, expected algorithm:hex")]
    NoSeparator,
    /// The algorithm is empty, or does not follow the grammar.
    #[error("bad digest algorithm {algorithm:?}, expected one such as sha256")]
    Algorithm {
        /// What stands before the `:`.
        algorithm: String,
        /// Where in it the first character is that cannot stand there.
        at: usize,
    },
    /// The digits are too few, or too many for the algorithm.
    #[error("digest has {found} digits, expected {expected}")]
    Length {
        /// How many there are.
        found: usize,
        /// How many there must be, in words.
        expected: &'static str,
    },
    /// A character that is no (lower-case) hexadecimal digit.
    #[error("character {found:?} in the digest, expected a lower-case hexadecimal digit")]
    Digit {
        /// The character.
        found: char,
        /// Its offset in the digest.
        at: usize,
    },
}

impl DigestError {
    /// The offset in the digest at which the reason stands.
    #[must_use]
    pub fn offset(&self) -> usize {
        match self {
            Self::NoSeparator | Self::Length { .. } => 0,
            Self::Algorithm { at, .. } | Self::Digit { at, .. } => *at,
        }
    }
}

impl<'a> DigestRef<'a> {
    /// Reads `algorithm:hex`.
    ///
    /// # Errors
    /// [`DigestError`] with the reason.
    pub fn parse(text: &'a str) -> Result<Self, DigestError> {
        let Some(colon) = text.find(':') else { return Err(DigestError::NoSeparator) };
        let (algorithm, hex) = (&text[..colon], &text[colon + 1..]);
        if let Some(at) = bad_algorithm(algorithm) {
            return Err(DigestError::Algorithm { algorithm: algorithm.to_owned(), at });
        }
        let known = match algorithm {
            "sha256" => Some((64, "64 for sha256")),
            "sha384" => Some((96, "96 for sha384")),
            "sha512" => Some((128, "128 for sha512")),
            _ => None,
        };
        for (index, found) in hex.char_indices() {
            let upper_is_fine = known.is_none();
            if !(found.is_ascii_digit()
                || ('a'..='f').contains(&found)
                || (upper_is_fine && found.is_ascii_hexdigit()))
            {
                return Err(DigestError::Digit { found, at: colon + 1 + index });
            }
        }
        match known {
            Some((length, expected)) if hex.len() != length => {
                Err(DigestError::Length { found: hex.len(), expected })
            }
            None if hex.len() < 32 => Err(DigestError::Length { found: hex.len(), expected: "at least 32" }),
            Some(_) | None => Ok(Self { text, colon }),
        }
    }

    /// The digest as written: `sha256:…`.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.text
    }

    /// What stands before the `:`.
    #[must_use]
    pub fn algorithm(self) -> &'a str {
        &self.text[..self.colon]
    }

    /// The hexadecimal digits.
    #[must_use]
    pub fn hex(self) -> &'a str {
        &self.text[self.colon + 1..]
    }

    /// The same digest, owned.
    #[must_use]
    pub fn to_digest(self) -> Digest {
        Digest { text: self.text.into(), colon: self.colon }
    }
}

impl fmt::Display for DigestRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl Digest {
    /// Reads `algorithm:hex`.
    ///
    /// # Errors
    /// [`DigestError`] with the reason.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        DigestRef::parse(text).map(DigestRef::to_digest)
    }

    /// The digest as written: `sha256:…`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `:`.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        &self.text[..self.colon]
    }

    /// The hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.text[self.colon + 1..]
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where `[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*` is first broken.
fn bad_algorithm(text: &str) -> Option<usize> {
    let mut component_starts = true;
    for (at, c) in text.char_indices() {
        if component_starts {
            if !c.is_ascii_alphabetic() {
                return Some(at);
            }
            component_starts = false;
        } else if matches!(c, '-' | '_' | '+' | '.') {
            component_starts = true;
        } else if !c.is_ascii_alphanumeric() {
            return Some(at);
        }
    }
    component_starts.then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed() {
        let hex = |digits: usize| "0a".repeat(digits / 2);
        for (name, text) in [
            ("sha256", format!("sha256:{}", hex(64))),
            ("sha384", format!("sha384:{}", hex(96))),
            ("sha512", format!("sha512:{}", hex(128))),
            ("another algorithm", format!("blake3:{}", hex(32))),
            ("a compound algorithm", format!("sha256+b64.x_y-z:{}", hex(40))),
            ("upper case where the algorithm is not known", format!("md6:{}", hex(32).to_uppercase())),
        ] {
            let digest = Digest::parse(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(digest.to_string(), text, "{name}");
            assert_eq!(format!("{}:{}", digest.algorithm(), digest.hex()), text, "{name}");
        }
    }

    #[test]
    fn malformed() {
        let hex = "a".repeat(64);
        let algorithm = |algorithm: &str, at| DigestError::Algorithm { algorithm: algorithm.into(), at };
        for (name, text, want) in [
            ("no separator", "sha256".to_owned(), DigestError::NoSeparator),
            ("no algorithm", format!(":{hex}"), algorithm("", 0)),
            ("algorithm ends in a separator", format!("sha-:{hex}"), algorithm("sha-", 4)),
            ("algorithm starts with a digit", format!("2sha:{hex}"), algorithm("2sha", 0)),
            ("two separators", format!("a+-b:{hex}"), algorithm("a+-b", 2)),
            (
                "sha256 one short",
                format!("sha256:{}", &hex[1..]),
                DigestError::Length { found: 63, expected: "64 for sha256" },
            ),
            (
                "sha256 one long",
                format!("sha256:{hex}a"),
                DigestError::Length { found: 65, expected: "64 for sha256" },
            ),
            ("unknown, short", "x:abc".to_owned(), DigestError::Length { found: 3, expected: "at least 32" }),
            ("upper case", format!("sha256:A{}", &hex[1..]), DigestError::Digit { found: 'A', at: 7 }),
            ("no digit", format!("sha256:{}g", &hex[1..]), DigestError::Digit { found: 'g', at: 70 }),
        ] {
            let error = Digest::parse(&text).expect_err(name);
            assert_eq!(error, want, "{name}");
            assert!(error.offset() <= text.len(), "{name}");
        }
    }
}
