//! What is found without being named: `imageswap.maps`, and an ImageSwap in `imageswap.yaml`, in a folder or the
//! nearest one above it.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;

/// A maps file.
pub const MAPS: &str = "imageswap.maps";

/// An ImageSwap, whose rules win over those of the maps file beside it.
const CONFIG: &str = "imageswap.yaml";

/// What a folder is governed by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Nearest {
    /// A maps file.
    pub maps: Option<PathBuf>,
    /// An ImageSwap.
    pub config: Option<PathBuf>,
}

impl Nearest {
    /// Whether nothing was found.
    fn is_empty(&self) -> bool {
        self.maps.is_none() && self.config.is_none()
    }
}

/// What is nearest to `path`, upwards: a folder itself or that of a file.
pub fn nearest(path: &Path) -> Nearest {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    folder.map(|folder| (*Discovery::default().nearest(folder)).clone()).unwrap_or_default()
}

/// What many folders are governed by; each is looked into once.
#[derive(Debug, Default)]
pub struct Discovery {
    /// By the absolute paths of the folders.
    known: FxHashMap<PathBuf, Arc<Nearest>>,
}

impl Discovery {
    /// What is nearest to the folder `path`: in itself, or in the nearest folder above it that has anything.
    pub fn nearest(&mut self, path: &Path) -> Arc<Nearest> {
        let Some(absolute) = absolute(path) else { return Arc::default() };
        let mut passed = Vec::new();
        let mut nearest = Arc::default();
        for folder in absolute.ancestors() {
            if let Some(known) = self.known.get(folder) {
                nearest = Arc::clone(known);
                break;
            }
            passed.push(folder);
            let found = of_folder(folder);
            if !found.is_empty() {
                nearest = Arc::new(found);
                break;
            }
        }
        self.known.extend(passed.into_iter().map(|folder| (folder.to_owned(), Arc::clone(&nearest))));
        nearest
    }
}

/// The path from the root on. What lies above `a/../b` only the system knows, since `a` may be a link.
fn absolute(path: &Path) -> Option<PathBuf> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    if path.components().any(|part| part == Component::ParentDir) {
        return path.canonicalize().or_else(|_| std::path::absolute(path)).ok();
    }
    std::path::absolute(path).ok()
}

/// What stands in `folder` itself.
fn of_folder(folder: &Path) -> Nearest {
    let maps = Some(folder.join(MAPS)).filter(|path| path.is_file()).map(shown);
    let config = Some(folder.join(CONFIG)).filter(|path| is_image_swap(path)).map(shown);
    Nearest { maps, config }
}

/// Whether the file at `path` is meant as an ImageSwap: other things are called so, too.
fn is_image_swap(path: &Path) -> bool {
    let is_kind = |line: &str| {
        let value =
            line.strip_prefix("kind:").map(|value| value.split('#').next().unwrap_or_default().trim());
        value.is_some_and(|value| value.trim_matches(['"', '\'']) == "ImageSwap")
    };
    path.is_file() && std::fs::read_to_string(path).is_ok_and(|text| text.lines().any(is_kind))
}

/// A path as people would type it, where that is possible.
fn shown(path: PathBuf) -> PathBuf {
    let here = std::env::current_dir().ok();
    let relative = here.and_then(|here| path.strip_prefix(here).map(Path::to_path_buf).ok());
    relative.unwrap_or(path)
}
