//! Digests: looked up cold beside other programs, taken from a lock file beside a plain rewrite, and how much memory many
//! of them take.

mod registry;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use imageswap::image::{Digest, ImageReference};
use imageswap::lock::{Lock, LockEntry};

use super::measure::{Seconds, best, find, imageswap, line, missing, peak_mib, race_all, workspace};
use super::{Size, data};
use registry::{Registry, image};

pub use registry::serve;

/// What each answer of the registry takes longer.
const DELAY: Duration = Duration::from_millis(50);

/// How many lookups are under way at one registry, unless a file says otherwise.
const LOOKUPS: usize = 8;

/// The same with a file that allows more.
const MORE_LOOKUPS: usize = 32;

/// Prints all comparisons.
pub fn run(size: Size) {
    cold(size);
    locked(size);
    memory(size);
}

/// Distinct tags, none of them known: against the floor of the round trips, and against other programs, each with as many
/// requests under way.
fn cold(size: Size) {
    let images = if size.full { 500 } else { 32 };
    let space = workspace();
    let path = |name: &str| space.path().join(name).display().to_string();
    let registry = Registry::start(images, DELAY);
    fs::write(path("pods.yaml"), pods(&registry.host, images, 10)).expect("the manifests are written");
    let list: String = (0..images).fold(String::new(), |mut list, number| {
        let _ = writeln!(list, "{}", image(&registry.host, number));
        list
    });
    fs::write(path("images"), list).expect("the list is written");
    let more = format!("[client]\nlookups-per-registry = {MORE_LOOKUPS}\n");
    fs::write(path("more.toml"), more).expect("the file of registries is written");

    // A HEAD for the digest, and a GET for the bytes that it is checked against.
    let floor = |at_once: usize| {
        let wall = images as f64 * 2.0 / at_once as f64 * DELAY.as_secs_f64();
        Seconds { wall, cpu: f64::NAN }
    };
    let rewrite = format!(
        "HOME=/nonexistent {} rewrite --check --pin --map nowhere.example::x.example {}",
        imageswap(),
        path("pods.yaml")
    );
    let rewrite_more = format!("{rewrite} --registries {}", path("more.toml"));
    let each = |program: &str, command: &str| {
        format!("xargs -P {LOOKUPS} -I @ {program} {command} < {}", path("images"))
    };
    let crane = find("crane").map(|crane| each(&crane, "digest --insecure @"));
    let skopeo = find("skopeo")
        .map(|skopeo| each(&skopeo, "inspect --no-tags --tls-verify=false --format {{.Digest}} docker://@"));
    let kbld = find("kbld").map(|kbld| format!("{kbld} --registry-insecure -f {}", path("pods.yaml")));
    let others = [("crane digest", crane), ("skopeo inspect", skopeo), ("kbld", kbld)];

    let mut lines = vec![rewrite.as_str(), rewrite_more.as_str()];
    lines.extend(others.iter().filter_map(|(_, command)| command.as_deref()));
    let times = race_all(size.runs.min(3), &lines, |_| {});
    println!("{images} distinct tags, each answer after {} ms", DELAY.as_millis());
    for (at_once, seconds) in [LOOKUPS, MORE_LOOKUPS].into_iter().zip(&times) {
        let floor = floor(at_once);
        line(&format!("imageswap rewrite --pin, {at_once} at a time"), *seconds, None);
        println!(
            "  the floor is {:.3} s ({images} x 2 round trips / {at_once}): {:.2} x (at most 1.3 x)",
            floor.wall,
            seconds.wall / floor.wall
        );
    }
    let ours = times[0];
    let mut theirs = times[2..].iter();
    for (name, command) in &others {
        match command {
            Some(_) => line(name, *theirs.next().expect("a time for each command"), Some(ours)),
            None => missing(name, name.split(' ').next().unwrap_or_default()),
        }
    }
}

