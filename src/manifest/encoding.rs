//! Bytes to text. Only UTF-8 is edited; what else a file may be is named.

/// Why bytes are not text that can be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// A byte order mark of another encoding.
    #[error("the file is {0}; only UTF-8 is read: convert it with iconv -f {0} -t UTF-8")]
    Other(&'static str),
    /// A byte that UTF-8 does not have.
    #[error(
        "byte {byte:#04x} at offset {offset} is not UTF-8; only UTF-8 is read: convert it with iconv -t UTF-8"
    )]
    NotUtf8 {
        /// Where the first bad byte is.
        offset: usize,
        /// The byte.
        byte: u8,
    },
}

/// `bytes` as text, a byte order mark of UTF-8 included.
///
/// # Errors
/// Bytes in another encoding.
pub fn decode(bytes: &[u8]) -> Result<&str, EncodingError> {
    let other = match bytes {
        [0xff, 0xfe, 0, 0, ..] => Some("UTF-32LE"),
        [0, 0, 0xfe, 0xff, ..] => Some("UTF-32BE"),
        [0xff, 0xfe, ..] => Some("UTF-16LE"),
        [0xfe, 0xff, ..] => Some("UTF-16BE"),
        _ => None,
    };
    if let Some(name) = other {
        return Err(EncodingError::Other(name));
    }
    simdutf8::basic::from_utf8(bytes).map_err(|_| {
        let offset = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), |_| 0);
        EncodingError::NotUtf8 { offset, byte: bytes.get(offset).copied().unwrap_or_default() }
    })
}
