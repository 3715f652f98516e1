//! What a new file takes over from the old one: owner, extended attributes with the POSIX ACLs, mode.

use std::ffi::CStr;
use std::io;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Gid, Mode, Stat, Uid, XattrFlags};
use rustix::io::Errno;

use super::reason::Reason;

/// The xattr that holds a file's POSIX ACL.
const ACL: &CStr = c"system.posix_acl_access";

/// The file's user or group could not be kept. Only root may give a file away, and others only to groups of their own,
/// so this is what happens to a file that another member of the group owns, as with `sed -i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerChange {
    /// The user or group id it had.
    pub from: u32,
    /// The one it has.
    pub to: u32,
}

/// What became of a file's user and group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OwnerChanges {
    pub(super) user: Option<OwnerChange>,
    pub(super) group: Option<OwnerChange>,
}

/// Why the new file would not be like the old one.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// A `user.*` attribute or the ACL cannot be kept.
    #[error("its attribute {name} cannot be kept: {}", Reason(source))]
    Attribute {
        /// The attribute's name.
        name: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The attributes cannot be read, or the mode not set.
    #[error("its mode and attributes cannot be kept: {}", Reason(source))]
    Io {
        /// The system's answer.
        #[from]
        source: io::Error,
    },
}

impl From<Errno> for MetadataError {
    fn from(error: Errno) -> Self {
        Self::Io { source: error.into() }
    }
}

/// Makes `new` (whose stat data is `made`) like `old` (rule F3).
///
/// Two system calls, flistxattr on each; fchown only for another owner, fchmod only for another mode than
/// the temp file's. In this order, because fchown clears set-user-ID and an ACL rewrites the mode.
pub(super) fn carry_over(
    old: &OwnedFd,
    stat: &Stat,
    new: &OwnedFd,
    made: &Stat,
) -> Result<OwnerChanges, MetadataError> {
    let changes = carry_owner(stat, new, made);
    let touched = carry_attributes(old, new)?;
    let mut mode = Mode::from_raw_mode(stat.st_mode);
    if changes.user.is_some() {
        mode.remove(Mode::SUID);
    }
    if changes.group.is_some() {
        // The group's permissions would go to other people: they get no more than everybody has. Where there is an ACL,
        // these bits are its mask, and so hold for all it names.
        let everybody = (mode & Mode::RWXO).as_raw_mode() << 3;
        mode.remove(Mode::SGID | Mode::RWXG);
        mode |= Mode::from_raw_mode(everybody);
    }
    if touched || mode != Mode::from_raw_mode(made.st_mode) {
        rustix::fs::fchmod(new, mode)?;
    }
    Ok(changes)
}

fn carry_owner(stat: &Stat, new: &OwnedFd, made: &Stat) -> OwnerChanges {
    let change = |from: u32, to: u32| (from != to).then_some(OwnerChange { from, to });
    let changes =
        OwnerChanges { user: change(stat.st_uid, made.st_uid), group: change(stat.st_gid, made.st_gid) };
    let user = changes.user.map(|change| Uid::from_raw(change.from));
    let group = changes.group.map(|change| Gid::from_raw(change.from));
    if user.is_none() && group.is_none() || rustix::fs::fchown(new, user, group).is_ok() {
        OwnerChanges::default()
    } else if group.is_some() && rustix::fs::fchown(new, None, group).is_ok() {
        OwnerChanges { group: None, ..changes }
    } else if user.is_some() && rustix::fs::fchown(new, user, None).is_ok() {
        OwnerChanges { user: None, ..changes }
    } else {
        changes
    }
}

/// Copies the attributes that belong to the file; says whether anything was done.
fn carry_attributes(old: &OwnedFd, new: &OwnedFd) -> Result<bool, MetadataError> {
    let names = attribute_names(old)?;
    let given = attribute_names(new)?;
    let mut touched = false;
    // A folder's default ACL is given to every new file, whether the old one had an ACL or not.
    if holds(&given, ACL) && !holds(&names, ACL) {
        rustix::fs::fremovexattr(new, ACL)?;
        touched = true;
    }
    for name in each(&names) {
        let care = Care::of(name);
        if care == Care::Leave {
            continue;
        }
        match carry_attribute(old, new, name, holds(&given, name)) {
            Ok(set) => touched |= set,
            Err(error) if care == Care::Keep => {
                let name = name.to_string_lossy().into_owned();
                return Err(MetadataError::Attribute { name, source: error.into() });
            }
            Err(_) => {}
        }
    }
    Ok(touched)
}

/// Copies one attribute unless it is there already, as a security label is that the system gives.
fn carry_attribute(old: &OwnedFd, new: &OwnedFd, name: &CStr, given: bool) -> rustix::io::Result<bool> {
    let value = grown(|buffer| rustix::fs::fgetxattr(old, name, buffer))?;
    if given && grown(|buffer| rustix::fs::fgetxattr(new, name, buffer)).is_ok_and(|now| now == value) {
        return Ok(false);
    }
    rustix::fs::fsetxattr(new, name, &value, XattrFlags::empty())?;
    Ok(true)
}

/// What is done about an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// It belongs to the user: it is kept, or the file is not written.
    Keep,
    /// It belongs to the system: it is kept when the system lets us, as `cp -a` does.
    Try,
    /// It describes the old bytes.
    Leave,
}

impl Care {
    fn of(name: &CStr) -> Self {
        match name.to_bytes() {
            b"security.ima" | b"security.evm" | b"security.capability" => Self::Leave,
            name if name.starts_with(b"trusted.overlay.") => Self::Leave,
            name if name == ACL.to_bytes() || name.starts_with(b"user.") => Self::Keep,
            _ => Self::Try,
        }
    }
}

/// The names of a file's attributes, each ended by a NUL; none where the file system has no attributes.
fn attribute_names(file: &OwnedFd) -> rustix::io::Result<Vec<u8>> {
    match grown(|buffer| rustix::fs::flistxattr(file.as_fd(), buffer)) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(Vec::new()),
        names => names,
    }
}

fn each(names: &[u8]) -> impl Iterator<Item = &CStr> {
    names.split_inclusive(|byte| *byte == 0).filter_map(|name| CStr::from_bytes_with_nul(name).ok())
}

fn holds(names: &[u8], name: &CStr) -> bool {
    each(names).any(|other| other == name)
}

/// Asks with a larger buffer until the answer fits.
fn grown(ask: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> rustix::io::Result<Vec<u8>> {
    let mut small = [0; 512];
    match ask(&mut small) {
        // An empty answer allocates nothing.
        Ok(length) => return Ok(small[..length].to_vec()),
        Err(Errno::RANGE) => {}
        Err(error) => return Err(error),
    }
    // 64 KiB is Linux' limit for both the list and a value; other systems have larger ones.
    let mut buffer = vec![0; 65536];
    loop {
        match ask(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            Err(Errno::RANGE) if buffer.len() < 1 << 26 => buffer.resize(buffer.len() * 4, 0),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn care() {
        for (name, care) in [
            (c"user.note", Care::Keep),
            (ACL, Care::Keep),
            (c"security.selinux", Care::Try),
            (c"system.nfs4_acl", Care::Try),
            (c"security.ima", Care::Leave),
            (c"trusted.overlay.opaque", Care::Leave),
        ] {
            assert_eq!(Care::of(name), care, "{name:?}");
        }
    }

    #[test]
    fn names() {
        assert!(holds(b"user.a\0user.b\0", c"user.b"));
        assert!(!holds(b"user.ab\0", c"user.a"));
        assert_eq!(each(b"").count(), 0);
    }
}
