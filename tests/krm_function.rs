//! `imageswap fn` as hosts run it: what goes in, what comes out, how it ends.
#![allow(clippy::unwrap_used)]

mod krm_support;

use krm_support::{Run, config_map, imageswap, list, pod, value};

const RULE: &str = "  docker.io: m.io/hub\n";

#[test]
fn edits_in_place_and_says_so() {
    let text = list(&pod("nginx:1.25 # why"), &config_map(RULE));
    let run = imageswap(&["fn"]).stdin(&text).run();
    run.ends_well();
    let results = &value(&run.stdout)["results"];
    assert_eq!(results[0]["message"], "imageswap: 1 of 1 image changed");
    assert_eq!(results[1]["severity"], "info");
    assert_eq!(results[1]["resourceRef"]["name"], "web");
    assert_eq!(results[1]["field"]["path"], "spec.containers[0].image");
    assert_eq!(results[1]["field"]["currentValue"], "nginx:1.25");
    assert_eq!(results[1]["field"]["proposedValue"], "m.io/hub/nginx:1.25");
    assert_eq!(results[1]["file"]["path"], "web.yaml");
    assert_eq!(results[1]["file"]["index"], 2);
    let message = results[1]["message"].as_str().unwrap();
    assert!(message.starts_with("web.yaml: spec.containers[0].image: nginx:1.25 -> m.io/hub/nginx:1.25 by "));
    let start = run.stdout.find("results:").unwrap();
    let end = run.stdout.find("items:").unwrap();
    let without_results = format!("{}{}", &run.stdout[..start], &run.stdout[end..]);
    assert_eq!(without_results, text.replace("nginx:1.25", "m.io/hub/nginx:1.25"));
}

#[test]
fn says_nothing_when_there_is_nothing_to_say() {
    for items in [String::new(), pod("m.io/hub/a"), "- kind: Odd\n  image: {a: b}\n- {}\n".into()] {
        let text = list(&items, &config_map(RULE));
        for text in [text.clone(), text.trim_end().to_owned(), text.replace('\n', "\r\n")] {
            let run = imageswap(&["fn"]).stdin(&text).run();
            run.ends_well();
            assert_eq!(run.stdout, text);
        }
    }
}

#[test]
fn names_rules_that_matched_no_image() {
    let odd: String = (1..=7).map(|number| format!("  r{number}.io: m.io\n")).collect();
    for (image, rules, message) in [
        ("quay.io/a # x", RULE, Some("imageswap: 1 rule matched no image: docker.io::m.io/hub")),
        (
            "nginx",
            &*format!("{RULE}{odd}"),
            Some(
                "imageswap: 7 rules matched no image: r1.io::m.io, r2.io::m.io, r3.io::m.io, r4.io::m.io, \
                 r5.io::m.io and 2 more",
            ),
        ),
        ("nginx", RULE, None),
    ] {
        let run = imageswap(&["fn"]).stdin(&list(&pod(image), &config_map(rules))).run();
        run.ends_well();
        let results = value(&run.stdout)["results"].clone();
        let last = results.as_array().unwrap().last().unwrap();
        let named = last["message"].as_str().filter(|message| message.contains("matched no image"));
        assert_eq!(named, message, "{image}");
        assert_eq!(last["severity"], "info");
    }
}

#[test]
fn a_second_run_changes_no_item_and_a_third_nothing() {
    let text = list(&pod("nginx"), &config_map(RULE));
    let first = imageswap(&["fn"]).stdin(&text).run().stdout;
    let second = imageswap(&["fn"]).stdin(&first).run().stdout;
    assert!(second.contains("results: []\n"), "{second}");
    let third = imageswap(&["fn"]).stdin(&second).run();
    third.ends_well();
    assert_eq!(third.stdout, second);
    assert_eq!(second.replace("results: []\n", ""), text.replace("image: nginx", "image: m.io/hub/nginx"));
}

#[test]
fn reads_json_flow_and_v1beta1() {
    let json = r#"{"kind":"ResourceList","apiVersion":"config.kubernetes.io/v1","items":[{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"nginx"}]}}],"functionConfig":{"apiVersion":"v1","kind":"ConfigMap","data":{"docker.io":"m.io"}}}"#;
    let flow = "{kind: ResourceList, apiVersion: config.kubernetes.io/v1beta1, # c\n items: [{apiVersion: v1, kind: Pod, \
                spec: {containers: [{image: nginx}]}}], functionConfig: {apiVersion: v1, kind: ConfigMap, data: \
                {docker.io: m.io}}}";
    for text in [json, flow] {
        let run = imageswap(&["fn"]).stdin(text).run();
        run.ends_well();
        let output = value(&run.stdout);
        assert_eq!(output["items"][0]["spec"]["containers"][0]["image"], "m.io/nginx", "{}", run.stdout);
        assert_eq!(output["results"][1]["field"]["proposedValue"], "m.io/nginx");
        assert_eq!(output["functionConfig"], value(text)["functionConfig"]);
    }
    let run = imageswap(&["fn"]).stdin(json).run();
    assert!(serde_json::from_str::<serde_json::Value>(&run.stdout).is_ok());
}

