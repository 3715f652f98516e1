//! The promises for files that are no manifests, over generated ones: Helm values and templates, Compose, Skaffold, GitLab CI,
//! GitHub workflows, and values that stand as text in a manifest. Twice is once; what is read before and after differs in
//! images alone; and each image is what the maps make of it. `PROPTEST_CASES` sets how many cases are tried.
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use imageswap::image::ImageReference;
use imageswap::manifest::{Chart, FieldPath, PathFormat, edit, path_formats, tree};
use imageswap::maps::{Maps, MapsText, ParseOptions};
use imageswap::rewrite::{Engine, Memory, Plan};
use proptest::prelude::*;
use proptest::sample::select;

const MAPS: &[&str] = &[
    "docker.io::m.example/hub\nquay.io::m.example/quay\n",
    "default::m.example:5000/{registry}/{path}\n",
    "quay.io/team::m.example/t\ndocker.io::m.example/hub/{path}\n",
    "[EXACT]quay.io/team/app:v1::m.example/one:v9\ndefault::m.example\n",
    "other.example::m.example\n",
];

fn engine(maps: &str) -> Engine {
    let maps = Maps::parse(&[MapsText::new("maps", maps)], ParseOptions::default()).unwrap().maps;
    Engine { maps: maps.into(), ..Engine::default() }
}

/// What the maps make of a whole reference.
fn becomes(engine: &Engine, image: &str) -> String {
    let decision = engine.maps.decide(&ImageReference::parse(image).unwrap());
    decision.outcome.changed().unwrap_or(image).to_owned()
}

fn applied(text: &str, plan: &Plan) -> String {
    assert!(plan.errors.is_empty(), "{:?}\n{text}", plan.errors);
    edit::apply(text, &plan.edits()).unwrap()
}

/// The scalars of all documents, with the ways to them.
fn leaves(text: &str) -> Vec<(FieldPath, String)> {
    let mut leaves = Vec::new();
    for tree in tree::read(text).unwrap() {
        let root = tree.root.unwrap();
        root.each_scalar(&mut |scalar, path| leaves.push((path.clone(), scalar.value.clone().into_owned())));
    }
    leaves
}

/// `text` with a word in place of each placeholder.
fn filled(text: &str) -> String {
    let mut rest = text.to_owned();
    for (open, close) in [("{{", "}}"), ("${", "}")] {
        while let Some(start) = rest.find(open) {
            let end = start + rest[start..].find(close).unwrap() + close.len();
            rest.replace_range(start..end, "w1");
        }
    }
    rest
}

/// An image of values, in the keys that charts have for it.
#[derive(Debug, Clone)]
struct Parts {
    registry: Option<&'static str>,
    repository: &'static str,
    tag: Option<&'static str>,
    key: &'static str,
    quote: &'static str,
    flow: bool,
}

impl Parts {
    fn name(&self) -> String {
        self.registry.map_or(self.repository.to_owned(), |registry| format!("{registry}/{}", self.repository))
    }

