//! How long a user waits for something small.

use super::{Size, data, measure};

/// Prints the time of `--help` and of one small file, from start to exit.
pub fn run(size: Size) {
    let folder = measure::workspace();
    let file = folder.path().join("small.yaml");
    let maps = folder.path().join("imageswap.maps");
    std::fs::write(&maps, data::MAPS).expect("the maps are written");
    std::fs::write(&file, data::file(0)).expect("the file is written");
    let (program, file, maps) = (measure::imageswap(), file.display(), maps.display());
    let runs = size.runs * 5;
    let nothing = measure::best(runs, "/bin/true", || {});
    measure::line("/bin/true", nothing, None);
    measure::line("imageswap --help", measure::best(runs, &format!("{program} --help"), || {}), None);
    let line = format!("{program} rewrite --check --maps {maps} {file}");
    measure::line("imageswap rewrite --check small.yaml", measure::best(runs, &line, || {}), None);
}