/// The tree of 10,000 files with digests out of a lock file, against the same without digests.
fn locked(size: Size) {
    let space = workspace();
    let (origin, tree) = (space.path().join("origin"), space.path().join("tree"));
    data::tree(&origin, size.files);
    let maps = space.path().join("imageswap.maps");
    fs::write(&maps, data::MAPS).expect("the maps are written");
    let lock = space.path().join("imageswap.lock");
    let entries = lock_of(&origin, &maps, &lock);
    let plain = format!("{} rewrite --maps {} {}", imageswap(), maps.display(), tree.display());
    let with_lock = format!("{plain} --locked --lock {}", lock.display());
    let times = race_all(size.runs, &[&plain, &with_lock], |_| super::tree::copy_tree(&origin, &tree));
    println!("{} files, {entries} entries in the lock file", size.files);
    line("imageswap rewrite", times[0], None);
    line("imageswap rewrite --locked (at most 1.1 x)", times[1], Some(times[0]));
    // Where all is pinned there is nothing to do.
    let check = |more: &str| {
        format!("{} rewrite --check --maps {} {}{more}", imageswap(), maps.display(), tree.display())
    };
    let times =
        race_all(size.runs, &[&check(""), &check(&format!(" --locked --lock {}", lock.display()))], |_| {});
    line("imageswap rewrite --check, nothing to do", times[0], None);
    line("imageswap rewrite --check --locked, nothing to do", times[1], Some(times[0]));
}

/// Writes a lock file for the images of a tree; how many entries it has.
fn lock_of(tree: &Path, maps: &Path, file: &Path) -> usize {
    let output = Command::new(imageswap())
        .args(["images", "--unique", "--format", "json", "--maps"])
        .args([maps, tree])
        .output()
        .expect("the inventory is made");
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let images: BTreeSet<(String, String)> = text
        .lines()
        .filter_map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            let image = value["image"].as_str()?.to_owned();
            let target = value["target"].as_str().unwrap_or(&image).to_owned();
            Some((image, target))
        })
        .collect();
    let mut lock = Lock::default();
    for (number, (image, target)) in images.iter().enumerate() {
        let digest = Digest::parse(&format!("sha256:{number:064x}")).expect("a digest");
        // What has a digest of its own needs none of the lock file.
        if let (Ok(image), Ok(target)) = (ImageReference::parse(image), ImageReference::parse(target))
            && image.digest().is_none()
        {
            lock.put(LockEntry::new(image, target, digest));
        }
    }
    fs::write(file, lock.render()).expect("the lock file is written");
    lock.entries().len()
}

/// Many distinct images pinned in one run.
fn memory(size: Size) {
    let images = if size.full { 10_000 } else { 500 };
    let space = workspace();
    let registry = Registry::start(images, Duration::ZERO);
    let folder = space.path().join("tree");
    fs::create_dir(&folder).expect("a folder is made");
    for (file, first) in (0..images).step_by(10).enumerate() {
        let text: String = (first..first + 10).map(|number| pod(&registry.host, number, 1)).collect();
        fs::write(folder.join(format!("{file}.yaml")), text).expect("a file is written");
    }
    let (tree, lock) =
        (folder.display().to_string(), space.path().join("imageswap.lock").display().to_string());
    let args = ["rewrite", "--pin", "--lock", &lock, "--map", "nowhere.example::x.example", &tree];
    let name = format!("{images} distinct images pinned and locked (at most 64 MiB)");
    match peak_mib(imageswap(), &args, None) {
        Some(mib) => println!("{name:<52} {mib:>8.0} MiB peak"),
        None => missing(&name, "GNU time"),
    }
    let written = fs::read_to_string(&lock).expect("the lock file is written");
    assert_eq!(written.matches("- image: ").count(), images, "every image was pinned");
    let again = format!("{} rewrite --check --pin --map nowhere.example::x.example {tree}", imageswap());
    line("the second run, which asks nothing", best(1, &again, || {}), None);
}

/// Pods with `containers` images each, `images` in all.
fn pods(host: &str, images: usize, containers: usize) -> String {
    (0..images).step_by(containers).map(|first| pod(host, first, containers.min(images - first))).collect()
}

fn pod(host: &str, first: usize, containers: usize) -> String {
    let head =
        format!("---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{first}}}\nspec:\n  containers:\n");
    (first..first + containers).fold(head, |mut text, number| {
        let _ = writeln!(text, "  - name: c{number}\n    image: {}", image(host, number));
        text
    })
}
