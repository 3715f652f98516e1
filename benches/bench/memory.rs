//! Peak memory of large inputs.

use std::fs;

use super::{Size, data, measure};

/// Prints peak memory for a large tree and for a single large file.
pub fn run(size: Size) {
    let folder = measure::workspace();
    let maps = folder.path().join("imageswap.maps");
    fs::write(&maps, data::MAPS).expect("the maps are written");
    let maps = maps.display().to_string();
    let (tree_mb, file_mb) = if size.full { (1024, 500) } else { (16, 8) };

    let tree = folder.path().join("tree");
    data::tree(&tree, tree_mb * 1_048_576 / 6_000);
    let args = ["rewrite", "--maps", &maps, &tree.display().to_string()];
    report(&format!("tree of {tree_mb} MiB"), &args);
    fs::remove_dir_all(&tree).expect("the tree is removed");

    let file = folder.path().join("large.yaml");
    fs::write(&file, data::stream(file_mb * 1_000_000)).expect("the file is written");
    let args = ["rewrite", "--maps", &maps, &file.display().to_string()];
    report(&format!("one file of {file_mb} MB"), &args);
}

fn report(name: &str, args: &[&str]) {
    match measure::peak_mib(measure::imageswap(), args, None) {
        Some(mib) => println!("{name:<52} {mib:>8.0} MiB peak"),
        None => measure::missing(name, "GNU time"),
    }
}
