//! Hostile inputs (rule F8): no abort, the right exit code, and peak memory within three times the input and 64
//! MiB. The inputs are made on the fly. `IMAGESWAP_HOSTILE_MIB` sets the size of the large ones (100).
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests stop at the first surprise and say why"
)]

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const MIB: usize = 1024 * 1024;

/// How long a run may take before it counts as hanging; generous, since this is no benchmark.
const PATIENCE: Duration = Duration::from_secs(240);

/// How a run ended.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    /// Peak resident memory, in bytes; as seen every millisecond.
    peak: usize,
    stderr: String,
}

fn large() -> usize {
    std::env::var("IMAGESWAP_HOSTILE_MIB").map_or(100, |mib| mib.parse().unwrap()) * MIB
}

/// Runs `imageswap` on `text`, rewriting a file in place.
fn rewrite(text: &str) -> (Run, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input.yaml");
    fs::write(&file, text).unwrap();
    let run = run(
        &["rewrite", "-q", "--no-sync", "--map", "docker.io::m.example", file.to_str().unwrap()],
        folder.path(),
    );
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 1, "{left:?}");
    (run, fs::read_to_string(&file).unwrap())
}

fn run(arguments: &[&str], folder: &Path) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    wait(command.args(arguments), folder, &arguments)
}

