//! Every line of JSON that `rewrite` prints fits docs/reports.schema.json: the golden cases' output, and runs that show
//! each type.
#![allow(clippy::unwrap_used)]

mod registry_support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use registry_support::program;
use registry_support::real::{Auth, Registry};
use serde_json::Value;

/// Why `value` does not fit `schema`; the part of JSON Schema that the file uses. Unknown words fail the test.
fn misfit(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    let words = schema.as_object().unwrap();
    let wrong = |why: String| Some(format!("{why}: {value}"));
    for (word, argument) in words {
        let found = match word.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => None,
            "$ref" => {
                let name = argument.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                misfit(root, &root["$defs"][name], value)
            }
            "type" => {
                let types: Vec<&str> = match argument {
                    Value::String(one) => vec![one],
                    many => many.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect(),
                };
                (!types.iter().any(|name| is_a(value, name))).then(|| format!("{value} is not {types:?}"))
            }
            "const" => (value != argument).then(|| format!("{value} is not {argument}")),
            "enum" => (!argument.as_array().unwrap().contains(value))
                .then(|| format!("{value} is none of {argument}")),
            "minimum" => (value.as_u64() < argument.as_u64()).then(|| format!("{value} is too small")),
            "required" => {
                let missing = argument
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|key| value.get(key.as_str().unwrap()).is_none());
                missing.and_then(|key| wrong(format!("{key} is missing")))
            }
            "properties" => {
                let named = argument.as_object().unwrap().iter();
                let mut found = named.filter_map(|(key, schema)| misfit(root, schema, value.get(key)?));
                found.next()
            }
            "additionalProperties" => {
                let known = words.get("properties").and_then(Value::as_object);
                let mut others = value
                    .as_object()
                    .unwrap()
                    .iter()
                    .filter(|(key, _)| known.is_none_or(|known| !known.contains_key(*key)));
                others.find_map(|(key, value)| match argument {
                    Value::Bool(false) => Some(format!("{key} is not known")),
                    schema => misfit(root, schema, value),
                })
            }
            "allOf" => argument.as_array().unwrap().iter().find_map(|schema| misfit(root, schema, value)),
            "oneOf" => {
                let why: Vec<_> =
                    argument.as_array().unwrap().iter().map(|schema| misfit(root, schema, value)).collect();
                let fitting = why.iter().filter(|why| why.is_none()).count();
                (fitting != 1).then(|| format!("{fitting} alternatives fit {value}: {why:?}"))
            }
            other => panic!("the schema's {other} is not checked"),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => panic!("type {name}"),
    }
}

fn schema() -> Value {
    serde_json::from_str(&fs::read_to_string("docs/reports.schema.json").unwrap()).unwrap()
}

const MANIFEST: &str = "\
kind: Pod
metadata: {name: a}
spec:
  containers:
  - {name: a, image: nginx}
  - {name: b, image: quay.io/kept}
  - {name: c, image: '{{ x }}'}
  - {name: d, image: ghcr.io/other/app}
  - {name: e, image: quay.io/team/app, image: nginx}
  - {name: f, image: gcr.io/a/b, env: [{name: X, value: 'registry.k8s.io/pause:3'}]}
";

