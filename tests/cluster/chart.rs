//! The chart of `deploy/chart`: its template is what the program prints, with values in place of options; the real Helm
//! makes the same objects of it as the program does, and installs, upgrades and uninstalls them on a real API server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::control_plane::shared;
use crate::deploy::{manifests, objects};
use crate::installation::{CONFIGURATION, Installation, NAMESPACE, imageswap, stdout, turn, wait_until_gone};
use crate::kubectl::Kubectl;
use crate::processes::find;

const TEMPLATE: &str = "deploy/chart/templates/install.yaml";

/// Both versions of Helm, as far as they are there.
fn helms() -> Vec<PathBuf> {
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
        let want = json!(["serve", "--bootstrap=self-signed", "--on-unmapped=warn", "--dry-run"]);
        assert_eq!(*arguments, want);
    }
}

/// The objects of a stream: Helm orders them otherwise, and says in comments where they come from.
fn sorted(text: &str) -> Vec<Value> {
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

/// A release of the chart, which is taken out when a test ends.
struct Release<'a> {
    helm: &'a Path,
    kubectl: &'a Kubectl,
}

impl Release<'_> {
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(self.helm);
        command.env_clear().env("HOME", self.kubectl.kubeconfig.parent().unwrap());
        command.env("KUBECONFIG", &self.kubectl.kubeconfig);
        stdout(command.args(arguments).args(["--namespace", NAMESPACE]).output().unwrap())
    }

    /// An object of the namespace.
    #[track_caller]
    fn get(&self, object: &str) -> Value {
        self.kubectl.get(&[object, "--namespace", NAMESPACE])
    }
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        let _ = self.kubectl.try_run(&["delete", "--ignore-not-found", CONFIGURATION]);
    }
}

#[test]
fn helm_installs_upgrades_and_uninstalls() {
    let Some(plane) = shared() else { return };
    let kubectl = &plane.kubectl();
    let _turn = turn();
    for helm in &helms() {
        // What other tests applied is not Helm's, which leaves it alone.
        wait_until_gone(kubectl);
        let all = manifests(&[]);
        kubectl.call(&["delete", "--ignore-not-found", "--filename=-"], &all).unwrap();

        let release = Release { helm, kubectl };
        let maps = "--set-file=maps=fixtures/imageswap.maps";
        let name = ["imageswap", "deploy/chart"];
        let install = ["install", name[0], name[1], "--create-namespace", maps, "--set=replicas=3"];
        let said = release.run(&install);
        assert!(said.contains("STATUS: deployed") && said.contains("REVISION: 1"), "{said}");
        let stored = |configmap: &str, key: &str| release.get(configmap)["data"][key].clone();
        let given = fs::read_to_string("fixtures/imageswap.maps").unwrap();
        assert_eq!(stored("configmap/imageswap-maps", "maps"), given.as_str());
        assert_eq!(release.get("deployment/imageswap")["spec"]["replicas"], 3);
        let configuration = kubectl.get(&[CONFIGURATION]);
        assert_eq!(configuration["metadata"]["annotations"]["meta.helm.sh/release-name"], "imageswap");
        assert_eq!(configuration["webhooks"][0]["clientConfig"]["caBundle"], Value::Null);

        // What a replica does when it starts, with the rights that it has.
        let account = plane.kubeconfig_of(NAMESPACE, "imageswap");
        let mut init = imageswap();
        init.env("KUBECONFIG", account).args(["init", "--namespace", NAMESPACE]);
        stdout(init.output().unwrap());
        let certificate = release.get("secret/imageswap-tls")["data"].clone();
        let authority = || kubectl.get(&[CONFIGURATION])["webhooks"][0]["clientConfig"]["caBundle"].clone();
        let published = authority();
        assert!(certificate["tls.crt"].is_string() && published.is_string());

        let values =
            "--set=replicas=1,failurePolicy=Ignore,env.IMAGESWAP_LOG_LEVEL=debug,maps=quay.io::q.example";
        let said = release.run(&["upgrade", name[0], name[1], values]);
        assert!(said.contains("STATUS: deployed") && said.contains("REVISION: 2"), "{said}");
        assert_eq!(stored("configmap/imageswap-maps", "maps"), "quay.io::q.example");
        assert_eq!(stored("configmap/imageswap-env", "IMAGESWAP_LOG_LEVEL"), "debug");
        assert_eq!(release.get("deployment/imageswap")["spec"]["replicas"], 1);
        assert_eq!(kubectl.get(&[CONFIGURATION])["webhooks"][0]["failurePolicy"], "Ignore");
        // The API server would trust nobody until a replica comes by again.
        assert_eq!(authority(), published, "{}", helm.display());
        assert_eq!(release.get("secret/imageswap-tls")["data"], certificate, "{}", helm.display());

        let installed = release.run(&["get", "manifest", "imageswap"]);
        release.run(&["uninstall", "imageswap", "--wait"]);
        let left = kubectl.call(&["get", "--ignore-not-found", "--filename=-"], &installed).unwrap();
        assert_eq!(left, "", "{}", helm.display());
    }
}
