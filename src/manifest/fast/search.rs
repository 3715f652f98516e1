//! Short searches, eight bytes at a time: most gaps and quoted values are too short for a vector search to pay off.

use memchr::memchr2;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const SPACES: u64 = ONES * b' ' as u64;

/// Where a vector search becomes the better one, in bytes.
const LONG: usize = 48;

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Marks the zero bytes of `word`; a mark is wrong only above a right one.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// Which byte the lowest mark is in.
fn lowest(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// The first byte from `from` on that is no space, or the end of `bytes`.
#[inline]
pub(super) fn skip_spaces(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(word) = word(bytes, at) {
        let others = word ^ SPACES;
        if others != 0 {
            return at + lowest(others);
        }
        at += 8;
    }
    while bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

/// The first `one` or `other` within `from..end` of `bytes`, or `end`.
#[inline]
pub(super) fn either(bytes: &[u8], from: usize, end: usize, one: u8, other: u8) -> usize {
    let (ones, others) = (ONES * u64::from(one), ONES * u64::from(other));
    let mut at = from;
    let short = end.min(from + LONG);
    while at < short {
        let Some(word) = word(bytes, at) else { break };
        let marks = zeros(word ^ ones) | zeros(word ^ others);
        if marks != 0 {
            return end.min(at + lowest(marks));
        }
        at += 8;
    }
    if at >= end {
        return end;
    }
    memchr2(one, other, &bytes[at..end]).map_or(end, |i| at + i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_plain_loop_finds() {
        let text = b"  key:        value # c     ######## :::::::: a long text without either, and then one: #!?9;\"$";
        for end in 0..=text.len() {
            for from in 0..=end {
                let bytes = &text[..end];
                let content = (from..end).find(|&i| bytes[i] != b' ').unwrap_or(end);
                assert_eq!(skip_spaces(bytes, from), content);
                let stop = (from..end).find(|&i| matches!(bytes[i], b':' | b'#')).unwrap_or(end);
                assert_eq!(either(bytes, from, end, b':', b'#'), stop);
                assert_eq!(either(text, from, end, b'#', b':'), stop);
            }
        }
    }
}
