//! How many requests an image costs, and in which order they come.

use crate::registry_support::proxy::{Harm, Proxy, Seen};
use crate::registry_support::real::Kind;
use crate::run::{Stage, closure};
use crate::signatures::refer;

/// Copies `images` between proxies that count; gives what source and target were asked.
fn asked(stage: &Stage, images: &[String]) -> [Vec<Seen>; 2] {
    let source = Proxy::start(&stage.source.host, |_| Harm::none());
    let target = Proxy::start(&stage.target.host, |_| Harm::none());
    let pair = |image: &String| (format!("{}/{image}", source.host), format!("{}/copy/{image}", target.host));
    stage.list(&images.iter().map(pair).collect::<Vec<_>>());
    stage.run("mirror", &["--images", "list", "--format", "json"]).succeeded();
    let asked = |proxy: &Proxy| proxy.seen().into_iter().filter(|seen| seen.path != "/v2/").collect();
    [asked(&source), asked(&target)]
}

fn listed(requests: &[Seen]) -> String {
    requests.iter().map(|seen| format!("{} {}\n", seen.method, seen.path)).collect()
}

#[test]
fn many_small_images() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let mut images = Vec::new();
    for repository in 0..4 {
        for tag in 0..5 {
            let (name, tag) = (format!("small{repository}"), format!("v{tag}"));
            stage.source.push_image(&name, Some(&tag), false, &format!("{name} {tag}"));
            images.push(format!("{name}:{tag}"));
        }
    }
    let [source, target] = asked(&stage, &images);
    let count = |requests: &[Seen], method, part| {
        requests.iter().filter(|seen| seen.is(method, part)).count() as f64 / images.len() as f64
    };
    // The digest, its manifest, its blobs, and what might be attached to it.
    assert!(source.len() as f64 <= 8.5 * images.len() as f64, "{}", listed(&source));
    assert!((count(&source, "GET", "/manifests/") - 1.0).abs() < 0.01, "{}", listed(&source));
    // Each blob is looked for, announced and sent; the tag is looked at twice, and the manifest written once.
    assert!((target.len() as f64) <= 10.0 * images.len() as f64, "{}", listed(&target));
    assert!((count(&target, "PUT", "/manifests/") - 1.0).abs() < 0.01, "{}", listed(&target));
    for image in &images {
        let (name, tag) = image.split_once(':').unwrap();
        assert_eq!(closure(&stage.target.host, &format!("copy/{name}"), tag), 3);
    }
    // What is there costs a HEAD on either side.
    let [source, target] = asked(&stage, &images);
    assert_eq!((source.len(), target.len()), (images.len(), images.len()));
    assert!(source.iter().chain(&target).all(|seen| seen.method == "HEAD"));
}

/// The tag comes after everything, whatever is written beside it.
#[test]
fn the_tag_is_the_last_that_is_written() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (signed, _) = stage.source.push_image("signed", Some("1"), false, "signed");
    refer(&stage.source, "signed", &signed, 1, "application/spdx+json", true);
    let cosign = format!("{}.sig", signed.replace(':', "-"));
    stage.source.push_image("signed", Some(&cosign), false, "signature");
    stage.source.push_index("many", "1", false);
    stage.source.push_image("plain", Some("1"), false, "plain");
    for name in ["signed", "many", "plain"] {
        let [_, target] = asked(&stage, &[format!("{name}:1")]);
        let last = target.last().unwrap();
        assert_eq!((last.method.as_str(), &*last.path), ("PUT", &*format!("/v2/copy/{name}/manifests/1")));
        let before = &target[target.len() - 2];
        assert_eq!((before.method.as_str(), &before.path), ("HEAD", &last.path), "{}", listed(&target));
        // What the tag stands for was written by its digest before others refer to it.
        if name == "signed" {
            let at = |part: &str| target.iter().position(|seen| seen.is("PUT", part)).unwrap();
            assert!(at(&signed) < at(&cosign), "{}", listed(&target));
        }
    }
}
