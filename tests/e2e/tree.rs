//! Folders as values: what is in them, and which lines of them differ.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every file below a folder, by its path in it.
pub(crate) type Tree = BTreeMap<PathBuf, String>;

pub(crate) fn read(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                tree.insert(path.strip_prefix(folder).unwrap().to_path_buf(), text);
            }
        }
    }
    tree
}

/// Copies a folder, links as what they point to.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::write(target, fs::read(path).unwrap()).unwrap();
        }
    }
}

/// The image lines that differ between two trees of the same files, as they are in the second, sorted; all
/// else must be the same.
#[track_caller]
pub(crate) fn swapped_lines(before: &Tree, after: &Tree) -> Vec<String> {
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    let mut changed: Vec<String> = Vec::new();
    for (path, text) in before {
        changed.extend(swapped(&path.display().to_string(), text, &after[path]));
    }
    changed.sort();
    changed
}

/// As [`swapped_lines`], of one text.
#[track_caller]
pub(crate) fn swapped(name: &str, before: &str, after: &str) -> Vec<String> {
    let (old, new): (Vec<_>, Vec<_>) = (before.split('\n').collect(), after.split('\n').collect());
    assert_eq!(old.len(), new.len(), "{name}: the number of lines\n--- before\n{before}\n--- after\n{after}");
    let mut changed = Vec::new();
    for (old, new) in old.into_iter().zip(new) {
        if old != new {
            assert_eq!(round_image(old), round_image(new), "{name}: a line differs in more than the image");
            changed.push(new.trim_start().trim_start_matches("- ").to_owned());
        }
    }
    changed.sort();
    changed
}

/// A line of YAML or JSON without the image in it: what stands before it, and what stands behind.
#[track_caller]
fn round_image(line: &str) -> (&str, &str) {
    let at = line.find("image").unwrap_or_else(|| panic!("a line without image differs: {line}"));
    let (key, value) = line.split_at(line[at..].find(':').map_or(line.len(), |colon| at + colon + 1));
    let is_quote = |c| matches!(c, ' ' | '"' | '\'');
    let image = value.trim_start_matches(is_quote);
    let before = &line[..key.len() + value.len() - image.len()];
    let behind = image.find([' ', '"', '\'', ',']).map_or("", |end| &image[end..]);
    (before, behind)
}
