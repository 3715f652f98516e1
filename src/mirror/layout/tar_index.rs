//! Where the members of a tar file are, without unpacking it. Nothing in it is trusted: links, devices, paths that
//! leave the layout, members that stand twice and sizes that do not fit are refused.

use std::collections::BTreeMap;

use tar::{EntryType, Header};

use super::error::LayoutReason;
use super::names::is_known;
use super::parts::Parts;
use std::path::Path;

use super::LayoutError;

const BLOCK: u64 = 512;

/// The longest extended header: a path, times, attributes.
const EXTENDED_MAX: u64 = 64 * 1024;

/// Where the bytes of a member are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) start: u64,
    pub(super) size: u64,
}

/// What an extended header says about the member behind it.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

/// The members that are files of a layout, by name. `path` is the tar file's, for messages.
pub(super) fn members(path: &Path, parts: &Parts) -> Result<BTreeMap<String, Member>, LayoutError> {
    let mut members = BTreeMap::new();
    let mut extended = Extended::default();
    let mut at = 0;
    while at < parts.size() {
        let refused = |message: String| LayoutError::new(path, LayoutReason::Tar { at, message });
        let mut block = [0; BLOCK as usize];
        if !parts.fill_at(&mut block, at)? {
            return Err(refused("it ends in the middle of a header".to_owned()));
        }
        if block.iter().all(|byte| *byte == 0) {
            break;
        }
        let header = Header::from_byte_slice(&block);
        if header.cksum().ok() != Some(checksum(&block)) {
            return Err(refused(
                "the checksum of the header is wrong, so this is no tar file or a damaged one".to_owned(),
            ));
        }
        let said = header.entry_size().map_err(|error| refused(error.to_string()))?;
        let kind = header.entry_type();
        let is_extension = matches!(
            kind,
            EntryType::XHeader | EntryType::XGlobalHeader | EntryType::GNULongName | EntryType::GNULongLink
        );
        let size = if is_extension { said } else { extended.size.unwrap_or(said) };
        let start = at + BLOCK;
        let end = start.checked_add(size).filter(|end| *end <= parts.size()).ok_or_else(|| {
            refused(format!("it names {size} bytes, and the file ends before that: a part of it is missing"))
        })?;
        if is_extension {
            if size > EXTENDED_MAX {
                return Err(refused(format!(
                    "an extended header of {size} bytes; at most {EXTENDED_MAX} are read"
                )));
            }
            let mut bytes = vec![0; usize::try_from(size).expect("it is small")];
            parts.fill_at(&mut bytes, start)?;
            extend(&mut extended, kind, &bytes).map_err(&refused)?;
        } else {
            let Extended { path, .. } = std::mem::take(&mut extended);
            let name = path.unwrap_or_else(|| header.path_bytes().into_owned());
            let name = plain(&name).map_err(&refused)?;
            match kind {
                EntryType::Regular | EntryType::Continuous => {
                    let known = is_known(&name).then(|| members.insert(name.clone(), Member { start, size }));
                    if known.flatten().is_some() {
                        return Err(refused(format!("{name} stands in it twice")));
                    }
                }
                EntryType::Directory if size == 0 => {}
                EntryType::Directory => return Err(refused(format!("{name} is a folder of {size} bytes"))),
                other => {
                    return Err(refused(format!(
                        "{name} is {}; a layout has plain files alone",
                        kind_name(other)
                    )));
                }
            }
        }
        at = end.div_ceil(BLOCK).saturating_mul(BLOCK);
    }
    Ok(members)
}

/// Takes in an extended header.
fn extend(extended: &mut Extended, kind: EntryType, bytes: &[u8]) -> Result<(), String> {
    match kind {
        EntryType::GNULongName => {
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            extended.path = Some(bytes[..end].to_vec());
        }
        EntryType::XHeader => {
            let mut rest = bytes;
            while let Some((key, value)) = pax_record(&mut rest)? {
                match key {
                    b"path" => extended.path = Some(value.to_vec()),
                    b"size" => {
                        let size = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
                        extended.size =
                            Some(size.ok_or("its extended header names a size that is no number")?);
                    }
                    key if key.starts_with(b"GNU.sparse.") => {
                        return Err("it holds a sparse file, which cannot be read in place".to_owned());
                    }
                    _ => {}
                }
            }
        }
        // A global header or the target of a link, which is refused anyway.
        _ => {}
    }
    Ok(())
}

/// Key and value.
type Record<'b> = (&'b [u8], &'b [u8]);

/// The next record of an extended header, `30 path=blobs/…` and a line end: the number counts all of its bytes. Its
/// value may hold line ends, which is why the `tar` crate's reader of records is not used.
fn pax_record<'b>(rest: &mut &'b [u8]) -> Result<Option<Record<'b>>, String> {
    if rest.is_empty() || rest[0] == 0 {
        return Ok(None);
    }
    let malformed = || "its extended header is malformed".to_owned();
    let space = rest.iter().position(|byte| *byte == b' ').ok_or_else(malformed)?;
    let length = std::str::from_utf8(&rest[..space]).ok().and_then(|digits| digits.parse::<usize>().ok());
    let length =
        length.filter(|length| *length > space + 1 && *length <= rest.len()).ok_or_else(malformed)?;
    let (record, behind) = rest.split_at(length);
    let record = record[space + 1..].strip_suffix(b"\n").ok_or_else(malformed)?;
    let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(malformed)?;
    *rest = behind;
    Ok(Some((&record[..equals], &record[equals + 1..])))
}

/// A member's path from the root of the layout. One that leaves it is refused, even where nothing would be written.
fn plain(name: &[u8]) -> Result<String, String> {
    let shown = || format!("{:?}", String::from_utf8_lossy(&name[..name.len().min(200)]));
    let text = std::str::from_utf8(name).map_err(|_| format!("the name {} is not UTF-8", shown()))?;
    if text.starts_with('/') {
        return Err(format!("the name {} is absolute", shown()));
    }
    if text.contains('\0') {
        return Err(format!("the name {} holds a zero byte", shown()));
    }
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(format!("the name {} leaves the layout", shown())),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

fn checksum(block: &[u8; BLOCK as usize]) -> u32 {
    let spaces = 8 * u32::from(b' ');
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    sum(&block[..148]) + spaces + sum(&block[156..])
}

fn kind_name(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Symlink => "a symbolic link",
        EntryType::Link => "a hard link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a named pipe",
        EntryType::GNUSparse => "a sparse file",
        _ => "of an unknown kind",
    }
}
