//! The KRM function on a large ResourceList, beside kustomize's images transformer and kpt's own cost.

use std::fs;

use super::measure::{best, has, imageswap, line, missing, peak_mib, workspace};
use super::{Size, data};

/// Prints speed and peak memory of `imageswap fn`.
pub fn run(size: Size) {
    let resources = if size.full { 10_000 } else { 500 };
    let space = workspace();
    let list = space.path().join("list.yaml");
    let text = data::resource_list(resources);
    fs::write(&list, &text).expect("the list is written");
    let megabytes = text.len() as f64 / 1e6;
    let ours = best(size.runs, &format!("{} fn < {}", imageswap(), list.display()), || {});
    line(&format!("imageswap fn, {resources} resources, {megabytes:.1} MB"), ours, None);
    println!("{:<52} {:>8.0} MB/s", "", megabytes / ours.wall);
    match peak_mib(imageswap(), &["fn"], Some(&list)) {
        Some(mib) => println!("{:<52} {mib:>8.0} MiB peak", ""),
        None => missing("peak memory", "GNU time"),
    }
    let cat = best(size.runs, &format!("cat {}", list.display()), || {});
    line("cat of the same list", cat, Some(ours));
    if !size.full {
        return;
    }
    let package = space.path().join("package");
    data::kustomization(&package, 1_000);
    if has("kpt") {
        for (name, exec) in [("cat", "cat".to_owned()), ("imageswap fn", format!("{} fn", imageswap()))] {
            let shell = format!(
                "kpt fn eval {} --exec '{exec}' -- docker.io=mirror.example.com/hub",
                package.display()
            );
            line(&format!("kpt fn eval of 1000 files with {name}"), best(2, &shell, || {}), None);
        }
    } else {
        missing("kpt fn eval of 1000 files", "kpt");
    }
    let kustomize = [("kubectl", "kubectl kustomize"), ("kustomize", "kustomize build")];
    match kustomize.into_iter().find(|(program, _)| has(program)) {
        Some((_, build)) => {
            let shell = format!("{build} {}", package.display());
            line(&format!("{build} of 1000 files with images:"), best(2, &shell, || {}), None);
        }
        None => missing("kustomize build of 1000 files with images:", "kubectl"),
    }
}