/// Changes of the input that make the function fail, and what it says.
#[test]
fn fails_with_the_items_unchanged() {
    let cases = [
        ("  docker.io: m.io/UPPER\n", "functionConfig data[\"docker.io\"]:1:"),
        (
            "  maps: |\n    docker.io::m.io\n    nonsense\n",
            "functionConfig data.maps:2:1: no rule in `nonsense`",
        ),
        ("  maps: |\n    docker.io::m.io\n    m.io/nginx::n.io/x\n", "chained"),
        ("  mapz: x\n", "did you mean 'maps'"),
        ("  docker.io: m.io\n  lock: gone.lock\n", "cannot read the lock file gone.lock"),
        ("  mapsFile: gone.maps\n", "gone.maps"),
        ("  quay.io: m.io\n  onUnmapped: error\n", "no rule covers nginx"),
        ("  {}\n", "no rules: put maps"),
    ];
    for (data, expected) in cases {
        let text = list(&pod("nginx"), &config_map(data));
        let run = imageswap(&["fn"]).stdin(&text).run();
        assert_eq!(run.code, 2, "{data}");
        let output = value(&run.stdout);
        assert_eq!(output["items"], value(&text)["items"]);
        let result = &output["results"][0];
        assert_eq!(result["severity"], "error");
        let message = result["message"].as_str().unwrap();
        assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(expected), "{}", run.stderr);
        assert!(run.stderr.lines().count() <= 3, "{}", run.stderr);
    }
}

#[test]
fn several_errors_begin_with_their_sum() {
    let items =
        pod("nginx") + &pod("redis") + &pod("quay.io/x") + &pod("{{ x }}").replace("{{ x }}", "'{{ x }}'");
    let data = "  gcr.io: m.io\n  onUnmapped: error\n";
    let run = imageswap(&["fn"]).stdin(&list(&items, &config_map(data))).run();
    assert_eq!(run.code, 2);
    let results = value(&run.stdout)["results"].clone();
    let severities: Vec<&str> =
        results.as_array().unwrap().iter().map(|r| r["severity"].as_str().unwrap()).collect();
    assert_eq!(severities, ["error", "error", "error", "error", "warning"]);
    let sum =
        "imageswap: 3 errors, 0 of 4 images would change, 1 left alone (1 templated); nothing is changed";
    assert_eq!(results[0]["message"], sum);
}

