//! What each format gives, and what it leaves out.

use super::*;

fn imported(name: &str, text: &str, target: Option<&str>) -> Imported {
    import(ImportSource { name, text }, None, target).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The rules as lines, and the notes with their lines.
fn said(name: &str, text: &str) -> (Vec<String>, Vec<(usize, String)>) {
    let imported = imported(name, text, Some("m.example/all"));
    let notes = imported.notes.into_iter().map(|note| (note.line, note.message)).collect();
    (imported.rules.iter().map(ToString::to_string).collect(), notes)
}

#[test]
fn a_kustomization() {
    let (rules, notes) = said(
        "kustomization.yaml",
        "images:\n- name: nginx\n  newName: m.io/nginx\n- name: quay.io/a/b\n  newName: m.io/b\n  newTag: \"2\"\n",
    );
    assert_eq!(rules, ["docker.io/library/nginx::m.io/nginx", "quay.io/a/b::m.io/b"]);
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].0, 6);
    assert!(notes[0].1.contains("[EXACT]quay.io/a/b:OLD::NEW"), "{notes:?}");
}

#[test]
fn mirror_sets() {
    let text = "kind: ImageDigestMirrorSet\nspec:\n  imageDigestMirrors:\n  - source: docker.io\n    mirrors: [m.io/hub, n.io]\n  - source: '*.redhat.io'\n    mirrors: [m.io]\n  - source: quay.io/x\n";
    let (rules, notes) = said("idms.yaml", text);
    assert_eq!(rules, ["docker.io::m.io/hub/{path}"]);
    let lines: Vec<usize> = notes.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [5, 4, 6, 8], "{notes:?}");
    let (rules, _) = said(
        "icsp.yaml",
        "kind: ImageContentSourcePolicy\nspec:\n  repositoryDigestMirrors:\n  - source: quay.io/x\n    mirrors: [m.io/x]\n",
    );
    assert_eq!(rules, ["quay.io/x::m.io/x"]);
}

#[test]
fn registries_conf() {
    let text = r#"
unqualified-search-registries = ["docker.io"]
[[registry]]
prefix = "quay.io/team"
location = "m.io/team"
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "m.io/hub"
pull-from-mirror = "digest-only"
[[registry]]
prefix = "ghcr.io"
blocked = true
[[registry]]
prefix = "gcr.io/mine"
location = "gcr.io/mine"
"#;
    let (rules, notes) = said("registries.conf", text);
    assert_eq!(rules, ["quay.io/team::m.io/team", "docker.io::m.io/hub/{path}", "gcr.io/mine::"]);
    let lines: Vec<usize> = notes.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 10, 12], "{notes:?}");
    let old = ImportSource { name: "registries.conf", text: "[registries.search]\nregistries = ['a']" };
    assert!(import(old, None, None).unwrap_err().to_string().contains("version 1"));
}

#[test]
fn hosts_toml() {
    let override_path =
        "[host.\"https://m.io/v2/quay\"]\ncapabilities = [\"pull\", \"resolve\"]\noverride_path = true\n";
    assert_eq!(said("certs.d/quay.io/hosts.toml", override_path).0, ["quay.io::m.io/quay"]);
    assert_eq!(said("c/docker.io/hosts.toml", "[host.\"https://m.io\"]\n").0, ["docker.io::m.io/{path}"]);
    assert_eq!(said("c/reg_5000_/hosts.toml", "[host.\"http://m.io:80\"]\n").0, ["reg:5000::m.io:80"]);
    let default = said("c/_default/hosts.toml", "[host.\"https://m.io\"]\n");
    assert_eq!(default.0, ["default::m.io/{registry}/{path}"]);
    let (rules, notes) = said(
        "c/quay.io/hosts.toml",
        "[host.\"https://m.io/x\"]\n[host.\"https://p.io\"]\ncapabilities=['push']\n",
    );
    assert!(rules.is_empty());
    assert_eq!(notes.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 0]);
    let bare = ImportSource { name: "hosts.toml", text: "" };
    assert!(matches!(import(bare, None, None), Err(ImportError::NoRegistry { .. })));
}

#[test]
fn locks_and_relocations() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let lock = format!(
        "kind: ImagesLock\nimages:\n- image: m.io/a@{digest}\n  annotations:\n    kbld.carvel.dev/id: nginx:1\n- image: m.io/b@{digest}\n"
    );
    let (rules, notes) = said("images.yml", &lock);
    assert_eq!(rules, [format!("[EXACT]nginx:1::m.io/a@{digest}")]);
    assert_eq!(notes[0].0, 6);
    let (rules, _) = said("relocation-mapping.json", r#"{"a/b:1": "m.io/a/b:1"}"#);
    assert_eq!(rules, ["[EXACT]a/b:1::m.io/a/b:1"]);
    let (rules, _) = said(
        "kbld.yml",
        "kind: Config\noverrides:\n- image: nginx\n  newImage: m.io/nginx:1\n  preresolved: true\n",
    );
    assert_eq!(rules, ["[EXACT]nginx::m.io/nginx:1"]);
}

#[test]
fn lists_need_a_target() {
    let zarf = "kind: ZarfPackageConfig\ncomponents:\n- name: a\n  images: [nginx:1, quay.io/a/b, 'reg:5000/x', docker.io/c, '!']\n";
    let (rules, notes) = said("zarf.yaml", zarf);
    let value = "m.example/all/{registry}/{path}";
    assert_eq!(rules, ["docker.io", "quay.io", "reg:5000"].map(|key| format!("{key}::{value}")));
    assert_eq!(notes.len(), 1);
    let source = ImportSource { name: "zarf.yaml", text: zarf };
    assert!(matches!(import(source, None, None), Err(ImportError::NoTarget { .. })));
    assert!(matches!(import(source, None, Some("a b")), Err(ImportError::BadTarget { .. })));
    let chart =
        "name: x\nannotations:\n  artifacthub.io/images: |\n    - name: web\n      image: ghcr.io/a/b:1\n";
    assert_eq!(said("Chart.yaml", chart).0, [format!("ghcr.io::{value}")]);
}

#[test]
fn what_cannot_be_told_is_an_error() {
    for text in ["a: [", "kind: Pod", "", "text"] {
        let source = ImportSource { name: "x.yaml", text };
        assert_eq!(
            import(source, None, None),
            Err(ImportError::UnknownFormat { file: "x.yaml".into() }),
            "{text}"
        );
    }
    let broken = ImportSource { name: "x", text: "images: [a" };
    let error = import(broken, Some(ImportFormat::Kustomize), None).unwrap_err().to_string();
    assert!(error.starts_with("x: not a readable Kustomization: "), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn what_is_written_is_a_maps_file() {
    let text = "images:\n- name: nginx\n  newName: m.io/nginx\n- name: b\n  newName: \"x\\ny\"\n";
    let maps = imported("kustomization.yaml", text, None).to_maps("a\nb");
    assert!(
        maps.starts_with("# from a\\nb\ndocker.io/library/nginx::m.io/nginx\n# not imported: line 4: "),
        "{maps}"
    );
    let parsed = Maps::parse(&[MapsText::new("m", maps.as_str())], ParseOptions::default()).unwrap();
    assert_eq!(parsed.maps.rules().count(), 1);
}