    fn text(&self, number: usize) -> String {
        let Self { key, quote, .. } = self;
        let scalar = |name: &str, value: &str| format!("{name}: {quote}{value}{quote}");
        let entries: Vec<String> = (self.registry.map(|registry| scalar("registry", registry)).into_iter())
            .chain([scalar("repository", self.repository)])
            .chain(self.tag.map(|tag| scalar("tag", tag)))
            .chain(["pullPolicy: Always".to_owned()])
            .collect();
        if self.flow {
            return format!("a{number}:\n  {key}: {{{}}} # image: not/this:1\n", entries.join(", "));
        }
        format!("a{number}:\n  {key}:\n    {}\n  port: 80\n", entries.join(" # registry: quay.io\n    "))
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let name = prop_oneof![
        (
            select(vec!["docker.io", "quay.io", "localhost:5000"]),
            select(vec!["team/app", "library/nginx", "x/y/z"])
        )
            .prop_map(|(registry, repository)| (Some(registry), repository)),
        select(vec!["quay.io/team/app", "team/app", "nginx", "localhost:5000/a"])
            .prop_map(|name| (None, name)),
    ];
    let tag = select(vec![Some("v1"), Some("1.20"), Some("latest"), None]);
    (name, tag, select(vec!["image", "sidecarImage"]), select(vec!["", "'", "\""]), any::<bool>()).prop_map(
        |((registry, repository), tag, key, quote, flow)| Parts {
            registry,
            repository,
            tag,
            key,
            quote,
            flow,
        },
    )
}

/// A line of a template.
fn line() -> impl Strategy<Value = String> {
    let values = select(vec![
        "quay.io/team/app:{{ .Values.tag }}",
        "\"quay.io/team/app:{{ .Values.tag | default \"1\" }}\" # why",
        "docker.io/team/{{ .Values.name }}:v1",
        "'quay.io/team/app-{{ .x }}:v1'",
        "{{ .Values.image }}",
        "quay.io/team/app:v1",
        "docker.io/library/nginx:1{{- end }}",
        "nginx:{{ .t }}",
    ]);
    let key =
        select(vec!["image", "- image", "sidecarImage", "value", "- name", "# image", "{{ if .x }}image"]);
    let other = select(vec!["{{- if .x }}", "{{/* image: quay.io/team/app:v1 */}}", "kind: Pod", ""]);
    prop_oneof![
        4 => (0..5_usize, key, values).prop_map(|(indent, key, value)| {
            format!("{}{key}: {value}", " ".repeat(indent))
        }),
        1 => other.prop_map(str::to_owned),
    ]
}

/// A file of a format with places of images, and of others that look like them.
fn file() -> impl Strategy<Value = (&'static PathFormat, String)> {
    let image = select(vec![
        "quay.io/team/app:v1",
        "nginx",
        "docker.io/library/redis:7",
        "quay.io/a/b:${TAG}",
        "x/y@sha256:\
         0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ]);
    let format = select(path_formats().collect::<Vec<_>>());
    (format, prop::collection::vec(image, 6), select(vec!["'", "\""]), any::<bool>()).prop_map(
        |(format, images, quote, crlf)| {
            let [a, b, c, d, e, f] = std::array::from_fn(|number| {
                if images[number].contains('$') { format!("{quote}{}{quote}", images[number]) } else { images[number].into() }
            });
            let text = match format.name {
                "compose" => format!(
                    "x-note: {a}\nservices:\n  web:\n    image: {b} # the web\n    hostname: {c}\n    build: .\n  db: {{image: {d}, \
                     links: [{e}]}}\nimage: {f}\n"
                ),
                "skaffold" => format!(
                    "build:\n  artifacts:\n  - image: {a}\n    docker: {{cacheFrom: [{b}], target: {c}}}\n  - image: {d}\n    \
                     context: x\nprofiles:\n- build:\n    artifacts:\n    - image: {e}\nnote: {f}\n"
                ),
                "gitlab-ci" => format!(
                    "image: {a}\nvariables: {{X: {b}}}\njob:\n  image:\n    name: {c}\n  services:\n  - {d}\n  - name: {e}\n    alias: \
                     db\n  script:\n  - docker run {f}\n"
                ),
                "github-workflows" => format!(
                    "on: push\njobs:\n  j:\n    container: {a}\n    services:\n      db: {{image: {b}}}\n    steps:\n    - uses: \
                     actions/checkout@v4\n    - uses: {quote}docker://{}{quote}\n    - run: {d}\n      with: {{x: {e}}}\n  k: \
                     {{container: {{image: {f}}}}}\n",
                    images[2]
                ),
                other => panic!("no files are made of {other}"),
            };
            (format, if crlf { text.replace('\n', "\r\n") } else { text })
        },
    )
}

/// A text as a scalar below `values:`, in one of several styles.
fn embedded(text: &str, style: usize) -> String {
    let one_line = || text.replace('\n', " ");
    match style {
        0 => format!("|-\n    {}", text.replace('\n', "\n    ")),
        1 => format!("'{}'", one_line()),
        2 => format!("\"{}\"", one_line().replace('"', "\\\"")),
        _ => format!(">\n    {}", text.replace('\n', "\n\n    ")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn values_put_together_the_mapped_images(all in prop::collection::vec(parts(), 1..5), maps in select(MAPS)) {
        let text: String = all.iter().enumerate().map(|(number, parts)| parts.text(number)).collect();
        let engine = engine(maps);
        let plan = engine.plan_values(&text, &Chart::default(), true, &mut Memory::default());
        prop_assert!(plan.problems.is_empty());
        let new = applied(&text, &plan);
        let again = engine.plan_values(&new, &Chart::default(), true, &mut Memory::default());
        prop_assert_eq!(applied(&new, &again), new.clone(), "twice");
        let (before, after) = (leaves(&text), leaves(&new));
        prop_assert_eq!(before.len(), after.len());
        for ((path, old), (same, new)) in before.iter().zip(&after) {
            prop_assert_eq!(path, same);
            let key = path.to_string();
            let is_image = ["registry", "repository", "tag"].iter().any(|part| key.ends_with(part));
            prop_assert!(old == new || is_image, "{}: {} became {}", path, old, new);
        }
        let kept = |part: &str| after.iter().find(|(path, _)| path.to_string() == part).map(|(_, value)| value.clone());
        for (number, parts) in all.iter().enumerate() {
            let at = format!("a{number}.{}", parts.key);
            let name = match (kept(&format!("{at}.registry")), kept(&format!("{at}.repository")).unwrap()) {
                (Some(registry), repository) => format!("{registry}/{repository}"),
                (None, repository) => repository,
            };
            let is_left = plan.skips.iter().any(|skip| skip.site.path.to_string().starts_with(&at));
            // Without a tag, what holds must hold for any.
            let tag = kept(&format!("{at}.tag")).unwrap_or_else(|| "any".to_owned());
            let image = format!("{}:{}", parts.name(), parts.tag.unwrap_or("any"));
            let expected = if is_left { image } else { becomes(&engine, &image) };
            prop_assert_eq!(format!("{name}:{tag}"), expected, "{}\n{}", text, new);
        }
    }

    #[test]
    fn templates_change_up_to_what_is_filled_in(lines in prop::collection::vec(line(), 1..8), maps in select(MAPS)) {
        let text = lines.join("\n");
        let engine = engine(maps);
        let plan = engine.plan_template(&text, &mut Memory::default());
        let new = applied(&text, &plan);
        prop_assert_eq!(applied(&new, &engine.plan_template(&new, &mut Memory::default())), new.clone(), "twice");
        prop_assert_eq!(text.lines().count(), new.lines().count());
        for (old, new) in text.lines().zip(new.lines()).filter(|(old, new)| old != new) {
            let [before, after] = [old, new].map(|line| {
                let (key, value) = line.split_once(": ").unwrap();
                let value = value.split(" #").next().unwrap().trim_end_matches("{{- end }}");
                (key.to_owned(), filled(value).trim_matches(['"', '\'']).to_owned())
            });
            prop_assert!(before.0 == after.0 && before.0.to_lowercase().contains("image"), "{} became {}", old, new);
            prop_assert_eq!(becomes(&engine, &before.1), after.1, "{}", old);
        }
    }

    #[test]
    fn other_formats_change_in_images_alone((format, text) in file(), maps in select(MAPS)) {
        let engine = engine(maps);
        let plan = engine.plan_paths(&text, format, &mut Memory::default());
        let new = applied(&text, &plan);
        prop_assert_eq!(applied(&new, &engine.plan_paths(&new, format, &mut Memory::default())), new.clone(), "twice");
        let (before, after) = (leaves(&text), leaves(&new));
        prop_assert_eq!(before.len(), after.len());
        for ((path, old), (same, new)) in before.iter().zip(&after) {
            prop_assert_eq!(path, same);
            let is_action = path.to_string().ends_with("uses") && !old.starts_with("docker://");
            if !format.has(path) || is_action {
                prop_assert_eq!(old, new, "{} is no image", path);
                continue;
            }
            let [old, new] = [old, new].map(|text| filled(text.strip_prefix("docker://").unwrap_or(text)));
            let is_left = plan.skips.iter().any(|skip| skip.site.path == *path);
            let expected = if is_left { old } else { becomes(&engine, &old) };
            prop_assert_eq!(new, expected, "{} of\n{}", path, text);
        }
    }

    #[test]
    fn values_within_a_manifest_are_those_of_a_chart(
        hub in select(vec!["docker.io/istio", "quay.io/team", "gcr.io/x"]),
        image in select(vec!["proxyv2", "quay.io/team/proxy:v1"]),
        style in 0..4_usize,
        maps in select(MAPS),
    ) {
        let inner = format!("{{\n  \"global\": {{\n    \"hub\": \"{hub}\",\n    \"tag\": \"1\",\n    \"proxy\": {{\"image\": \"{image}\"}}\n  }}\n}}");
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: istio-sidecar-injector # image: not/this:1\ndata:\n  values: \
             {}\n  other: quay.io/team/app:v1\n",
            embedded(&inner, style)
        );
        let engine = engine(maps);
        let new = applied(&text, &engine.plan(&text, false, &mut Memory::default()));
        prop_assert_eq!(applied(&new, &engine.plan(&new, false, &mut Memory::default())), new.clone(), "twice");
        let (before, after) = (leaves(&text), leaves(&new));
        for ((path, old), (same, new)) in before.iter().zip(&after) {
            prop_assert_eq!(path, same);
            if path.to_string() != "data.values" {
                prop_assert_eq!(old, new);
                continue;
            }
            let plan = engine.plan_values(old, &Chart::default(), true, &mut Memory::default());
            prop_assert_eq!(&applied(old, &plan), new, "{}", text);
        }
    }
}
