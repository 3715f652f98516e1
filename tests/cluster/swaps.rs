//! What the API server stores when imageswap is installed: which objects are swapped, and which are left alone.

use serde_json::{Value, json};

use crate::control_plane::shared;
use crate::installation::{Installation, NAMESPACE};
use crate::kubectl::Kubectl;
use crate::processes::wait;
use crate::serving::{Serving, namespace, wait_for};
use crate::sidecar::Injector;

const SWAPPED: &str = "mirror.example.com/hub/nginx";

fn images(containers: &Value) -> Vec<&str> {
    containers.as_array().unwrap().iter().map(|container| container["image"].as_str().unwrap()).collect()
}

fn pod(name: &str, labels: &Value) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "labels": labels },
        "spec": {
            "initContainers": [{ "name": "init", "image": "busybox:1.36" }],
            "containers": [
                { "name": "web", "image": "nginx" },
                { "name": "other", "image": "quay.io/team/other:1" },
            ],
        },
    })
    .to_string()
}

/// Applies to a namespace; what kubectl said, warnings included.
#[track_caller]
fn create(kubectl: &Kubectl, namespace: &str, object: &str) -> String {
    kubectl.call(&["create", "--filename=-", "--namespace", namespace], object).unwrap()
}

#[test]
fn what_makes_pods_is_swapped_and_so_are_the_containers_of_kubectl_debug() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &["--resources=workloads"]);
    let kubectl = &installation.kubectl;
    let _serving = Serving::start(plane, &installation, "workloads");
    let name = "workloads";
    namespace(kubectl, name, &["k8s.twr.io/imageswap=enabled"]);
    wait_for(kubectl, name, SWAPPED);
    let here = ["--namespace", name];
    let get = |object: &str| kubectl.get(&[&[object], &here[..]].concat());

    create(kubectl, name, &pod("web", &json!({})));
    let stored = get("pod/web");
    assert_eq!(images(&stored["spec"]["containers"]), [SWAPPED, "quay.io/team/other:1"]);
    assert_eq!(images(&stored["spec"]["initContainers"]), ["mirror.example.com/hub/busybox:1.36"]);

    kubectl.run(&[&["create", "deployment", "shop", "--image=nginx"], &here[..]].concat());
    assert_eq!(images(&get("deployment/shop")["spec"]["template"]["spec"]["containers"]), [SWAPPED]);
    kubectl.run(&[&["create", "job", "once", "--image=nginx"], &here[..]].concat());
    assert_eq!(images(&get("job/once")["spec"]["template"]["spec"]["containers"]), [SWAPPED]);
    let cron = ["create", "cronjob", "often", "--image=nginx", "--schedule=0 0 1 1 *"];
    kubectl.run(&[&cron[..], &here].concat());
    let template = &get("cronjob/often")["spec"]["jobTemplate"]["spec"]["template"];
    assert_eq!(images(&template["spec"]["containers"]), [SWAPPED]);

    let debug = ["debug", "pod/web", "--image=busybox", "--container=look", "--", "true"];
    kubectl.run(
        &[&["debug", "pod/web", "--image=busybox", "--container=look"], &here[..], &debug[4..]].concat(),
    );
    let stored = get("pod/web");
    assert_eq!(images(&stored["spec"]["ephemeralContainers"]), ["mirror.example.com/hub/busybox"]);

    // A change of something else restarts nothing.
    kubectl.run(&[&["label", "pod/web", "tier=front"], &here[..]].concat());
    assert_eq!(images(&get("pod/web")["spec"]["containers"]), [SWAPPED, "quay.io/team/other:1"]);
    kubectl.run(&[&["set", "image", "deployment/shop", "nginx=nginx:1.27"], &here[..]].concat());
    let containers = get("deployment/shop")["spec"]["template"]["spec"]["containers"].clone();
    assert_eq!(images(&containers), [format!("{SWAPPED}:1.27")]);

    // A dry run shows it and stores nothing.
    let dry = ["run", "dry", "--image=nginx", "--dry-run=server", "--output=json"];
    let shown: Value = serde_json::from_str(&kubectl.run(&[&dry[..], &here].concat())).unwrap();
    assert_eq!(images(&shown["spec"]["containers"]), [SWAPPED]);
    kubectl.fails(&[&["get", "pod/dry"], &here[..]].concat());
}

