//! Many of one thing: paths, rules, images to list, and documents of one stream.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::measure::{has, imageswap, line, missing, peak_mib, race, workspace};
use super::{Size, data};

/// Prints all comparisons.
pub fn run(size: Size) {
    let space = workspace();
    let maps = space.path().join("imageswap.maps");
    fs::write(&maps, data::MAPS).expect("the maps are written");
    paths(size, space.path(), &maps);
    rules(size, space.path());
    images(size, space.path(), &maps);
    stream(size, space.path(), &maps);
}

/// A thousand folders, each given for itself, as pre-commit gives files.
fn paths(size: Size, space: &Path, maps: &Path) {
    let folders = space.join("folders");
    let number = if size.full { 1_000 } else { 50 };
    for n in 0..number {
        let folder = folders.join(n.to_string());
        fs::create_dir_all(&folder).expect("a folder is made");
        fs::write(folder.join("manifest.yaml"), data::file(n)).expect("a file is written");
    }
    let all = format!("{}/*", folders.display());
    let check = format!("{} rewrite --check -q --maps {} {all}", imageswap(), maps.display());
    let name = format!("check of {number} given folders (at most 2 x)");
    if !has("rg") {
        return missing(&name, "rg");
    }
    let [search, check] = race(size.runs, [&format!("rg -c image: {all}"), &check], |_| {});
    line("rg -c image: on the same folders", search, None);
    line(&name, check, Some(search));
}

/// A form of rules: its name, and so many rules of it.
type Form = (&'static str, fn(usize) -> String);

/// `one` for each number below `rules`.
fn each(rules: usize, one: fn(usize) -> String) -> String {
    (0..rules).map(one).collect()
}

/// Rules by the thousand, on images that are all different.
fn rules(size: Size, space: &Path) {
    let (images, many) = if size.full { (40_000, 10_000) } else { (1_000, 200) };
    let mut text = String::from("kind: Pod\nspec:\n  containers:\n");
    for n in 0..images {
        let _ = writeln!(text, "  - image: registry-{}.example.com/team-{}/app-{n}:1.{n}", n % 97, n % 1009);
    }
    let file = space.join("distinct.yaml");
    fs::write(&file, text).expect("the file is written");
    let forms: [Form; 3] = [
        ("noswap_wildcards", |rules| {
            let words: Vec<String> = (0..rules).map(|n| format!("other-{n}.example.org")).collect();
            format!("noswap_wildcards::{}\n", words.join(","))
        }),
        ("[REPLACE]", |rules| {
            each(rules, |n| format!("[REPLACE]other-{n}.example.org/*::mirror.example.com/{n}\n"))
        }),
        ("path rules", |rules| {
            each(rules, |n| format!("other-{n}.example.org/team-{n}::mirror.example.com/{n}\n"))
        }),
    ];
    for (name, form) in forms {
        let check = |rules: usize| {
            let maps = space.join(format!("{rules}.maps"));
            fs::write(&maps, format!("default::mirror.example.com/all\n{}", form(rules)))
                .expect("the maps are written");
            format!("{} rewrite --check -q --maps {} {}", imageswap(), maps.display(), file.display())
        };
        let (ten, all) = (check(10), check(many));
        let [ten, all] = race(size.runs, [&ten, &all], |_| {});
        line(&format!("{images} images by 10 rules: {name}"), ten, None);
        line(&format!("the same by {many} (at most 2 x)"), all, Some(ten));
    }
}

/// The inventory of a tree beside a check of it.
fn images(size: Size, space: &Path, maps: &Path) {
    let tree = space.join("tree");
    data::tree(&tree, size.files);
    let (program, maps, tree) = (imageswap(), maps.display(), tree.display());
    let [check, all, unique] = race(
        size.runs,
        [
            &format!("{program} rewrite --check --maps {maps} {tree}"),
            &format!("{program} images --maps {maps} {tree}"),
            &format!("{program} images --unique --maps {maps} {tree}"),
        ],
        |_| {},
    );
    line(&format!("check of {} files", size.files), check, None);
    line("images of the same (at most 1.2 x)", all, Some(check));
    line("images --unique of the same", unique, Some(check));
    let (maps, tree) = (maps.to_string(), tree.to_string());
    let peak = |unique: &[&str]| {
        let args = [&["images", "--maps", maps.as_str(), tree.as_str()], unique].concat();
        peak_mib(program, &args, None)
    };
    if let (Some(all), Some(unique)) = (peak(&[]), peak(&["--unique"])) {
        println!("{:<52} {all:>8.0} MiB peak, {unique:.0} MiB with --unique", "images of the same");
    }
}

/// One large stream through standard input and output.
fn stream(size: Size, space: &Path, maps: &Path) {
    let megabytes = if size.full { 100 } else { 2 };
    let file = space.join("stream.yaml");
    fs::write(&file, data::stream(megabytes * 1_000_000)).expect("the stream is written");
    let (file, out) = (file.display(), space.join("out.yaml"));
    let out = out.display();
    let ours = format!("{} rewrite -q --maps {} - < {file} > {out}", imageswap(), maps.display());
    let (program, theirs) = if has("sd") {
        ("sd", format!("sd 'image: docker.io/' 'image: mirror.example.com/hub/' < {file} > {out}"))
    } else {
        ("sed", format!("sed 's#image: docker.io/#image: mirror.example.com/hub/#' < {file} > {out}"))
    };
    let [theirs, ours] = race(size.runs, [&theirs, &ours], |_| {});
    line(&format!("{program} on a stream of {megabytes} MB"), theirs, None);
    line("imageswap rewrite - on the same", ours, Some(theirs));
}
