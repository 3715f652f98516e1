//! What ships in `deploy/`: it is what the program prints, and a real API server takes it.

use std::fs;

use serde_json::Value;

use crate::control_plane::shared;
use crate::installation::{CONFIGURATION, Installation, NAMESPACE, imageswap, stdout};
use crate::processes::wait;

pub(crate) fn manifests(arguments: &[&str]) -> String {
    stdout(imageswap().arg("manifests").args(arguments).output().unwrap())
}

/// The objects of a YAML stream.
pub(crate) fn objects(text: &str) -> Vec<Value> {
    let documents = text.split("---\n").filter(|document| !document.is_empty());
    documents.map(|document| serde_saphyr::from_str(document).unwrap()).collect()
}

fn object(text: &str, kind: &str) -> Value {
    let found = objects(text).into_iter().find(|object| object["kind"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {text}"))
}

fn kinds(text: &str) -> Vec<String> {
    objects(text).iter().map(|object| object["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_files_are_what_the_program_prints() {
    for file in ["deploy/install.yaml", "deploy/base/install.yaml"] {
        let advice = format!("run `imageswap manifests > {file}` after a wanted change");
        assert!(fs::read_to_string(file).unwrap() == manifests(&[]), "{advice}");
    }
    let whole = manifests(&["--autoscale", "--replicas=3", "--network-policy"]);
    for (file, kind) in [("autoscaler", "HorizontalPodAutoscaler"), ("network-policy", "NetworkPolicy")] {
        let file = format!("deploy/overlays/production/{file}.yaml");
        let kept = fs::read_to_string(&file).unwrap();
        assert!(whole.contains(&kept) && kinds(&kept) == [kind], "{file} is not what is printed");
    }
}

#[test]
fn each_option_changes_what_it_names() {
    let default = manifests(&[]);
    let hooks = |text: &str| object(text, "MutatingWebhookConfiguration")["webhooks"].clone();
    let container =
        |text: &str| object(text, "Deployment")["spec"]["template"]["spec"]["containers"][0].clone();

    assert!(!default.contains("caBundle"));
    assert_eq!(hooks(&default)[0]["failurePolicy"], "Fail");
    assert_eq!(hooks(&default)[0]["clientConfig"]["service"]["path"], "/");
    assert_eq!(hooks(&default)[1]["failurePolicy"], "Ignore");
    assert_eq!(hooks(&default)[1]["clientConfig"]["service"]["path"], "/audit");

    let moved = manifests(&["--namespace=swaps"]);
    assert!(!moved.contains("namespace: imageswap-system") && moved.contains("namespace: swaps"));
    assert_eq!(hooks(&moved)[0]["clientConfig"]["service"]["namespace"], "swaps");
    assert_eq!(container(&manifests(&["--image=r.example/i:1"]))["image"], "r.example/i:1");
    assert_eq!(object(&manifests(&["--replicas=5"]), "Deployment")["spec"]["replicas"], 5);
    assert_eq!(hooks(&manifests(&["--failure-policy=Ignore"]))[0]["failurePolicy"], "Ignore");
    assert_eq!(hooks(&manifests(&["--timeout-seconds=3"]))[1]["timeoutSeconds"], 3);
    let workloads = hooks(&manifests(&["--resources=workloads"]))[0]["rules"].to_string();
    for kind in ["podtemplates", "statefulsets", "cronjobs", "containersources", "pods/ephemeralcontainers"] {
        assert!(workloads.contains(&format!("\"{kind}\"")), "{kind}");
    }
    assert!(!hooks(&default).to_string().contains("deployments"));

    let pin = manifests(&["--pin"]);
    assert_eq!(hooks(&pin)[0]["failurePolicy"], "Ignore");
    assert_eq!(hooks(&pin)[2]["clientConfig"]["service"]["path"], "/v1/mutate");
    assert!(container(&pin)["args"].to_string().contains("--pin"));
    let rights = |text: &str| object(text, "ClusterRole")["rules"].to_string();
    assert!(!rights(&pin).contains("secrets") && !container(&pin)["args"].to_string().contains("--offline"));
    let pulling = manifests(&["--pin", "--pull-secrets"]);
    assert!(rights(&pulling).contains("\"secrets\"") && rights(&pulling).contains("\"serviceaccounts\""));
    assert!(container(&pulling)["args"].to_string().contains("--offline=false"));
    assert_eq!(hooks(&manifests(&["--pin", "--failure-policy=Fail"]))[0]["failurePolicy"], "Fail");

    let label = manifests(&["--label=example.com/swap"]);
    assert!(!label.contains("k8s.twr.io/imageswap:") && !label.contains("key: k8s.twr.io"));
    assert_eq!(
        object(&label, "Deployment")["spec"]["template"]["metadata"]["labels"]["example.com/swap"],
        "disabled"
    );
    assert!(label.contains("IMAGESWAP_DISABLE_LABEL: example.com/swap"));
    assert!(manifests(&["--env=IMAGESWAP_LOG_LEVEL=debug"]).contains("IMAGESWAP_LOG_LEVEL: debug"));
    assert!(manifests(&["--maps=fixtures/imageswap.maps"]).contains("\n    docker.io::"));

    let csr = manifests(&["--bootstrap=csr", "--csr-signer=example.com/signer"]);
    assert!(object(&csr, "ClusterRole").to_string().contains("example.com/signer"));
    assert!(container(&csr)["args"].to_string().contains("--csr-signer=example.com/signer"));
    assert!(!default.contains("certificates.k8s.io"));
    let byo = manifests(&["--bootstrap=byo"]);
    assert!(!kinds(&byo).contains(&"Secret".to_owned()));
    assert!(!object(&byo, "Role").to_string().contains("update"));

    for (option, kind) in [("--autoscale", "HorizontalPodAutoscaler"), ("--network-policy", "NetworkPolicy")]
    {
        assert!(kinds(&manifests(&[option])).contains(&kind.to_owned()));
        assert!(!kinds(&default).contains(&kind.to_owned()));
    }
    assert!(object(&manifests(&["--autoscale"]), "Deployment")["spec"]["replicas"].is_null());
}

/// The pods come to be under the strictest Pod Security Standard, which the namespace enforces.
#[test]
fn the_api_server_takes_what_ships() {
    let Some(plane) = shared() else { return };
    let installation = Installation::apply(plane, &fs::read_to_string("deploy/install.yaml").unwrap());
    let kubectl = &installation.kubectl;
    wait("two pods are made", 60, || {
        let pods = kubectl.get(&["pods", "--namespace", NAMESPACE, "--selector=app=imageswap"]);
        let count = pods["items"].as_array().unwrap().len();
        if count >= 2 {
            return Ok(());
        }
        Err(kubectl.run(&["describe", "replicaset", "--namespace", NAMESPACE]))
    });
    let configuration = kubectl.get(&[CONFIGURATION]);
    assert_eq!(configuration["webhooks"].as_array().unwrap().len(), 2);

    let strict = ["apply", "--server-side", "--force-conflicts", "--validate=strict", "--dry-run=server"];
    for arguments in [
        &[][..],
        &["--resources=workloads", "--scope=all"],
        &["--pin", "--autoscale", "--network-policy", "--replicas=1"],
        &["--pin", "--pull-secrets", "--scope=all"],
        &["--bootstrap=csr"],
        &["--bootstrap=byo", "--label=example.com/swap"],
        &["--failure-policy=Ignore", "--timeout-seconds=30", "--maps=fixtures/imageswap.maps"],
    ] {
        let applied = kubectl.call(&[&strict[..], &["--filename=-"]].concat(), &manifests(arguments));
        assert!(applied.is_ok(), "{arguments:?}: {applied:?}");
    }
    for overlay in ["development", "production", "legacy"] {
        let folder = format!("--kustomize=deploy/overlays/{overlay}");
        kubectl.run(&[&strict[..], &[folder.as_str()]].concat());
    }
    let built = |overlay: &str| kubectl.run(&["kustomize", &format!("deploy/overlays/{overlay}")]);
    assert!(built("legacy").contains("IMAGE_PREFIX: registry.example.com"));
    assert!(built("production").contains("kind: HorizontalPodAutoscaler"));
    assert!(!built("development").contains("failurePolicy: Fail"));
}
