//! The function's configuration: every form, and what is said about every fault.
#![allow(clippy::unwrap_used)]

use imageswap::krm::{FunctionConfig, OnUnmapped};
use imageswap::maps::{Maps, ParseOptions};

const SPEC: &str = "apiVersion: imageswap.dev/v1alpha1\nkind: ImageSwap\nspec:\n";
const DATA: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: function-input}\ndata:\n";

fn read(text: &str) -> Result<FunctionConfig, String> {
    FunctionConfig::read("functionConfig", text).map_err(|errors| errors.to_string())
}

fn rules(config: &FunctionConfig) -> Vec<String> {
    let parsed = Maps::parse(&config.rules, ParseOptions::default()).unwrap();
    parsed.maps.rules().map(|rule| format!("{}::{}", rule.key(), rule.value())).collect()
}

#[test]
fn reads_the_spec_of_an_imageswap() {
    let text = format!(
        "{SPEC}  maps: |\n    docker.io::m.io/hub\n  mapsFile: org.maps\n  pin: false\n  lock: ''\n  \
         fields: [core, 'apps.example.com/Widget:spec.image']\n  skip:\n  - kind=Job\n  - name: web\n    \
         container: 'istio-*'\n  onUnmapped: error\n  validate: true\nmetadata: {{name: a}}\n"
    );
    let config = read(&text).unwrap();
    assert_eq!(rules(&config), ["docker.io::m.io/hub"]);
    assert_eq!(config.maps_file.as_deref(), Some("org.maps"));
    assert!(config.fields.is_some());
    let skip = ["kind=Job", "name=web,container=istio-*"].map(|rule| rule.parse().unwrap());
    assert_eq!(config.skip, skip);
    assert_eq!(config.on_unmapped, OnUnmapped::Error);
    assert!(config.validate);
}

#[test]
fn takes_rules_of_a_config_map_behind_its_maps_and_in_order() {
    for head in [DATA, "apiVersion: v1\nkind: ImageSwap\nimmutable: true\ndata:\n"] {
        let text = format!(
            "{head}  quay.io: m.io/quay\n  '[EXACT]nginx:1': m.io/n:2\n  maps: |\n    quay.io::old.io\n    \
             gcr.io::m.io/gcr\n  default: \"\"\n  validate: \"true\"\n  pin: \"false\"\n  localhost: 5.io\n"
        );
        let config = read(&text).unwrap();
        let expected =
            ["quay.io::m.io/quay", "gcr.io::m.io/gcr", "nginx:1::m.io/n:2", "default::", "localhost::5.io"];
        assert_eq!(rules(&config), expected);
        assert!(config.validate);
    }
}

#[test]
fn reads_json_merges_and_lists_in_one_text() {
    let json = r#"{"apiVersion":"v1","kind":"ConfigMap","data":{"docker.io":"m.io","onUnmapped":"warn"}}"#;
    let config = read(json).unwrap();
    assert_eq!(rules(&config), ["docker.io::m.io"]);
    assert_eq!(config.on_unmapped, OnUnmapped::Warn);
    let merged =
        format!("metadata: &m {{docker.io: m.io}}\n{DATA}  <<: *m\n  skip: |\n    kind=Job\n    name=a\n")
            .replace("metadata: {name: function-input}\n", "");
    let config = read(&merged).unwrap();
    assert_eq!(rules(&config), ["docker.io::m.io"]);
    assert_eq!(config.skip.len(), 2);
}

#[test]
fn nothing_said_is_nothing_wrong() {
    for text in [
        "apiVersion: v1\nkind: ConfigMap\ndata: {}\n",
        "apiVersion: v1\nkind: ConfigMap\n",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n",
        "apiVersion: imageswap.dev/v1alpha1\nkind: ImageSwap\nspec: {maps: null}\n",
    ] {
        assert!(!read(text).unwrap().has_rules(), "{text}");
    }
}