#[test]
fn with_rules_for_pods_alone_the_pods_of_a_deployment_are_swapped() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let kubectl = &installation.kubectl;
    let _serving = Serving::start(plane, &installation, "pods");
    let name = "pods-alone";
    namespace(kubectl, name, &["k8s.twr.io/imageswap=enabled"]);
    wait_for(kubectl, name, SWAPPED);
    kubectl.run(&["create", "deployment", "shop", "--image=nginx", "--replicas=2", "--namespace", name]);
    let deployment = kubectl.get(&["deployment/shop", "--namespace", name]);
    assert_eq!(images(&deployment["spec"]["template"]["spec"]["containers"]), ["nginx"]);
    let pods = wait("the pods are made", 60, || {
        let pods = kubectl.get(&["pods", "--selector=app=shop", "--namespace", name]);
        let items = pods["items"].as_array().unwrap().clone();
        if items.len() == 2 { Ok(items) } else { Err(pods.to_string()) }
    });
    for pod in pods {
        assert_eq!(images(&pod["spec"]["containers"]), [SWAPPED], "{pod}");
    }
}

#[test]
fn labels_say_what_is_left_alone() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let kubectl = &installation.kubectl;
    let serving = Serving::start(plane, &installation, "labels");
    for (name, labels) in [
        ("labels-on", &["k8s.twr.io/imageswap=enabled"][..]),
        ("labels-audit", &["k8s.twr.io/imageswap=audit"]),
        ("labels-none", &[]),
        ("labels-off", &["k8s.twr.io/imageswap=disabled"]),
    ] {
        namespace(kubectl, name, labels);
    }
    wait_for(kubectl, "labels-on", SWAPPED);
    for (name, labels, wanted) in [
        ("labels-on", json!({}), SWAPPED),
        ("labels-on", json!({ "k8s.twr.io/imageswap": "disabled" }), "nginx"),
        ("labels-audit", json!({}), "nginx"),
        ("labels-none", json!({}), "nginx"),
        ("labels-off", json!({}), "nginx"),
    ] {
        let pod_name = if labels == json!({}) { "plain" } else { "disabled" };
        create(kubectl, name, &pod(pod_name, &labels));
        let stored = kubectl.get(&[&format!("pod/{pod_name}"), "--namespace", name]);
        assert_eq!(images(&stored["spec"]["containers"])[0], wanted, "{name} {pod_name}");
    } // An audited namespace is looked at all the same; the others are not sent at all.
    let reviews = |namespace: &str| {
        let (of, log) = (format!("\"namespace\":\"{namespace}\""), serving.process.log());
        log.lines().filter(|line| line.contains(&of)).map(str::to_owned).collect::<Vec<_>>()
    };
    wait("the audited review is in the log", 60, || match reviews("labels-audit") {
        audited if audited.iter().any(|line| line.contains("\"outcome\":\"would_patch\"")) => Ok(()),
        audited => Err(format!("{audited:?}")),
    });
    assert_eq!((reviews("labels-none"), reviews("labels-off")), (Vec::new(), Vec::new()));
}

#[test]
fn all_namespaces_but_the_clusters_own_when_the_scope_is_all() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &["--scope=all"]);
    let kubectl = &installation.kubectl;
    let _serving = Serving::start(plane, &installation, "all");
    namespace(kubectl, "all-plain", &[]);
    namespace(kubectl, "all-off", &["k8s.twr.io/imageswap=disabled"]);
    wait_for(kubectl, "all-plain", SWAPPED);
    for name in ["all-off", "kube-system", NAMESPACE] {
        let arguments =
            ["run", "probe", "--image=nginx", "--dry-run=server", "--output=json", "--namespace", name];
        let overrides = r#"--overrides={"spec":{"securityContext":{"runAsNonRoot":true,"runAsUser":1,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"probe","image":"nginx","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}"#;
        let made: Value =
            serde_json::from_str(&kubectl.run(&[&arguments[..], &[overrides]].concat())).unwrap();
        assert_eq!(images(&made["spec"]["containers"]), ["nginx"], "{name}");
    }
}

