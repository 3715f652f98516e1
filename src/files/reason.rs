//! What the system's errors mean for a file, in a user's words.

use std::fmt;
use std::io;

/// Shows an error of the system without its number.
pub(super) struct Reason<'e>(pub(super) &'e io::Error);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use io::ErrorKind as Kind;
        f.write_str(match self.0.kind() {
            Kind::PermissionDenied => "permission denied",
            Kind::NotFound => "no such file or folder",
            Kind::StorageFull => "no space left on the disk",
            Kind::QuotaExceeded => "the disk quota is used up",
            Kind::FileTooLarge => "the file is larger than the system allows",
            Kind::ReadOnlyFilesystem => "the file system is read-only",
            Kind::OutOfMemory => "not enough memory",
            _ => {
                let text = self.0.to_string();
                let text = text.split(" (os error ").next().unwrap_or(&text);
                return f.write_str(&text.to_ascii_lowercase());
            }
        })
    }
}

/// What to do about an error of the system when a file is written; `None` when there is no good advice.
pub(super) fn advice(error: &io::Error) -> Option<&'static str> {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::PermissionDenied => {
            Some("the folder must be writable, because a new file is written beside the old one")
        }
        Kind::StorageFull | Kind::QuotaExceeded => {
            Some("free space for a second copy of the files that change, and run again")
        }
        Kind::ReadOnlyFilesystem => Some("copy the files to a place that can be written"),
        Kind::OutOfMemory => Some("run with fewer threads, or on fewer files"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn reasons() {
        for (error, reason) in [
            (Errno::ACCESS, "permission denied"),
            (Errno::PERM, "permission denied"),
            (Errno::NOSPC, "no space left on the disk"),
            (Errno::DQUOT, "the disk quota is used up"),
            (Errno::ROFS, "the file system is read-only"),
            (Errno::IO, "input/output error"),
        ] {
            assert_eq!(Reason(&io::Error::from(error)).to_string(), reason);
        }
        assert!(advice(&Errno::NOSPC.into()).is_some());
        assert!(advice(&Errno::IO.into()).is_none());
    }
}