#[test]
fn real_output_fits_the_schema() {
    let schema = schema();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), MANIFEST).unwrap();
    fs::write(folder.path().join("broken.yaml"), "kind: Pod\nimage: [\n").unwrap();
    fs::write(folder.path().join("latin.yaml"), b"kind: Pod\nimage: \xe9\n").unwrap();
    let maps = [
        "--map",
        "docker.io::m.example.com",
        "--map",
        "quay.io/kept::",
        "--map",
        "gcr.io::g.example.com",
        "--map",
        "g.example.com/a::h.example.com",
    ];
    let mut seen = BTreeSet::new();
    let mut statuses = BTreeSet::new();
    let unreadable = ["--map", "nothing"];
    for (paths, maps, flags) in [
        (".", &maps[..], &["--check", "-v", "--on-mention", "warn"][..]),
        (".", &maps[..], &["--check", "--strict", "--on-unmapped", "error"][..]),
        ("a.yaml", &maps[..], &["--diff", "--on-unmapped", "warn"][..]),
        ("a.yaml", &maps[..], &["--keep-going"][..]),
        (".", &unreadable[..], &[][..]),
        ("missing", &maps[..], &[][..]),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_imageswap"))
            .args(["rewrite", "--format", "json"])
            .args(maps)
            .args(flags)
            .arg(paths)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.is_empty(), "{flags:?}: {}", String::from_utf8_lossy(&output.stderr));
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(misfit(&schema, &schema, &value), None, "{line}");
            seen.insert(value["type"].as_str().unwrap().to_owned());
            statuses.extend(value["status"].as_str().map(str::to_owned));
        }
    }
    let all = ["change", "diff", "error", "kept", "note", "skip", "summary", "warning"];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), all);
    for status in ["ok", "templated", "chained", "unmapped", "unchecked"] {
        assert!(statuses.contains(status), "{status} is not among {statuses:?}");
    }
}

/// The lines of JSON in the golden cases of `rewrite`.
#[test]
fn the_golden_cases_fit_the_schema() {
    let schema = schema();
    let mut checked = 0;
    for entry in fs::read_dir("tests/cmd").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = match path.extension() {
            Some(extension) if extension == "toml" => fs::read_to_string(&path).unwrap(),
            _ => continue,
        };
        if !text.contains("args = [\"rewrite\"") || !text.contains("\"json\"") {
            continue;
        }
        // The cases hold `/` for every backslash, and so no strings with escapes.
        let is_line =
            |line: &&str| line.starts_with("{\"type\"") && !line.contains("/\"") && !line.contains("/n");
        for line in text.lines().filter(is_line) {
            let value: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {line}: {error}"));
            assert_eq!(misfit(&schema, &schema, &value), None, "{name}");
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked}");
}

