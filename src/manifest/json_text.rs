//! Where the plain text of a JSON string ends, found eight bytes at a time: most strings are shorter than what a search
//! by vectors costs to begin.

/// One in every byte, and the highest bit of every byte.
const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// How many bytes there are before the first quote, backslash or control character; `None` when there is none of these.
#[must_use]
pub fn plain_length(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let found = ends(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(8 * number + found.trailing_zeros() as usize / 8);
        }
    }
    let behind = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..0x20));
    behind.map(|at| 8 * words.len() + at)
}

/// The highest bit of the first byte that ends plain text. Bytes behind it may have theirs without a reason: what is
/// subtracted borrows from the next byte.
fn ends(word: u64) -> u64 {
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let quotes = is_zero(word ^ (ONES * u64::from(b'"')));
    let backslashes = is_zero(word ^ (ONES * u64::from(b'\\')));
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes | backslashes | controls) & HIGH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn byte_by_byte(bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|b| *b < 0x20 || *b == b'"' || *b == b'\\')
    }

    #[test]
    fn every_byte_at_every_place() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                for around in [b'x', 0x20, 0x21, 0x5b, 0x5d, 0x7f, 0x80, 0xff] {
                    let mut bytes = [around; 20];
                    bytes[at] = byte;
                    assert_eq!(
                        plain_length(&bytes),
                        byte_by_byte(&bytes),
                        "{byte:#x} at {at} in {around:#x}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn as_byte_by_byte(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(plain_length(&bytes), byte_by_byte(&bytes));
        }
    }
}