/// Runs `command` to its end and watches its memory.
fn wait(command: &mut Command, folder: &Path, name: &dyn std::fmt::Debug) -> Run {
    let errors = fs::File::create(folder.with_extension("stderr")).unwrap();
    let mut child = command.stdout(Stdio::null()).stderr(errors).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let started = Instant::now();
    let mut peak = 0;
    let code = loop {
        if let Ok(status) = fs::read_to_string(&status) {
            let high = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = high.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
            peak = peak.max(kib.unwrap_or_default() * 1024);
        }
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{name:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let mut stderr = String::new();
    let file = folder.with_extension("stderr");
    fs::File::open(&file).unwrap().read_to_string(&mut stderr).unwrap();
    fs::remove_file(&file).unwrap();
    Run { code, peak, stderr }
}

/// Asserts how a run on `text` ends, and that it was modest.
fn check(name: &str, text: &str, code: i32) -> String {
    check_with_images(name, text, code, 0)
}

/// The same for a text with many images, of which each is kept in the plan.
fn check_with_images(name: &str, text: &str, code: i32, images: usize) -> String {
    let started = Instant::now();
    let (run, after) = rewrite(text);
    let limit = 3 * text.len() + 64 * MIB + images * IMAGE;
    eprintln!(
        "{name}: {} MiB in {:.1?}, peak {} of {} MiB, exit {:?}",
        text.len() / MIB,
        started.elapsed(),
        run.peak / MIB,
        limit / MIB,
        run.code
    );
    let said: String = run.stderr.chars().take(600).collect();
    assert_eq!(run.code, Some(code), "{name}: {said}");
    assert!(run.peak <= limit, "{name}: peak {} MiB, more than {} MiB", run.peak / MIB, limit / MIB);
    assert!(run.stderr.len() < 4096, "{name}: {} bytes of messages: {said}", run.stderr.len());
    if code == 2 {
        assert!(said.starts_with("error: ") && said.contains("input.yaml:"), "{name}: {said}");
        assert!(after == text, "{name}: the file changed");
    }
    after
}

/// What the plan may keep of an image, in bytes.
const IMAGE: usize = 600;

const POD: &str = "kind: Pod\nspec:\n  containers:\n  - image: nginx\n";
const REWRITTEN: &str = "kind: Pod\nspec:\n  containers:\n  - image: m.example/nginx\n";

#[test]
fn alias_bombs() {
    let mut bomb = String::from("kind: Pod\na0: &a0 {image: nginx, name: boom}\n");
    for level in 1..=12 {
        let uses = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{uses}]\n"));
    }
    let unused = format!("{bomb}spec:\n  containers:\n  - image: redis\n");
    let (run, _) = rewrite(&unused);
    assert!(matches!(run.code, Some(0 | 2)), "{run:?}");
    assert!(run.peak <= 64 * MIB, "{} MiB: {run:?}", run.peak / MIB);
    for key in ["containers", "initContainers"] {
        let (run, _) = rewrite(&format!("{bomb}spec:\n  {key}: *a12\n"));
        assert!(matches!(run.code, Some(0 | 2)), "{run:?}");
        assert!(run.peak <= 64 * MIB, "{} MiB: {run:?}", run.peak / MIB);
    }
    let merges: String =
        (1..40).map(|level| format!("m{level}: &m{level} {{<<: [*m{0}, *m{0}]}}\n", level - 1)).collect();
    let merges = format!("kind: Pod\nm0: &m0 {{image: nginx}}\n{merges}spec:\n  containers:\n  - <<: *m39\n");
    let (run, _) = rewrite(&merges);
    assert!(matches!(run.code, Some(0 | 2)), "{run:?}");
    assert!(run.peak <= 64 * MIB, "{} MiB: {run:?}", run.peak / MIB);
}

#[test]
fn depth() {
    let deep = 20_000;
    let flow = |open: &str, close: &str| format!("{}{}", open.repeat(deep), close.repeat(deep));
    check("deep flow sequences", &format!("{POD}deep: {}\n", flow("[", "]")), 2);
    check("deep flow mappings", &format!("{POD}deep: {}\n", flow("{a: ", "}")), 2);
    check("deep flow, never closed", &format!("{POD}deep: {}\n", "[".repeat(deep)), 2);
    check("deep block sequences", &format!("{POD}deep:\n  {}a\n", "- ".repeat(deep)), 2);
    check("deep complex keys", &format!("{POD}deep:\n  {}a\n", "? ".repeat(deep)), 2);
    let json = |inner: &str| format!("{{\n\"kind\": \"Pod\", \"image\": 1,\n\"deep\": {inner}}}\n");
    check("deep JSON arrays", &json(&flow("[", "]")), 2);
    check("deep JSON objects", &json(&flow("{\"a\":", "}").replace("\":}", "\":1}")), 2);
    let block: String = (0..2000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    check("deep block mappings", &format!("{POD}---\nkind: Pod\nimage:\n{block}"), 2);
}

#[test]
fn an_unclosed_quote_behind_much_text() {
    let filler = "# a comment about nothing in particular, which is long enough\n";
    let mut text = String::from(POD);
    text.push_str("  - name: second\n");
    while text.len() < large() {
        text.push_str(filler);
    }
    text.push_str("    image: \"redis\n");
    check("unclosed quote behind comments", &text, 2);
    drop(text);
    let text = format!("{POD}note: \"{}\n", "unclosed ".repeat(large() / 9));
    check("unclosed quote of much text", &text, 2);
}

#[test]
fn many_documents() {
    let text = format!("---\n{POD}").repeat(300_000);
    let after = check_with_images("300,000 documents, each with an image", &text, 0, 300_000);
    assert!(after == format!("---\n{REWRITTEN}").repeat(300_000));
    drop((text, after));
    let text = format!("{}---\n{POD}", "---\na: image\n".repeat(300_000));
    let after = check("300,000 documents with one pod", &text, 0);
    assert!(after.ends_with(REWRITTEN));
}

/// What is found or noted of each would take hundreds of times the memory of the text.
#[test]
fn many_of_the_same() {
    let aliases = "  - image: *a\n".repeat(500_000);
    let anchor = "kind: Pod\nspec:\n  containers:\n  - image: &a nginx\n";
    let after = check("500,000 aliases of an image", &format!("{anchor}{aliases}"), 0);
    assert!(after == format!("{}{aliases}", anchor.replace("nginx", "m.example/nginx")));
    drop((aliases, after));
    let kinds = "kind: Pod\n".repeat(500_000);
    let after = check("500,000 duplicate keys", &format!("{POD}{kinds}"), 0);
    assert!(after == format!("{REWRITTEN}{kinds}"));
    drop((kinds, after));
    let image = "    image: redis\n";
    let text = format!("{POD}{}", image.repeat(500_000));
    let after = check_with_images("500,000 duplicate images", &text, 0, 500_000);
    assert!(after == text.replace("image: ", "image: m.example/"));
    drop((text, after));
    let empty = "\n".repeat(large() / 5);
    let after = check("a fifth of newlines", &format!("{POD}{empty}"), 0);
    assert!(after == format!("{REWRITTEN}{empty}"));
}

#[test]
fn long_keys() {
    let images = vec!["{\"image\":\"nginx\"}"; 20_000].join(",");
    let key = "k".repeat(500_000);
    let text = format!("{{\"kind\":\"Pod\",\"{key}\":{{\"containers\":[{images}]}}}}\n");
    let after = check_with_images("20,000 images below a key of 500 kB", &text, 0, 20_000);
    assert!(after == text.replace("nginx", "m.example/nginx"));
}

#[test]
fn many_keys() {
    let mut text = String::from(POD);
    for number in 0..1_000_000 {
        text.push_str(&format!("key{number}: v\n"));
    }
    let after = check("1,000,000 keys", &text, 0);
    assert!(after.starts_with(REWRITTEN) && after.len() == text.len() + "m.example/".len());
    let keys: Vec<String> = (0..1_000_000).map(|number| format!("\"k{number}\":1")).collect();
    let json = format!(
        "{{\"kind\":\"Pod\",\"spec\":{{\"containers\":[{{\"image\":\"nginx\"}}]}},{}}}\n",
        keys.join(",")
    );
    let after = check("1,000,000 keys of JSON", &json, 0);
    assert!(after.contains("\"m.example/nginx\""));
}

#[test]
fn large_scalars() {
    let long = "0123456789abcdef".repeat(large() / 16);
    let after = check("a large plain scalar", &format!("{POD}data: {long}\n"), 0);
    assert!(after.starts_with(REWRITTEN));
    check("a large quoted scalar", &format!("{POD}data: \"{long}\"\n"), 0);
    let lines = "    0123456789abcdef 0123456789abcdef 0123456789abcdef\n".repeat(large() / 55);
    check("a large literal scalar", &format!("{POD}data: |\n{lines}"), 0);
    drop(lines);
    check("a large image", &format!("kind: Pod\nspec:\n  containers:\n  - image: {long}\n"), 0);
    check("a large key", &format!("{POD}? {long}\n: a\n"), 0);
}

/// What takes a second for each image, or for each line, would not end in time here.
#[test]
fn long_lines() {
    let pod = |n: usize| {
        format!(
            "{{\"kind\":\"Pod\",\"metadata\":{{\"name\":\"p{n}\"}},\"spec\":{{\"containers\":[{{\"image\":\"nginx\"}}]}}}}"
        )
    };
    let items: Vec<_> = (0..100_000).map(pod).collect();
    let list = format!("{{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[{}]}}\n", items.join(","));
    let after = check_with_images("a List of 100,000 on one line of JSON", &list, 0, 100_000);
    assert!(after == list.replace("nginx", "m.example/nginx"));
    let flow = "{name: a, image: nginx}, ".repeat(200_000);
    let flow = format!("kind: Pod\nspec: {{containers: [{flow}]}}\n");
    let after = check_with_images("200,000 images on one flow line", &flow, 0, 200_000);
    assert!(after == flow.replace("nginx", "m.example/nginx"));
    let function = format!(
        "{{\"apiVersion\":\"config.kubernetes.io/v1\",\"kind\":\"ResourceList\",\"functionConfig\":{{\"apiVersion\":\"v1\",\
         \"kind\":\"ConfigMap\",\"data\":{{\"docker.io\":\"m.example\"}}}},\"items\":[{}]}}\n",
        items.join(",")
    );
    let folder = tempfile::tempdir().unwrap();
    for (name, text, arguments) in [("fn", &function, vec!["fn"]), ("images", &list, vec!["images", "-q"])] {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
        command.args(arguments);
        if name == "images" {
            command.arg(&file);
        } else {
            command.stdin(fs::File::open(&file).unwrap());
        }
        let run = wait(&mut command, folder.path(), &name);
        assert_eq!(run.code, Some(0), "{name}: {run:?}");
    }
}

#[test]
fn text_within_text() {
    let script = "    image: nginx\n".repeat(300_000);
    let text = format!("{POD}data:\n  script: |\n{script}");
    let after = check_with_images("a block scalar of 300,000 images", &text, 0, 300_000);
    assert!(after.starts_with(REWRITTEN) && after.ends_with(&script));
}

/// What looks at the whole text, or at all that is found in it, for each part of a chart would not end in time here. Where
/// a part has one image, it counts as another, and so does the registry that is put before one.
#[test]
fn many_parts_of_charts() {
    let operator =
        |body: &str| format!("---\napiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n{body}");
    let text = operator("spec: {values: {pilot: {image: 'docker.io/istio/pilot:1'}}}\n").repeat(20_000);
    let after = check_with_images("20,000 IstioOperators", &text, 0, 2 * 20_000);
    assert!(after == text.replace("docker.io", "m.example"));
    drop((text, after));

    let image = |number| format!("  c{number}: {{image: {{repository: a/b{number}, tag: '1'}}}}\n");
    let images: String = (0..20_000).map(image).collect();
    let text = operator(&format!("spec:\n{images}  global: {{imageRegistry: docker.io}}\n"));
    let after = check_with_images("20,000 images of one chart", &text, 0, 2 * 20_000);
    assert!(after == text.replace("docker.io", "m.example"));
    drop((text, after));

    let text = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio-sidecar-injector}\ndata:\n  config: |\n    \
                spec:\n    - image: \"docker.io/a/b:{{ .tag }}\"\n  values: '{\"a\": {\"image\": \"docker.io/a/b:1\"}}'\n"
        .repeat(20_000);
    let after = check_with_images("20,000 sidecar injectors", &text, 0, 40_000);
    assert!(after == text.replace("docker.io", "m.example"));
    drop((text, after));

    let template =
        |number| format!("      t{number}: |\n        spec:\n        - image: docker.io/a/b:{number}\n");
    let templates: String = (0..20_000).map(template).collect();
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio-sidecar-injector}}\ndata:\n  config: |\n    \
         templates:\n{templates}"
    );
    let after = check_with_images("a sidecar injector of 20,000 templates", &text, 0, 20_000);
    assert!(after == text.replace("docker.io", "m.example"));
}

