//! Strings of an object that change in part: an argument `--flag=IMAGE`, a list in a variable, a manifest that stands as text.
//! A patch replaces a string as a whole.

use rustc_hash::FxHashMap;

use crate::manifest::edit::{self, Edit};
use crate::manifest::tree;

use super::patch::{Patch, json, pointer};

/// Adds to `patch` what `edits` make of the strings of `object`, which is JSON.
///
/// # Errors
/// The edits do not belong to the object, or it is nested too deep.
pub(super) fn patch_strings(patch: &mut Patch, object: &str, mut edits: Vec<Edit>) -> Result<(), String> {
    edits.sort_by_key(|edit| edit.span);
    // Images may share a string.
    edits.dedup();
    let edited = edit::apply(object, &edits).map_err(|error| error.to_string())?;
    let mut before: FxHashMap<String, String> = FxHashMap::default();
    strings(object, &mut |path, value| drop(before.insert(path, value)))?;
    strings(&edited, &mut |path, value| match before.get(&path) {
        Some(old) if *old == value => {}
        Some(_) => patch.replace(&path, &value),
        None => patch.add(&path, &json(&value)),
    })
}

/// Hands each scalar of `object` to `visit`, with the pointer to it.
fn strings(object: &str, visit: &mut impl FnMut(String, String)) -> Result<(), String> {
    for tree in tree::read(object).map_err(|error| error.to_string())? {
        let root = tree.root.ok_or_else(|| tree.fault.unwrap_or("it is empty").to_owned())?;
        root.each_scalar(&mut |scalar, path| visit(pointer(path), scalar.value.clone().into_owned()));
    }
    Ok(())
}
