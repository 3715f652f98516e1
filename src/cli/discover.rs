//! What is found without being named: `imageswap.maps`, and an ImageSwap in `imageswap.yaml`, in a folder or the
//! nearest one above it.

use std::path::{Path, PathBuf};

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
    let Ok(absolute) = std::path::absolute(path) else { return Nearest::default() };
    absolute.ancestors().map(of_folder).find(|found| !found.is_empty()).unwrap_or_default()
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
