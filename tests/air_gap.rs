//! Every command of docs/air-gap.md, in the order in which a reader runs them, with real registries. The one outside is
//! gone when the reader is inside.
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise and say why")]

mod registry_support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use registry_support::http;
use registry_support::real::{Kind, Registry};
use tempfile::TempDir;

const OUTSIDE: &str = "registry.example.com";
const INSIDE: &str = "registry.site.example";

/// The sections of a text, with what their `sh` blocks say.
fn sections(text: &str) -> Vec<(String, Vec<String>)> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    let mut block: Option<String> = None;
    let mut other = false;
    for line in text.lines() {
        match &mut block {
            Some(lines) if line == "```" => {
                sections.last_mut().unwrap().1.push(std::mem::take(lines));
                block = None;
            }
            Some(lines) => lines.push_str(&format!("{line}\n")),
            None if other => other = line != "```",
            None if line == "```sh" => block = Some(String::new()),
            None if line.starts_with("```") => other = true,
            None => {
                if let Some(title) = line.strip_prefix("## ") {
                    sections.push((title.to_owned(), Vec::new()));
                }
            }
        }
    }
    sections
}

struct Reader {
    folder: TempDir,
    outside: String,
    inside: String,
}

impl Reader {
    fn run(&self, block: &str) -> String {
        let block = block.replace(OUTSIDE, &self.outside).replace(INSIDE, &self.inside);
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", &block]).current_dir(self.folder.path()).env_clear();
        command.env("PATH", format!("{}:/usr/bin:/bin", self.folder.path().join("bin").display()));
        let output = command.env("HOME", self.folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{block}\n{said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn size(&self, name: &str) -> u64 {
        fs::metadata(self.folder.path().join(name)).unwrap().len()
    }
}

fn status(registry: &Registry, path: &str) -> u16 {
    let accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";
    http::request(&registry.host, "GET", path, &[("Accept", accept)], b"").status
}

#[test]
fn a_reader_gets_from_nothing_to_a_site() {
    let storage = TempDir::new().unwrap();
    let registry = |name: &str| Registry::of(Kind::Docker, &storage.path().join(name));
    let (Some(outside), Some(inside)) = (registry("outside"), registry("inside")) else { return };
    let base = "x".repeat(300_000);
    for version in ["2.1", "2.2"] {
        for name in ["shop/migrate", "shop/web"] {
            // The first layer is the same in all of them.
            outside.push_layers(name, version, &[&base, &format!("{name} {version}")], "");
        }
    }
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("bin")).unwrap();
    symlink(env!("CARGO_BIN_EXE_imageswap"), folder.path().join("bin/imageswap")).unwrap();
    let reader = Reader { folder, outside: outside.host.clone(), inside: inside.host.clone() };
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/air-gap.md")).unwrap();
    let mut count = 0;
    for (title, blocks) in sections(&text) {
        for block in &blocks {
            // Nothing answers from outside to who is inside.
            if title.starts_with("Inside") || block.contains("--from-layout") {
                outside.pause();
            } else {
                outside.resume();
            }
            reader.run(block);
            count += 1;
        }
        if title.starts_with("Inside") {
            arrived(&reader, &inside, "2.1");
            assert!(reader.read("site/imageswap.yaml").contains("kind: MutatingWebhookConfiguration"));
            assert!(reader.size("site.tar") > 300_000);
        } else if title == "The next time" {
            arrived(&reader, &inside, "2.2");
            assert!(reader.size("update.tar") < 100_000, "the first layer stays at home");
        }
    }
    assert!(count >= 10, "{count} blocks");
}

/// The manifests name what is in the registry of the site.
fn arrived(reader: &Reader, inside: &Registry, version: &str) {
    let manifests = reader.read("site/manifests/shop.yaml");
    for name in ["migrate", "web"] {
        let image = format!("image: {}/mirror/shop/{name}:{version}@sha256:", reader.inside);
        assert!(manifests.contains(&image), "{manifests}");
        assert_eq!(status(inside, &format!("/v2/mirror/shop/{name}/manifests/{version}")), 200);
    }
}