#[test]
fn a_sidecar_that_another_webhook_injects_later_is_swapped_too() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let kubectl = &installation.kubectl;
    let _serving = Serving::start(plane, &installation, "reinvoked");
    let name = "reinvoked";
    namespace(kubectl, name, &["k8s.twr.io/imageswap=enabled"]);
    let injector = Injector::start();
    // Webhooks are called in the order of these names.
    kubectl.apply(&injector.configuration("zz-injector", name).to_string());
    wait_for(kubectl, name, SWAPPED);
    let stored = wait("the sidecar is injected", 30, || {
        let arguments = ["run", "web", "--image=nginx", "--namespace", name, "--output=json"];
        let made: Value = serde_json::from_str(&kubectl.try_run(&arguments)?).unwrap();
        if made["spec"]["containers"].as_array().unwrap().len() == 2 {
            return Ok(made);
        }
        kubectl.run(&["delete", "pod/web", "--now", "--namespace", name]);
        Err(made.to_string())
    });
    kubectl.run(&["delete", "mutatingwebhookconfiguration/zz-injector"]);
    assert_eq!(images(&stored["spec"]["containers"]), [SWAPPED, "mirror.example.com/hub/envoy:1"]);
}

/// The three ways past a webhook that is down: for a workload, for a namespace, for the cluster.
#[test]
fn break_glass_while_no_replica_answers() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &[]);
    let kubectl = &installation.kubectl;
    let serving = Serving::start(plane, &installation, "down");
    let name = "break-glass";
    namespace(kubectl, name, &["k8s.twr.io/imageswap=enabled"]);
    wait_for(kubectl, name, SWAPPED);
    assert_eq!(serving.process.terminate(), Some(0));
    let run = ["run", "--image=nginx", "--namespace", name];
    let refused = wait("pods are refused", 30, || {
        match kubectl.try_run(&[&run[..], &["refused", "--dry-run=server"]].concat()) {
            Ok(made) => Err(made),
            Err(error) => Ok(error),
        }
    });
    assert!(refused.contains("failed calling webhook \"imageswap.webhook.k8s.twr.io\""), "{refused}");

    kubectl.run(&[&run[..], &["workload", "--labels=k8s.twr.io/imageswap=disabled"]].concat());
    kubectl.run(&["label", "namespace", name, "k8s.twr.io/imageswap=disabled", "--overwrite"]);
    wait("the namespace is out", 30, || kubectl.try_run(&[&run[..], &["namespace"]].concat()));
    kubectl.run(&["label", "namespace", name, "k8s.twr.io/imageswap=enabled", "--overwrite"]);
    wait("the namespace is in", 30, || {
        match kubectl.try_run(&[&run[..], &["again", "--dry-run=server"]].concat()) {
            Ok(made) => Err(made),
            Err(error) => Ok(error),
        }
    });
    kubectl.run(&["delete", "mutatingwebhookconfiguration", "imageswap-webhook"]);
    wait("the cluster is out", 30, || kubectl.try_run(&[&run[..], &["cluster"]].concat()));
    for pod in ["workload", "namespace", "cluster"] {
        let stored = kubectl.get(&[&format!("pod/{pod}"), "--namespace", name]);
        assert_eq!(images(&stored["spec"]["containers"]), ["nginx"], "{pod}");
    }
}

#[test]
fn objects_are_taken_as_they_are_where_the_policy_is_to_ignore() {
    let Some(plane) = shared() else { return };
    let installation = Installation::of(plane, &["--failure-policy=Ignore"]);
    let kubectl = &installation.kubectl;
    let serving = Serving::start(plane, &installation, "ignored");
    let name = "ignored";
    namespace(kubectl, name, &["k8s.twr.io/imageswap=enabled"]);
    wait_for(kubectl, name, SWAPPED);
    assert_eq!(serving.process.terminate(), Some(0));
    wait_for(kubectl, name, "nginx");
}
