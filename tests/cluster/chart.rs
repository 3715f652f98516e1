//! The chart of `deploy/chart`: its template is what the program prints, with values in place of options; the real Helm
//! makes the same objects of it as the program does, and a real API server takes them.

use std::fs;
use std::process::Command;

use crate::control_plane::shared;
use crate::deploy::{manifests, objects};
use crate::installation::{Installation, NAMESPACE, stdout};
use crate::processes::find;

const TEMPLATE: &str = "deploy/chart/templates/install.yaml";

/// Both versions of Helm, as far as they are there.
fn helms() -> Vec<std::path::PathBuf> {
    ["helm3", "helm4"].into_iter().filter_map(find).collect()
}

/// What the template must be.
fn template() -> String {
    let printed = manifests(&[
        "--namespace=of-release",
        "--image=image-of-values",
        "--replicas=987654",
        "--timeout-seconds=29",
        "--env=OF=VALUES",
    ]);
    // The namespace is Helm's business.
    let (_, rest) = printed.split_once("\n---\n").unwrap();
    let mut text = format!("---\n{rest}");
    let mut put = |what: &str, value: &str, count: usize| {
        assert_eq!(text.matches(what).count(), count, "{what} in {text}");
        text = text.replace(what, value);
    };
    let maps = printed.split_once("data:\n  maps: ").unwrap().1.split("\n---\n").next().unwrap();
    put(&format!("maps: {maps}"), "maps: {{ .Values.maps | toJson }}", 1);
    put("data:\n  IMAGESWAP_LOG_LEVEL: info\n  OF: VALUES\n", "data: {{ .Values.env | toJson }}\n", 1);
    put("image: image-of-values", "image: {{ .Values.image | quote }}", 1);
    put("replicas: 987654", "replicas: {{ .Values.replicas }}", 1);
    put("timeoutSeconds: 29", "timeoutSeconds: {{ .Values.timeoutSeconds }}", 2);
    put("failurePolicy: Fail", "failurePolicy: {{ .Values.failurePolicy }}", 1);
    let last = "        - --bootstrap=self-signed\n";
    let more = "        {{- range .Values.args }}\n        - {{ . | quote }}\n        {{- end }}\n";
    put(last, &format!("{last}{more}"), 1);
    text.replace("of-release", "{{ .Release.Namespace }}")
}

#[test]
fn the_template_is_what_the_program_prints() {
    let template = template();
    if std::env::var_os("CHART").is_some_and(|value| value == "overwrite") {
        fs::write(TEMPLATE, &template).unwrap();
    }
    assert!(
        fs::read_to_string(TEMPLATE).unwrap() == template,
        "after a wanted change, run CHART=overwrite cargo test --test cluster the_template"
    );
    let chart = fs::read_to_string("deploy/chart/Chart.yaml").unwrap();
    assert!(chart.contains(concat!("\nappVersion: ", env!("CARGO_PKG_VERSION"), "\n")), "{chart}");
}

#[test]
fn helm_makes_the_same_objects() {
    const VALUES: &[&str] = &[
        "--set=replicas=5,timeoutSeconds=7,failurePolicy=Ignore,image=r.example/i:1,env.IMAGESWAP_LOG_LEVEL=debug",
        "--set-file=maps=fixtures/imageswap.maps",
    ];
    const OPTIONS: &[&str] = &[
        "--replicas=5",
        "--timeout-seconds=7",
        "--failure-policy=Ignore",
        "--image=r.example/i:1",
        "--env=IMAGESWAP_LOG_LEVEL=debug",
        "--maps=fixtures/imageswap.maps",
    ];
    for helm in helms() {
        let rendered = |values: &[&str]| {
            let mut command = Command::new(&helm);
            command.args(["template", "swaps", "deploy/chart", "--namespace=swaps"]).args(values);
            sorted(&stdout(command.output().unwrap()))
        };
        let printed = |options: &[&str]| {
            let mut objects = sorted(&manifests(&[&["--namespace=swaps"], options].concat()));
            objects.retain(|object| object["kind"] != "Namespace");
            objects
        };
        assert_eq!(rendered(&[]), printed(&[]), "{}", helm.display());
        assert_eq!(rendered(VALUES), printed(OPTIONS), "{}", helm.display());
        let with_arguments = rendered(&["--set=args={--on-unmapped=warn,--dry-run}"]);
        let deployment = with_arguments.iter().find(|object| object["kind"] == "Deployment").unwrap();
        let arguments = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
        let want = serde_json::json!(["serve", "--bootstrap=self-signed", "--on-unmapped=warn", "--dry-run"]);
        assert_eq!(*arguments, want);
    }
}

/// The objects of a stream: Helm orders them otherwise, and says in comments where they come from.
fn sorted(text: &str) -> Vec<serde_json::Value> {
    let mut objects = objects(text);
    objects.retain(|object| !object.is_null());
    objects.sort_by_key(|object| (object["kind"].to_string(), object["metadata"]["name"].to_string()));
    objects
}

#[test]
fn the_api_server_takes_the_chart() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let strict = ["apply", "--server-side", "--force-conflicts", "--validate=strict", "--dry-run=server"];
    for helm in helms() {
        let mut command = Command::new(helm);
        command.args(["template", "imageswap", "deploy/chart", "--namespace", NAMESPACE]);
        let rendered = stdout(command.output().unwrap());
        let applied =
            installation.kubectl.call(&[&strict[..], &["--filename=-"]].concat(), &rendered).unwrap();
        assert!(applied.contains("mutatingwebhookconfiguration"), "{applied}");
    }
}
