//! Copying images between two registries that are 50 ms away, beside crane, oras, regsync and skopeo.

mod delay;
mod registry;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use delay::Delay;
use registry::{Named, Registry};

use super::{Size, measure};

/// How far away the registries are.
const AWAY: Duration = Duration::from_millis(50);

/// A pair of image names below the registries.
type Images = Vec<String>;

/// Copies three sets of images, and a large layer.
pub fn run(size: Size) {
    if !measure::has("docker-registry") {
        return measure::missing("mirror", "docker-registry");
    }
    let (repositories, tags) = if size.full { (20, 5) } else { (4, 2) };
    set("small", |source| {
        let mut images = Images::new();
        for repository in 0..repositories {
            for tag in 0..tags {
                let (name, tag) = (format!("small{repository}"), format!("v{tag}"));
                let layer = source.blob(&name, format!("{name} {tag}").as_bytes(), 10_000);
                source.image(&name, Some(&tag), &tag, &[layer]);
                images.push(format!("{name}:{tag}"));
            }
        }
        images
    });
    let (count, megabytes) = if size.full { (20, 5) } else { (4, 1) };
    set("shared layer", |source| {
        let names = (0..count).map(|at| {
            let name = format!("app{at}");
            let mut layers = vec![source.blob(&name, &[7; 65_536], 4 * megabytes * 1_000_000)];
            layers.extend((0..3).map(|layer| {
                let block = format!("{at} {layer}").repeat(10_000);
                source.blob(&name, block.as_bytes(), megabytes * 1_000_000)
            }));
            source.image(&name, Some("1"), &name, &layers);
            format!("{name}:1")
        });
        names.collect()
    });
    set("platforms", |source| {
        let names = (0..if size.full { 10 } else { 2 }).map(|tag| {
            let images: Vec<Named> = (0..4)
                .map(|at| {
                    let words = format!("{tag} {at}");
                    let layer = source.blob("multi", words.as_bytes(), 10_000);
                    source.image("multi", None, &words, &[layer])
                })
                .collect();
            source.index("multi", &format!("v{tag}"), &images);
            format!("multi:v{tag}")
        });
        names.collect()
    });
    memory(if size.full { 4096 } else { 128 });
}

/// Copies a set of images twice with each program, into a target of its own.
fn set(name: &str, fill: impl Fn(&Registry) -> Images) {
    let source = Registry::in_memory();
    let images = fill(&source);
    println!("{name}: {} images", images.len());
    for program in ["imageswap", "crane", "oras", "regsync", "skopeo"] {
        if program != "imageswap" && !measure::has(program) {
            measure::missing(program, program);
            continue;
        }
        let target = Registry::in_memory();
        let (from, to) = (Delay::before(&source.host, AWAY), Delay::before(&target.host, AWAY));
        let folder = measure::workspace();
        let line = command(program, &images, &from.host, &to.host, folder.path());
        let mut out = format!("  {program:<10}");
        for turn in ["first", "again"] {
            let seconds = measure::best(1, &line, || {});
            let (read, written) = (from.take(), to.take());
            let count = |kind| read.get(kind).copied().unwrap_or(0);
            let _ = write!(
                out,
                " {turn} {:>6.2} s ({:>5.2} s CPU), at the source {:>3} HEAD {:>3} GET of manifests, {:>3} GET of blobs, {:>4} requests in all;",
                seconds.wall,
                seconds.cpu,
                count("HEAD manifests"),
                count("GET manifests"),
                count("GET blobs"),
                read.values().sum::<usize>() + written.values().sum::<usize>(),
            );
        }
        println!("{out}");
    }
}

/// The line of shell that copies all images, 8 at once where the program can.
fn command(program: &str, images: &[String], from: &str, to: &str, folder: &Path) -> String {
    let pairs: String = images.iter().map(|image| format!("{from}/{image} {to}/{image}\n")).collect();
    let list = folder.join("list");
    fs::write(&list, pairs).expect("the list is written");
    let list = list.display();
    match program {
        "imageswap" => format!("{} mirror --images {list} --quiet", measure::imageswap()),
        "crane" => format!("xargs -P 8 -L 1 crane copy --insecure < {list}"),
        "oras" => format!("xargs -P 8 -L 1 oras cp --from-plain-http --to-plain-http < {list}"),
        "skopeo" => {
            let copy =
                "skopeo copy --all --src-tls-verify=false --dest-tls-verify=false docker://$0 docker://$1";
            format!("xargs -P 8 -L 1 sh -c '{copy}' < {list}")
        }
        _ => {
            let mut config = format!(
                "version: 1\ncreds:\n- {{registry: '{from}', tls: disabled}}\n- {{registry: '{to}', tls: disabled}}\n\
                 defaults: {{parallel: 8}}\nsync:\n"
            );
            for image in images {
                let _ =
                    writeln!(config, "- {{source: '{from}/{image}', target: '{to}/{image}', type: image}}");
            }
            let file = folder.join("regsync.yml");
            fs::write(&file, config).expect("the configuration is written");
            format!("regsync once -c {}", file.display())
        }
    }
}

/// Peak memory while a layer of so many MiB is copied.
fn memory(mib: u64) {
    // Too large for a memory disk.
    let folder = || tempfile::tempdir().expect("a folder is made");
    let folders = [folder(), folder()];
    let (source, target) = (Registry::on_disk(folders[0].path()), Registry::on_disk(folders[1].path()));
    let block: Vec<u8> = (0..1_048_576_u32).map(|at| (at % 251) as u8).collect();
    let layer = source.blob("large", &block, mib * 1_048_576);
    source.image("large", Some("1"), "large", &[layer]);
    let list = folders[0].path().join("list");
    fs::write(&list, format!("{0}/large:1 {1}/large:1\n", source.host, target.host))
        .expect("the list is written");
    let args = ["mirror", "--images", &list.display().to_string(), "--quiet"];
    match measure::peak_mib(measure::imageswap(), &args, None) {
        Some(peak) => println!("a layer of {mib} MiB: {peak:.0} MiB peak"),
        None => measure::missing("memory", "GNU time"),
    }
}
