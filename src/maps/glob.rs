//! Shell globs as Python's `fnmatch.fnmatchcase` has them: `*`, `?`, `[seq]` and `[!seq]`, nothing else.
//!
//! `*` and `?` match `/` and `:` too, there are no braces and no escapes, ranges whose ends are the wrong way
//! round match nothing. Python takes a `[` that nothing closes literally; no reference has a `[` behind
//! its registry, so such a glob is refused here: it is a slip.

/// Why a `[` is refused.
pub(super) const UNCLOSED: &str = "`[` is not closed";

#[cfg(test)]
thread_local! {
    static TIMES_ASKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// A compiled glob. Matching takes no more than pattern length × text length steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    tokens: Box<[Token]>,
    sets: Box<[Set]>,
}

/// One for each character of a pattern, of which there may be ten thousand: so it is small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Any,
    One,
    Char(char),
    /// The set with this number.
    Set(u32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Set {
    ranges: Vec<(char, char)>,
    negated: bool,
}

impl Glob {
    /// Compiles a pattern; the error is the byte at which a `[` opens that nothing closes.
    ///
    /// # Errors
    /// The offset of a `[` that nothing closes.
    pub fn new(pattern: &str) -> Result<Self, usize> {
        let (mut tokens, mut sets) = (Vec::new(), Vec::new());
        let mut index = 0;
        while let Some(c) = pattern[index..].chars().next() {
            let token = match c {
                '*' => Token::Any,
                '?' => Token::One,
                '[' => {
                    let Some(end) = set_end(pattern, index) else { return Err(index) };
                    let inner = &pattern[index + 1..end];
                    index = end;
                    sets.push(Set::of(inner));
                    Token::Set(u32::try_from(sets.len() - 1).expect("a line has less than 4 GiB"))
                }
                c => Token::Char(c),
            };
            // Behind this character; behind a set's `]`, which is as long as its `[`.
            index += c.len_utf8();
            if !(token == Token::Any && tokens.last() == Some(&Token::Any)) {
                tokens.push(token);
            }
        }
        Ok(Self { tokens: tokens.into(), sets: sets.into() })
    }

    /// Whether the whole text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        #[cfg(test)]
        TIMES_ASKED.set(TIMES_ASKED.get() + 1);
        let mut token = 0;
        let mut at = 0;
        // Where to go on when a token fails: behind the last `*`, which then takes one character more.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let next = text[at..].chars().next();
            match (self.tokens.get(token), next) {
                (Some(Token::Any), _) => {
                    retry = Some((token + 1, at));
                    token += 1;
                    continue;
                }
                (None, None) => return true,
                (Some(expected), Some(c)) if self.takes(*expected, c) => {
                    token += 1;
                    at += c.len_utf8();
                    continue;
                }
                (Some(_) | None, _) => {}
            }
            let Some((behind_star, start)) = retry else { return false };
            let Some(c) = text[start..].chars().next() else { return false };
            at = start + c.len_utf8();
            token = behind_star;
            retry = Some((behind_star, at));
        }
    }

    /// The literal text that every match starts with, and whether the rest of the pattern is one `*`.
    pub(super) fn literal_front(&self) -> (String, bool) {
        let front: String = self
            .tokens
            .iter()
            .map_while(|token| match token {
                Token::Char(c) => Some(*c),
                Token::Any | Token::One | Token::Set(_) => None,
            })
            .collect();
        let rest = &self.tokens[front.chars().count()..];
        (front, rest == [Token::Any])
    }

    /// The texts without a wildcard in them, each of which every match holds.
    pub(super) fn literals(&self) -> impl Iterator<Item = String> {
        let char_of = |token: &Token| match token {
            Token::Char(c) => Some(*c),
            Token::Any | Token::One | Token::Set(_) => None,
        };
        let runs = self.tokens.split(|token| !matches!(token, Token::Char(_)));
        runs.filter(|run| !run.is_empty()).map(move |run| run.iter().filter_map(char_of).collect())
    }

    /// How often this thread asked whether a glob matches.
    #[cfg(test)]
    pub(super) fn times_asked() -> usize {
        TIMES_ASKED.get()
    }

    /// Whether it matches one text only.
    pub(super) fn is_literal(&self) -> bool {
        self.tokens.iter().all(|token| matches!(token, Token::Char(_)))
    }

    /// A text that matches: `*` becomes `star`, `?` becomes `x`, a set its first character.
    pub(super) fn example(&self, star: &str) -> Option<String> {
        let mut text = String::new();
        for token in &self.tokens {
            match token {
                Token::Any => text.push_str(star),
                Token::One => text.push('x'),
                Token::Char(c) => text.push(*c),
                Token::Set(number) => match &self.sets[*number as usize] {
                    Set { ranges, negated: false } => text.push(ranges.first()?.0),
                    set => text.push(('a'..='z').chain('0'..='9').find(|c| set.takes(*c))?),
                },
            }
        }
        Some(text)
    }

    fn takes(&self, token: Token, c: char) -> bool {
        match token {
            Token::Any => false,
            Token::One => true,
            Token::Char(own) => own == c,
            Token::Set(number) => self.sets[number as usize].takes(c),
        }
    }
}

