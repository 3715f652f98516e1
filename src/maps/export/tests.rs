//! What each format gives, and what it leaves out.

use super::*;
use crate::maps::import::{ImportFormat, ImportSource, import};
use crate::maps::{MapsText, ParseOptions};

fn maps(text: &str) -> Maps {
    Maps::parse(&[MapsText::new("m", text)], ParseOptions::default()).unwrap().maps
}

const ALL_KINDS: &str = "docker.io::m.io/hub\nquay.io::m.io/{registry}/{path}\nquay.io/team::n.io/t\ngcr.io::\nreg:5000::m.io/x-\nghcr.io::m.io/{name}\ndefault::m.io\nnoswap_wildcards::a\n[EXACT]a:1::b:2\n[REPLACE]x*::m.io\n";

/// The lines of the rules that a format cannot say whole.
fn noted(exported: &Exported) -> Vec<&str> {
    exported.notes.iter().map(|note| note.rule.split("(m:").nth(1).unwrap().trim_end_matches(')')).collect()
}

#[test]
fn registries_conf() {
    let exported = export(&maps(ALL_KINDS), ExportFormat::RegistriesConf);
    assert_eq!(noted(&exported), ["1", "6", "7", "8", "9", "10"]);
    let text = &exported.files[0].text;
    assert!(text.contains("prefix = \"quay.io/team\"\nlocation = \"quay.io/team\"\n\n[[registry.mirror]]\nlocation = \"n.io/t\"\n"), "{text}");
    let source = ImportSource { name: "r.conf", text };
    let back = import(source, Some(ImportFormat::RegistriesConf), None).unwrap();
    let rules: Vec<String> = back.rules.iter().map(ToString::to_string).collect();
    let want = ["docker.io::m.io/hub/{path}", "quay.io::m.io/quay.io", "quay.io/team::n.io/t", "gcr.io::"];
    assert_eq!(rules[..4], want);
    assert_eq!(rules[4], "reg:5000::m.io/x-reg");
}

#[test]
fn hosts_toml_reads_back() {
    let exported = export(
        &maps("docker.io::m.io/hub/{path}\nquay.io::m.io\nquay.io/a::b.io\ngcr.io::\n"),
        ExportFormat::HostsToml,
    );
    let paths: Vec<&str> = exported.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["docker.io/hosts.toml", "quay.io/hosts.toml", "gcr.io/hosts.toml"]);
    assert_eq!(noted(&exported), ["3"]);
    let back = |file: &ExportedFile| {
        let path = format!("certs.d/{}", file.path);
        let source = ImportSource { name: &path, text: &file.text };
        import(source, Some(ImportFormat::HostsToml), None).unwrap().rules
    };
    assert_eq!(back(&exported.files[0])[0].to_string(), "docker.io::m.io/hub/{path}");
    assert_eq!(back(&exported.files[1])[0].to_string(), "quay.io::m.io");
    assert!(back(&exported.files[2]).is_empty());
}

#[test]
fn mirror_sets_read_back() {
    for format in [ExportFormat::ImageDigestMirrorSet, ExportFormat::ImageTagMirrorSet] {
        let exported = export(&maps("quay.io::m.io/q\ngcr.io::\n"), format);
        assert_eq!(noted(&exported), ["2"]);
        let source = ImportSource { name: "x.yaml", text: &exported.files[0].text };
        let back = import(source, Some(ImportFormat::MirrorSet), None).unwrap();
        assert_eq!(back.rules[0].to_string(), "quay.io::m.io/q");
    }
}

#[test]
fn kustomize_takes_repositories() {
    let exported = export(
        &maps("docker.io/library/nginx::m.io/nginx\nquay.io::m.io\nquay.io/a/b::m.io/b\n"),
        ExportFormat::Kustomize,
    );
    assert_eq!(
        exported.files[0].text,
        "images:\n- name: nginx\n  newName: m.io/nginx\n- name: quay.io/a/b\n  newName: m.io/b\n"
    );
    assert_eq!(noted(&exported), ["1", "2", "3"]);
}

#[test]
fn kyverno_takes_the_longest_prefix_first() {
    let exported = export(&maps(ALL_KINDS), ExportFormat::Kyverno);
    assert_eq!(noted(&exported), ["6", "7", "8", "9", "10"]);
    let text = &exported.files[0].text;
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} in {text}"));
    assert!(at("n[1].startsWith('quay.io/team/')") < at("n[1].startsWith('quay.io/') ?"), "{text}");
    assert!(text.contains("n[1].startsWith('docker.io/') ? 'm.io/hub' + n[0].substring(9) :"), "{text}");
    assert!(text.contains("n[1].startsWith('gcr.io/') ? c.image :"), "{text}");
}
