//! What `maps export --to kyverno` writes, judged by the API server: Kyverno's MutatingPolicy has the expressions of its
//! MutatingAdmissionPolicy.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::control_plane::shared;
use crate::kubectl::Kubectl;
use crate::processes::wait;
use crate::serving::namespace;

const MAPS: &str = "docker.io::m.example/hub
docker.io/library::m.example/official/{path}
docker.io/bitnami::m.example/bitnami
quay.io::m.example/{registry}/{path}
quay.io/team::t.example/team
quay.io/team/kept::
gcr.io::
ghcr.io::docker.io/ghcr
reg.example:5000::m.example/five
registry.k8s.io/pause::m.example/pause
";

const IMAGES: [&str; 22] = [
    "nginx",
    "nginx:1.25",
    "library/nginx:1",
    "docker.io/nginx",
    "docker.io/library/nginx:2",
    "index.docker.io/nginx:3",
    "bitnami/redis:7",
    "other/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "quay.io/other/app:1",
    "quay.io/team/app:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "quay.io/teams/app:1",
    "quay.io/team/kept:1",
    "quay.io/team/kept/below:1",
    "gcr.io/project/app",
    "ghcr.io/owner/app:1",
    "docker.io/ghcr/owner/app:1",
    "reg.example:5000/app:1",
    "reg.example/app:1",
    "registry.k8s.io/pause:3.9",
    "registry.k8s.io/pauses:3.9",
    "localhost/app:1",
    "m.example/hub/nginx:1.25",
];

const POLICY: &str = "mutatingadmissionpolicy/imageswap-kyverno";
const BINDING: &str = "mutatingadmissionpolicybinding/imageswap-kyverno";

/// The policy, which other tests must not meet.
struct Installed<'a>(&'a Kubectl);

impl Drop for Installed<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_run(&["delete", "--ignore-not-found", BINDING, POLICY]);
    }
}

fn imageswap(folder: &std::path::Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    let output = command.args(arguments).current_dir(folder).env("HOME", folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn pod(images: &[&str]) -> Value {
    let containers = |prefix: &str, images: &[&str]| -> Vec<Value> {
        let all = images.iter().enumerate();
        all.map(|(at, image)| json!({ "name": format!("{prefix}{at}"), "image": image, "args": ["x"] }))
            .collect()
    };
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "p", "namespace": "kyverno-export" },
        "spec": { "containers": containers("c", images), "initContainers": containers("i", &images[..3]) },
    })
}

fn images_of(pod: &Value) -> Vec<String> {
    let lists = ["containers", "initContainers"].map(|list| pod["spec"][list].as_array().unwrap().clone());
    lists.concat().iter().map(|container| container["image"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_api_server_does_what_the_maps_say() {
    let Some(plane) = shared() else { return };
    let folder = plane.folder("kyverno");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("maps"), MAPS).unwrap();
    let exported = imageswap(&folder, &["maps", "export", "--to", "kyverno", "--maps", "maps"]);
    let policy: Value = serde_saphyr::from_str(&exported).unwrap();
    assert_eq!(policy["apiVersion"], "policies.kyverno.io/v1");
    assert_eq!(policy["kind"], "MutatingPolicy");

    let kubectl = plane.kubectl();
    let _installed = Installed(&kubectl);
    namespace(&kubectl, "kyverno-export", &["kyverno-export=on"]);
    let of_api_server = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": { "name": "imageswap-kyverno" },
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "IfNeeded",
            "matchConstraints": policy["spec"]["matchConstraints"],
            "mutations": policy["spec"]["mutations"],
        },
    });
    kubectl.apply(&of_api_server.to_string());
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": { "name": "imageswap-kyverno" },
        "spec": {
            "policyName": "imageswap-kyverno",
            "matchResources": { "namespaceSelector": { "matchLabels": { "kyverno-export": "on" } } },
        },
    });
    kubectl.apply(&binding.to_string());

    fs::write(folder.join("pod.yaml"), pod(&IMAGES).to_string()).unwrap();
    let rewritten: Value =
        serde_json::from_str(&imageswap(&folder, &["rewrite", "--maps", "maps", "--output=-", "pod.yaml"]))
            .unwrap();
    let wanted = images_of(&rewritten);
    let create = |pod: &Value| {
        let made = kubectl
            .call(&["create", "--dry-run=server", "--output=json", "--filename=-"], &pod.to_string())?;
        Ok::<Value, String>(serde_json::from_str(&made).unwrap())
    };
    let made = wait("the policy counts", 60, || {
        let made = create(&pod(&IMAGES))?;
        if images_of(&made)[0] == "nginx" { Err("not yet".to_owned()) } else { Ok(made) }
    });
    assert_eq!(images_of(&made), wanted);
    assert_eq!(made["spec"]["containers"][0]["args"], json!(["x"]), "nothing else changes");
    // A second time nothing does.
    let again = images_of(&made);
    let again = create(&pod(&again[..IMAGES.len()].iter().map(String::as_str).collect::<Vec<_>>())).unwrap();
    assert_eq!(images_of(&again)[..IMAGES.len()], wanted[..IMAGES.len()]);
    // Pods without initContainers get none.
    let mut plain = pod(&IMAGES[..3]);
    plain["spec"].as_object_mut().unwrap().remove("initContainers");
    assert!(create(&plain).unwrap()["spec"]["initContainers"].is_null());
    // What is added to debug a pod is changed, too, and nothing that runs.
    kubectl.apply(&plain.to_string());
    for (name, image) in [("d1", "quay.io/team/tool:1"), ("d2", "ghcr.io/owner/tool:2")] {
        let name = format!("--container={name}");
        let image = format!("--image={image}");
        kubectl.run(&["debug", "pod/p", "--namespace=kyverno-export", &name, &image, "--profile=general"]);
    }
    let debugged = kubectl.get(&["pod/p", "--namespace=kyverno-export"]);
    let of = |at: usize| debugged["spec"]["ephemeralContainers"][at]["image"].as_str().unwrap();
    assert_eq!([of(0), of(1)], ["t.example/team/tool:1", "docker.io/ghcr/owner/tool:2"]);
    assert_eq!(debugged["spec"]["containers"][0]["image"], wanted[0].as_str());
}