/// Where the set that opens at `open` closes. A `]` right behind `[` or `[!` is a member.
pub(super) fn set_end(pattern: &str, open: usize) -> Option<usize> {
    let bytes = pattern.as_bytes();
    let mut index = open + 1;
    if bytes.get(index) == Some(&b'!') {
        index += 1;
    }
    if bytes.get(index) == Some(&b']') {
        index += 1;
    }
    bytes.get(index..)?.iter().position(|b| *b == b']').map(|found| index + found)
}

impl Set {
    /// The set of what stands between the brackets.
    fn of(inner: &str) -> Self {
        let (inner, negated) = match inner.strip_prefix('!') {
            Some(inner) => (inner, true),
            None => (inner, false),
        };
        let members: Vec<char> = inner.chars().collect();
        let mut ranges = Vec::new();
        let mut index = 0;
        while let Some(low) = members.get(index) {
            match (members.get(index + 1), members.get(index + 2)) {
                (Some('-'), Some(high)) => {
                    if low <= high {
                        ranges.push((*low, *high));
                    }
                    index += 3;
                }
                _ => {
                    ranges.push((*low, *low));
                    index += 1;
                }
            }
        }
        Self { ranges, negated }
    }

    fn takes(&self, c: char) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row agrees with Python 3's `fnmatch.fnmatchcase`.
    #[test]
    fn as_fnmatch() {
        for (pattern, text, want) in [
            ("ghcr.io/public*", "ghcr.io/public/a/b:v1", true),
            ("ghcr.io/public*", "ghcr.io/publi", false),
            ("hello:v1.?", "hello:v1.1", true),
            ("hello:v1.?", "hello:v1.", false),
            ("hello:v1.?", "hello:v1.12", false),
            ("*mysql-server:5.6", "mysql/mysql-server:5.6", true),
            ("ubut*18.04", "ubutun:18.04", true),
            ("a?b", "a/b", true),
            ("a?b", "a:b", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a**b", "axxb", true),
            ("*a*b*c", "xaxbxcxc", true),
            ("*a*b*c", "xaxcxb", false),
            ("A", "a", false),
            ("{a,b}", "a", false),
            ("a.b", "axb", false),
            ("[abc]", "b", true),
            ("[!abc]", "b", false),
            ("[!abc]", "d", true),
            ("[a-c]x", "bx", true),
            ("[a-c]x", "dx", false),
            ("[^a]", "^", true),
            ("[^a]", "b", false),
            ("[]a]", "]", true),
            ("[!]a]", "]", false),
            ("[a-]", "-", true),
            ("[-a]", "-", true),
            ("[--0]", ".", true),
            ("[a-c-e]", "-", true),
            ("[a-c-e]", "d", false),
            ("[c-a]", "b", false),
            ("[!c-a]", "b", true),
            ("[a--b]", "b", true),
            ("[a--b]", "-", false),
            ("[\\]", "\\", true),
            ("\\*", "\\x", true),
        ] {
            let glob = Glob::new(pattern).unwrap_or_else(|at| panic!("{pattern} at {at}"));
            assert_eq!(glob.matches(text), want, "{pattern} {text}");
        }
    }

    #[test]
    fn open_sets_are_refused() {
        for (pattern, at) in [("a[b", 1), ("[", 0), ("[]", 0), ("[!]", 0), ("[a][", 3)] {
            assert_eq!(Glob::new(pattern), Err(at), "{pattern}");
        }
    }

    #[test]
    fn matching_is_not_exponential() {
        let pattern = "*a".repeat(60) + "b";
        let text = "a".repeat(400);
        assert!(!Glob::new(&pattern).unwrap().matches(&text));
    }
}