/// The lines of `verify` and `lock diff`: what is good, drifted, missing, and cannot be asked for.
#[test]
fn what_is_said_of_digests_fits_the_schema() {
    let Some(program) = program::find("docker-registry") else { return };
    let schema = schema();
    let (storage, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let registry = Registry::start(&program, storage.path(), &Auth::Open, None);
    let host = &registry.host;
    let push = |image: &str, words: &str| registry.push_image(image, Some("1"), false, words).0;
    let (good, old) = (push("good", "good"), push("moved", "old"));
    push("gone", "gone");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let entry = |image: &str, digest: &str| {
        let (host, name) = image.rsplit_once('/').unwrap();
        format!(
            "- image: {host}/{name}@{digest}\n  annotations:\n    imageswap.dev/target: {image}:1\n    \
             kbld.carvel.dev/id: {image}:1\n"
        )
    };
    let images = ["good", "moved", "nowhere"].map(|name| format!("{host}/{name}"));
    let [ours, moved, nowhere] = &images;
    let dead = format!("{closed}/dead");
    let entries = [entry(&dead, &good), entry(ours, &good), entry(moved, &old), entry(nowhere, &good)];
    let text =
        format!("apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n{}", entries.concat());
    fs::write(folder.path().join("imageswap.lock"), text).unwrap();
    let new = push("moved", "new");
    let pod: String = [ours, moved, nowhere, &dead]
        .iter()
        .map(|image| format!("  - image: {image}:1\n"))
        .collect::<Vec<_>>()
        .concat();
    let pod = format!("kind: Pod\nspec:\n  containers:\n{pod}  - image: {moved}:1@{old}\n");
    fs::write(folder.path().join("pod.yaml"), pod).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
        let output = command.args(arguments).current_dir(folder.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for line in &lines {
            assert_eq!(misfit(&schema, &schema, line), None, "{line}");
        }
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "everything is in the report");
        (output.status.code(), lines)
    };
    let statuses = |lines: &[Value]| {
        let all =
            lines.iter().filter_map(|line| Some(format!("{} {}", line["image"].as_str()?, line["status"])));
        all.map(|line| line.replace([':', '"'], "").replace(&host.replace(':', ""), "H"))
            .collect::<BTreeSet<_>>()
    };
    let dead = dead.replace(':', "");
    let (code, lines) = run(&["lock", "diff", "--format", "json"]);
    assert_eq!(code, Some(2));
    let want = ["H/good1 same", "H/moved1 changed", "H/nowhere1 missing", &format!("{dead}1 failed")];
    assert_eq!(statuses(&lines), want.map(str::to_owned).into());
    let changed = lines.iter().find(|line| line["status"] == "changed").unwrap();
    assert_eq!((&changed["locked"], &changed["digest"]), (&old.clone().into(), &new.clone().into()));
    let summary =
        serde_json::json!({"type": "summary", "entries": 4, "changed": 1, "missing": 1, "failed": 1});
    assert_eq!(lines.last(), Some(&summary));

    let map = ["--map", "nowhere.example::x.example"];
    let (code, lines) = run(&["verify", "pod.yaml", map[0], map[1], "--format", "json"]);
    assert_eq!(code, Some(2));
    let pinned = format!("H/moved1@{} drifted", old.replace(':', ""));
    let want = ["H/good1 ok", "H/moved1 ok", "H/nowhere1 missing", &pinned, &format!("{dead}1 failed")];
    assert_eq!(statuses(&lines), want.map(str::to_owned).into());
    let summary =
        serde_json::json!({"type": "summary", "images": 5, "drifted": 1, "missing": 1, "failed": 1});
    assert_eq!(lines.last(), Some(&summary));
    let lock = ["--lock", "imageswap.lock"];
    let (_, lines) = run(&["verify", "pod.yaml", map[0], map[1], lock[0], lock[1], "--format", "json"]);
    let moved = lines.iter().find(|line| line["image"] == format!("{moved}:1")).unwrap();
    assert_eq!(moved["expectedBy"], serde_json::json!({"kind": "lock", "name": "imageswap.lock"}));
    assert_eq!((&moved["expected"], &moved["digest"]), (&old.into(), &new.into()));
}

/// A checker that finds nothing would pass everything above.
#[test]
fn the_schema_refuses_what_is_wrong() {
    let schema = schema();
    for line in [
        r#"{}"#,
        r#"{"type":"change"}"#,
        r#"{"type":"strange","file":"x","message":"y"}"#,
        r#"{"type":"error","file":"x","message":"y","extra":1}"#,
        r#"{"type":"error","file":1,"message":"y"}"#,
        r#"{"type":"diff","file":"x"}"#,
        r#"{"type":"error","file":"-","document":0,"path":"a","line":2,"column":1,"start":1,"end":2,"image":"a","apiVersion":null,"kind":null,"namespace":null,"name":null,"place":"container","status":"ok","message":"m"}"#,
    ] {
        let value: Value = serde_json::from_str(line).unwrap();
        assert!(misfit(&schema, &schema, &value).is_some(), "{line}");
    }
}

/// The lines of `mirror`, as far as they need no registry: `tests/mirror` has the others.
#[test]
fn mirror_fits_the_schema() {
    let schema = schema();
    let folder = tempfile::tempdir().unwrap();
    let image = "127.0.0.1:1/app";
    fs::write(folder.path().join("list"), format!("{image}:1 127.0.0.1:1/copy:1\n{image}:2 no:such:image\n"))
        .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_imageswap"))
        .args(["mirror", "--images", "list", "--format", "json", "--dry-run"])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut seen = Vec::new();
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(misfit(&schema, &schema, &value), None, "{line}");
        seen.push(value["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen, ["image", "summary"]);
}
