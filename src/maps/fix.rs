//! The deprecated single `:` as `::`; every other byte of the text stays.

use std::collections::BTreeMap;

/// `text` with a second `:` behind those at `places` (line and column, from 1); `None` where one of them is not there.
#[must_use]
pub fn with_double_colons(text: &str, places: &BTreeMap<usize, usize>) -> Option<String> {
    let mut out = String::with_capacity(text.len() + places.len());
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        let Some(column) = places.get(&number) else {
            out.push_str(line);
            continue;
        };
        // A byte order mark has no column.
        let mark = usize::from(line.starts_with('\u{feff}'));
        let (start, _) = line.char_indices().nth(column.checked_sub(1)? + mark)?;
        let colon = start + line[start..].find(':')?;
        if !line[start..colon].trim().is_empty() || line[colon + 1..].starts_with(':') {
            return None;
        }
        out.push_str(&line[..=colon]);
        out.push_str(&line[colon..]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_separator_changes() {
        let places = BTreeMap::from([(1, 8), (3, 8)]);
        let text = "\u{feff}quay.io:m.io # a:b\r\n# c:d\nghcr.io : n.io";
        let want = "\u{feff}quay.io::m.io # a:b\r\n# c:d\nghcr.io :: n.io";
        assert_eq!(with_double_colons(text, &places).as_deref(), Some(want));
        assert_eq!(with_double_colons("quay.io::m.io", &places), None);
        assert_eq!(with_double_colons("quay.iox:m.io", &places), None);
    }
}
