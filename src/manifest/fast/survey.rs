//! A look over all bytes before any is read: which characters are there at all.

/// What stands somewhere in a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Survey {
    pub(super) tabs: bool,
}

/// Looks at every byte of `bytes` (which are UTF-8). `None` when there is one that only the YAML reader may
/// judge: a control character, a `\r` without its `\n`, another character that ends lines somewhere, a byte
/// order mark or a noncharacter.
pub(super) fn survey(bytes: &[u8]) -> Option<Survey> {
    let mut survey = Survey::default();
    let mut at = 0;
    for chunk in bytes.chunks(64) {
        let odd = |b: u8| u8::from((b < b' ') & (b != b'\n')) | u8::from(b >= 0x7f);
        if chunk.iter().fold(0, |found, &b| found | odd(b)) != 0 {
            for (i, &byte) in chunk.iter().enumerate() {
                match byte {
                    b'\n' | b' '..=0x7e => {}
                    b'\t' => survey.tabs = true,
                    b'\r' if bytes.get(at + i + 1) == Some(&b'\n') => {}
                    0x80.. if is_harmless(&bytes[at + i..]) => {}
                    _ => return None,
                }
            }
        }
        at += chunk.len();
    }
    Some(survey)
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