#[test]
fn what_is_no_resource_list_leaves_standard_output_empty() {
    let good = list(&pod("nginx"), &config_map(RULE));
    let cases = [
        (String::new(), "the input is empty"),
        ("a: [".to_owned(), "neither YAML nor JSON"),
        (good.replace("kind: ResourceList", "kind: List"), "kind is 'List'"),
        (good.replace("config.kubernetes.io/v1\n", "v1\n"), "apiVersion is 'v1'"),
        (good.replace("items:\n", "itemz:\n"), "has no items"),
        (good.clone() + "---\n" + &good, "several documents"),
    ];
    for (text, expected) in cases {
        let run = imageswap(&["fn"]).stdin(&text).run();
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{text}");
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
    let run = imageswap(&["fn"]).stdin_bytes(b"kind: \xff").run();
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
}

#[test]
fn validates_without_changing() {
    let data = format!("{RULE}  validate: \"true\"\n");
    let text = list(&pod("nginx"), &config_map(&data));
    let run = imageswap(&["fn"]).stdin(&text).run();
    assert_eq!(run.code, 1);
    let output = value(&run.stdout);
    assert_eq!(output["items"], value(&text)["items"]);
    assert_eq!(output["results"][0]["severity"], "error");
    assert_eq!(output["results"][0]["field"]["proposedValue"], "m.io/hub/nginx");
    let done = list(&pod("m.io/hub/nginx"), &config_map(&data));
    let run = imageswap(&["fn"]).stdin(&done).run();
    run.ends_well();
    assert_eq!(run.stdout, done);
}

#[test]
fn never_touches_configuration() {
    let kptfile = "- apiVersion: kpt.dev/v1\n  kind: Kptfile\n  metadata: {name: p}\n  spec:\n    containers: [{image: nginx}]\n";
    let own = "- apiVersion: imageswap.dev/v1alpha1\n  kind: ImageSwap\n  spec:\n    containers: [{image: nginx}]\n";
    let config = "functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    containers:\n    - image: &i nginx\n  data:\n    docker.io: m.io\n";
    let text = list(&format!("{kptfile}{own}"), config) + "results:\n- containers: [{image: nginx}]\n";
    let run = imageswap(&["fn"]).stdin(&text).run();
    run.ends_well();
    let (before, after) = (value(&text), value(&run.stdout));
    assert_eq!(after["items"], before["items"]);
    assert_eq!(after["functionConfig"], before["functionConfig"]);
    assert_eq!(after["results"], serde_json::json!([]));
}

#[test]
fn an_anchor_outside_of_the_items_is_not_edited() {
    let config = "functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {x: &i nginx}\n  data: {docker.io: m.io}\n";
    let text =
        format!("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n{config}items:\n{}", pod("*i"));
    let run = imageswap(&["fn"]).stdin(&text).run();
    run.ends_well();
    assert!(run.stdout.contains("x: &i nginx"), "{}", run.stdout);
    assert_eq!(value(&run.stdout)["results"][1]["severity"], "warning");
}

#[test]
fn anchors_merges_and_duplicates_stay() {
    let items = "- apiVersion: v1\n  kind: Pod\n  x: &c\n    image: nginx\n  spec:\n    containers:\n    - !!merge <<: *c\n      \
                 name: a\n    - image: redis\n      image: redis\n    - image: {a: b}\n    - image: 5\n";
    let text = list(items, &config_map(RULE));
    let run = imageswap(&["fn"]).stdin(&text).run();
    run.ends_well();
    assert!(run.stdout.contains("    image: m.io/hub/nginx\n") && run.stdout.contains("- !!merge <<: *c\n"));
    assert_eq!(run.stdout.matches("image: m.io/hub/redis\n").count(), 2);
}

#[test]
fn rules_come_from_files_too_and_the_configuration_wins() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("org.maps"), "docker.io::org.io\nquay.io::org.io/quay\n").unwrap();
    let items = pod("nginx") + &pod("quay.io/a");
    let images = |run: &Run| {
        run.ends_well();
        let items = value(&run.stdout)["items"].clone();
        [0, 1].map(|i| items[i]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned())
    };
    let here = |args: &[&str]| imageswap(args).dir(folder.path());
    let bare = list(&items, "");
    let with_file = list(&items, &config_map(&format!("{RULE}  mapsFile: org.maps\n")));
    let with_rule = list(&items, &config_map(RULE));
    let from_org = ["org.io/nginx", "org.io/quay/a"];
    let mixed = ["m.io/hub/nginx", "org.io/quay/a"];
    assert_eq!(images(&here(&["fn", "--maps", "org.maps"]).stdin(&bare).run()), from_org);
    assert_eq!(images(&here(&["fn"]).env("IMAGESWAP_MAPS_FILE", "org.maps").stdin(&bare).run()), from_org);
    assert_eq!(images(&here(&["fn", "--maps", "org.maps"]).stdin(&with_rule).run()), mixed);
    assert_eq!(images(&here(&["fn"]).stdin(&with_file).run()), mixed);
    let env_loses = here(&["fn"]).env("IMAGESWAP_MAPS_FILE", "org.maps").stdin(&with_rule).run();
    assert_eq!(images(&env_loses), ["m.io/hub/nginx", "quay.io/a"]);
    let root = imageswap(&["fn"]).env("KUSTOMIZE_PLUGIN_CONFIG_ROOT", folder.path()).stdin(&with_file).run();
    assert_eq!(images(&root), mixed);
}

#[test]
fn fields_and_skips_are_obeyed() {
    let widget = "- apiVersion: apps.example.com/v1\n  kind: Widget\n  spec:\n    engine: {image: nginx}\n";
    let data =
        format!("{RULE}  fields: apps.example.com/Widget:spec.engine.image\n  skip: kind=Pod,name=web\n");
    let text = list(&(pod("redis") + widget), &config_map(&data));
    let run = imageswap(&["fn"]).stdin(&text).run();
    run.ends_well();
    assert!(run.stdout.contains("engine: {image: m.io/hub/nginx}") && run.stdout.contains("image: redis\n"));
}

#[test]
fn needs_no_home_and_no_environment() {
    let text = list(&pod("nginx"), &config_map(RULE));
    let run = imageswap(&["fn"]).no_env().dir(std::path::Path::new("/")).stdin(&text).run();
    run.ends_well();
    assert!(run.stdout.contains("m.io/hub/nginx"));
}