#[test]
fn many_images_in_one_scalar() {
    let images: String =
        (0..50_000).map(|number| format!("            {number}=docker.io/a/b:{number}\n")).collect();
    let text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - image: \
         docker.io/a\n        env:\n        - name: STRIMZI_KAFKA_IMAGES\n          value: |\n{images}"
    );
    let after = check_with_images("a variable of 50,000 images", &text, 0, 50_000);
    assert!(after == text.replace("docker.io", "m.example"));
}

/// Of each four things are kept: the image, and of the entry its two names and its image.
#[test]
fn many_charts_in_releases() {
    let text = "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r}\nspec:\n  values:\n    \
                sidecar: {image: 'docker.io/a/b:1'}\n  postRenderers:\n  - kustomize:\n      images:\n      - name: \
                docker.io/a/b\n        newName: docker.io/a/c\n"
        .repeat(10_000);
    check_with_images("10,000 HelmReleases", &text, 0, 4 * 10_000);
    let text = "---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: r}\nspec:\n  source:\n    \
                helm:\n      values: |\n        image: docker.io/a/b:1\n    kustomize:\n      images: \
                [docker.io/a/b=docker.io/a/c:1]\n"
        .repeat(10_000);
    check_with_images("10,000 Applications", &text, 0, 4 * 10_000);
}

/// Each entry gives the name that the one before it is for; of each three things are kept: its two names, and its image.
#[test]
fn long_chains_of_kustomize_entries() {
    let entries: String = (0..10_000)
        .rev()
        .map(|number| format!("- {{name: docker.io/a/i{number}, newName: docker.io/a/i{}}}\n", number + 1))
        .collect();
    let pod = "---\napiVersion: v1\nkind: Pod\nspec: {containers: [{image: docker.io/a/i0}]}\n";
    let text =
        format!("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n{entries}{pod}");
    let after = check_with_images("a chain of 10,000 entries", &text, 0, 3 * 10_000);
    assert!(after == text.replace("docker.io", "m.example"));
}
