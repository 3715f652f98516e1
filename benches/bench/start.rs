//! How long a user waits for something small.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Size, data, measure};

/// Prints the time of `--help`, and of a check of one small file and of a folder that holds it alone, from start to exit.
pub fn run(size: Size) {
    let folder = measure::workspace();
    let tree = folder.path().join("tree");
    let (file, maps) = (tree.join("small.yaml"), folder.path().join("imageswap.maps"));
    std::fs::create_dir(&tree).expect("a folder is made");
    std::fs::write(&maps, data::MAPS).expect("the maps are written");
    std::fs::write(&file, data::file(0)).expect("the file is written");
    let (program, maps) = (measure::imageswap(), maps.display().to_string());
    let (file, tree) = (file.display().to_string(), tree.display().to_string());
    let check = |path| vec![program, "rewrite", "--check", "--maps", &maps, path];
    let commands = [
        ("/bin/true", vec!["/bin/true"]),
        ("imageswap --help", vec![program, "--help"]),
        ("imageswap rewrite --check small.yaml (at most 3 ms)", check(&file)),
        ("imageswap rewrite --check of a folder with it", check(&tree)),
    ];
    let mut waits = [const { Vec::new() }; 4];
    for _ in 0..size.runs * 20 {
        for ((_, command), waits) in commands.iter().zip(&mut waits) {
            waits.push(wait(command));
        }
    }
    for ((name, _), mut waits) in commands.into_iter().zip(waits) {
        waits.sort_unstable();
        let milliseconds = |wait: Duration| wait.as_secs_f64() * 1e3;
        let (best, median) = (milliseconds(waits[0]), milliseconds(waits[waits.len() / 2]));
        println!("{name:<52} {best:>8.2} ms at best {median:>8.2} ms in the median");
    }
}

/// How long `command` takes from start to exit; without a shell, whose own start takes as long.
fn wait(command: &[&str]) -> Duration {
    let mut process = Command::new(command[0]);
    process.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let status = process.status().expect("the program starts");
    let taken = started.elapsed();
    assert!(matches!(status.code(), Some(0 | 1)), "{command:?}: {status}");
    taken
}
