//! What a byte means where a node may start, and which bytes are too odd to be read here.

/// What a node or line may be that starts with a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Text: it can start nothing but a plain scalar.
    Plain,
    /// `-`, `?` and `:`: text if there is text behind.
    Indicator,
    Quote,
    /// `|` and `>`
    BlockScalar,
    /// `[` and `{`
    Flow,
    /// Spaces and line breaks, comments, and what is given up on: anchors, aliases, tags, …
    Other,
}

impl Class {
    #[inline]
    pub(super) fn of(byte: u8) -> Self {
        CLASSES[usize::from(byte)]
    }
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    let mut byte = 0;
    while byte <= 0xff {
        classes[byte] = match byte as u8 {
            b'-' | b'?' | b':' => Class::Indicator,
            b'"' | b'\'' => Class::Quote,
            b'|' | b'>' => Class::BlockScalar,
            b'[' | b'{' => Class::Flow,
            b'\t' | b'\n' | b'\r' | b' ' | b'#' | b'&' | b'*' | b'!' | b'%' | b'@' | b'`' | b']' | b'}'
            | b',' => Class::Other,
            _ => Class::Plain,
        };
        byte += 1;
    }
    classes
};

/// Odd bytes that stand somewhere in a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Odd {
    pub(super) tabs: bool,
    /// There are lines that end in `\r\n`.
    pub(super) returns: bool,
}

impl Odd {
    /// Takes note of the byte `at` of `bytes` (which are UTF-8), a control character or no ASCII. `None` when only the
    /// YAML reader may judge it: a control character, a `\r` without its `\n`, another character that ends lines
    /// somewhere, a byte order mark or a noncharacter.
    #[inline]
    pub(super) fn add(&mut self, bytes: &[u8], at: usize) -> Option<()> {
        match bytes[at] {
            b'\t' => self.tabs = true,
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => self.returns = true,
            0x80.. if is_harmless(&bytes[at..]) => {}
            _ => return None,
        }
        Some(())
    }
}

/// Whether a character that is not ASCII starts with `rest`, or goes on there, and is plain text to all.
fn is_harmless(rest: &[u8]) -> bool {
    let is_odd = matches!(
        rest,
        // U+0080 to U+009F; U+2028 and U+2029; U+FEFF; U+FFFE and U+FFFF.
        [0xc2, 0x80..=0x9f, ..]
            | [0xe2, 0x80, 0xa8 | 0xa9, ..]
            | [0xef, 0xbb, 0xbf, ..]
            | [0xef, 0xbf, 0xbe | 0xbf, ..]
    );
    !is_odd
}