#[test]
fn says_what_is_wrong_and_where() {
    let spec = |rest: &str| format!("{SPEC}{rest}");
    let data = |rest: &str| format!("{DATA}{rest}");
    let cases = [
        (spec("  mpas: x\n"), "unknown key 'mpas', did you mean 'maps'? (line 4 of the input)"),
        (spec("  on_unmapped: warn\n"), "did you mean 'onUnmapped'?"),
        (spec("  docker.io: m.io\n"), "a rule goes into maps, as docker.io::VALUE"),
        (spec("  colour: red\n"), "expected one of maps, mapsFile, pin"),
        (spec("  pin: perhaps\n"), "pin is 'perhaps', expected true or false"),
        (spec("  lock: [imageswap.lock]\n"), "lock is a list, expected a text"),
        (data("  pin: always\n"), "pin is 'always', expected true or false"),
        (spec("  validate: yes please\n"), "validate is 'yes please', expected true or false"),
        (spec("  onUnmapped: fail\n"), "onUnmapped is 'fail', expected ignore, warn or error"),
        (spec("  maps: [a]\n"), "maps is a list, expected a text"),
        (spec("  mapsFile: ''\n"), "mapsFile is empty"),
        (spec("  fields: any\n"), "'any' is neither core, known nor all, nor a field"),
        (spec("  fields: [core, known]\n"), "core and known exclude each other"),
        (spec("  fields: [all, known]\n"), "known and all exclude each other"),
        (spec("  fields: ['Widget:']\n"), "fields: field 'Widget:'"),
        (spec("  skip: [kinds=Job]\n"), "unknown key 'kinds'"),
        (spec("  skip: [{kinds: Job}]\n"), "did you mean 'kind'?"),
        (spec("  skip: [{kind: 'Job,name=x'}]\n"), "which no such thing is called"),
        (spec("  maps: a\n  maps: b\n"), "duplicate key 'maps'"),
        (spec("  maps: *gone\n"), "an alias whose anchor is not defined"),
        (data("  defualt: m.io\n"), "did you mean 'default'?"),
        (data("  quay: m.io\n"), "expected a registry or path such as docker.io"),
        (data("  docker.io:\n"), "docker.io has no value; write \"\""),
        (data("  docker.io: [a]\n"), "docker.io is a list"),
        (data("  docker.io: \"a\\nb\"\n"), "expected one line"),
        (data("  '#a.b': m.io\n"), "no white space and no #"),
        ("- a\n".to_owned(), "is a list, expected an ImageSwap or a ConfigMap"),
        ("kind: ConfigMap\napiVersion: v2\n".to_owned(), "expected v1"),
        ("kind: ImageSwap\napiVersion: imageswap.dev/v1\n".to_owned(), "expected imageswap.dev/v1alpha1"),
        ("kind: Imageswap\napiVersion: v1\n".to_owned(), "did you mean 'ImageSwap'?"),
        ("apiVersion: v1\n".to_owned(), "has no kind"),
        ("kind: ConfigMap\napiVersion: v1\nspec: {}\n".to_owned(), "'spec', did you mean 'data'?"),
        ("kind: ConfigMap\napiVersion: v1\nmaps: x\n".to_owned(), "expected it under 'data'"),
        ("kind: ConfigMap\napiVersion: v1\ndata: x\n".to_owned(), "data is a text, expected a mapping"),
        (String::new(), "expected one document"),
        ("a: [\n".to_owned(), "no YAML"),
    ];
    for (text, expected) in cases {
        let error = read(&text).expect_err(&text);
        assert!(error.starts_with("functionConfig: "), "{error}");
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}

#[test]
fn gathers_all_faults() {
    let error = read(&format!("{SPEC}  pin: 5\n  mpas: x\nfoo: x\n")).unwrap_err();
    assert_eq!(error.lines().count(), 3, "{error}");
}

#[test]
fn names_the_place_of_a_bad_rule() {
    let config = read(&format!("{SPEC}  maps: |\n    docker.io::m.io\n    nonsense\n")).unwrap();
    let errors = Maps::parse(&config.rules, ParseOptions::default()).unwrap_err().to_string();
    assert!(errors.starts_with("functionConfig spec.maps:2:1: no rule"), "{errors}");
    let config = read(&format!("{DATA}  docker.io: m.io/NO\n")).unwrap();
    let errors = Maps::parse(&config.rules, ParseOptions::default()).unwrap_err().to_string();
    assert!(errors.starts_with("functionConfig data[\"docker.io\"]:1:"), "{errors}");
}

#[test]
fn reads_large_maps() {
    let lines: String = (0..20_000).map(|i| format!("    r{i}.example.com::m.io/r{i}\n")).collect();
    let config = read(&format!("{SPEC}  maps: |\n{lines}")).unwrap();
    assert_eq!(rules(&config).len(), 20_000);
}

#[test]
fn refuses_an_alias_bomb() {
    let mut text =
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let before = i - 1;
        text.push_str(&format!(
            "  a{i}: &a{i} [*a{before}, *a{before}, *a{before}, *a{before}, *a{before}]\n"
        ));
    }
    assert!(read(&text).unwrap_err().contains("too many places"));
}
