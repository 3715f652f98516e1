//! The grammar of distribution/reference (`regexp.go`, `normalize.go`), by hand, with reasons.

use super::error::{Part, ReferenceError};

/// Whether the first component of a name is a registry (`splitDockerDomain`): it has a `.` or a `:`, is
/// `localhost`, or has an upper-case letter, which no path may have.
pub(super) fn is_registry(first: &str) -> bool {
    first == "localhost" || first.bytes().any(|b| b == b'.' || b == b':' || b.is_ascii_uppercase())
}

/// Checks `host[:port]` and returns the length of the host. `at` is where it stands in the reference.
pub(super) fn registry(text: &str, at: usize) -> Result<usize, ReferenceError> {
    let host_len = match text.strip_prefix('[') {
        Some(rest) => {
            let close = rest.find(|c: char| !(c.is_ascii_hexdigit() || c == ':')).unwrap_or(rest.len());
            match rest[close..].chars().next() {
                Some(']') if close > 0 => close + 2,
                Some(found) => {
                    return Err(ReferenceError::Character {
                        found,
                        part: Part::Registry,
                        at: at + 1 + close,
                    });
                }
                None => return Err(ReferenceError::Character { found: '[', part: Part::Registry, at }),
            }
        }
        None => text.find(':').unwrap_or(text.len()),
    };
    if !text.starts_with('[') {
        host(&text[..host_len], at)?;
    }
    let Some(found) = text[host_len..].chars().next() else { return Ok(host_len) };
    if found != ':' {
        return Err(ReferenceError::Character { found, part: Part::Registry, at: at + host_len });
    }
    let port = &text[host_len + 1..];
    let port_at = at + host_len + 1;
    if port.is_empty() {
        return Err(ReferenceError::EmptyPart { part: Part::Port, at: port_at });
    }
    match port.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        Some((index, found)) => {
            Err(ReferenceError::Character { found, part: Part::Port, at: port_at + index })
        }
        None => Ok(host_len),
    }
}

/// Components of letters, digits and inner `-`, joined by single dots.
fn host(text: &str, at: usize) -> Result<(), ReferenceError> {
    let part = Part::Registry;
    if text.is_empty() {
        return Err(ReferenceError::EmptyPart { part, at });
    }
    let mut before = '.';
    for (index, found) in text.char_indices() {
        let at = at + index;
        match found {
            '.' | '-' if before == '.' => return Err(ReferenceError::Separator { found, part, at }),
            '.' if before == '-' => return Err(ReferenceError::Separator { found: '-', part, at: at - 1 }),
            '.' | '-' => {}
            _ if found.is_ascii_alphanumeric() => {}
            _ => return Err(ReferenceError::Character { found, part, at }),
        }
        before = found;
    }
    match before {
        '.' | '-' => Err(ReferenceError::Separator { found: before, part, at: at + text.len() - 1 }),
        _ => Ok(()),
    }
}

/// Checks a repository path: components of `[a-z0-9]+` joined by `.`, `_`, `__` or any number of `-`.
pub(super) fn path(text: &str, at: usize) -> Result<(), ReferenceError> {
    if text.is_empty() {
        return Err(ReferenceError::NoName { at });
    }
    let part = Part::Path;
    // The separators since the last letter or digit of this component.
    let mut run = 0;
    let mut run_of = '/';
    let mut component_starts = true;
    for (index, found) in text.char_indices() {
        let at = at + index;
        match found {
            'a'..='z' | '0'..='9' => {
                component_starts = false;
                run = 0;
            }
            '/' if component_starts => return Err(ReferenceError::EmptyComponent { at }),
            '/' if run > 0 => return Err(ReferenceError::Separator { found: run_of, part, at: at - 1 }),
            '/' => component_starts = true,
            '.' | '_' | '-' => {
                let fits = !component_starts
                    && (run == 0
                        || (found == '-' && run_of == '-')
                        || (found == '_' && run_of == '_' && run == 1));
                if !fits {
                    return Err(ReferenceError::Separator { found, part, at });
                }
                run += 1;
                run_of = found;
            }
            'A'..='Z' => return Err(ReferenceError::UpperCase { found, at }),
            _ => return Err(ReferenceError::Character { found, part, at }),
        }
    }
    let end = at + text.len();
    if component_starts {
        return Err(ReferenceError::EmptyComponent { at: end });
    }
    if run > 0 {
        return Err(ReferenceError::Separator { found: run_of, part, at: end - 1 });
    }
    Ok(())
}

/// Checks a tag: `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`.
pub(super) fn tag(text: &str, at: usize) -> Result<(), ReferenceError> {
    let part = Part::Tag;
    if text.is_empty() {
        return Err(ReferenceError::EmptyPart { part, at });
    }
    for (index, found) in text.char_indices() {
        let at = at + index;
        match found {
            '.' | '-' if index == 0 => return Err(ReferenceError::Separator { found, part, at }),
            '.' | '-' | '_' => {}
            _ if found.is_ascii_alphanumeric() => {}
            _ => return Err(ReferenceError::Character { found, part, at }),
        }
    }
    if text.len() > 128 {
        return Err(ReferenceError::TagTooLong { length: text.len(), at });
    }
    Ok(())
}
