//! The admission webhook under load, beside a server that does nothing but send back what it gets.

mod abuse;
mod chaos;
mod client;
mod echo;
mod overload;
mod process;

use std::time::{Duration, Instant};

use super::Size;
use client::{Load, Target, load};
use process::Replica;

pub use echo::serve as echo;

/// A review of about 3.3 KiB, as a Deployment's Pod makes it.
fn small() -> String {
    review(2, 64)
}

/// A review of about 68 KiB.
fn large() -> String {
    review(40, 2_600)
}

fn review(containers: usize, managed: usize) -> String {
    let container = |i: usize| {
        format!(
            r#"{{"name":"app-{i}","image":"nginx:1.{i}","ports":[{{"containerPort":80,"protocol":"TCP"}}],"env":[{{"name":"DATABASE_URL","value":"postgres://db.shop.svc:5432/app"}},{{"name":"POD_NAME","valueFrom":{{"fieldRef":{{"apiVersion":"v1","fieldPath":"metadata.name"}}}}}}],"resources":{{"limits":{{"cpu":"500m","memory":"256Mi"}},"requests":{{"cpu":"100m","memory":"128Mi"}}}},"volumeMounts":[{{"name":"kube-api-access-x","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}}],"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}}"#
        )
    };
    let containers: Vec<String> = (0..containers).map(container).collect();
    let fields: Vec<String> = (0..managed).map(|i| format!(r#""f:field-{i}":{{}}"#)).collect();
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","kind":{{"group":"","version":"v1","kind":"Pod"}},"resource":{{"group":"","version":"v1","resource":"pods"}},"namespace":"shop","operation":"CREATE","userInfo":{{"username":"system:serviceaccount:kube-system:replicaset-controller","groups":["system:serviceaccounts","system:authenticated"]}},"object":{{"kind":"Pod","apiVersion":"v1","metadata":{{"generateName":"web-5d4f7c-","labels":{{"app":"web","pod-template-hash":"5d4f7c"}},"managedFields":[{{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{{{fields}}}}}]}},"spec":{{"containers":[{containers}],"restartPolicy":"Always","dnsPolicy":"ClusterFirst","serviceAccountName":"default","schedulerName":"default-scheduler","tolerations":[{{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}}],"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"}},"status":{{}}}},"oldObject":null,"dryRun":false,"options":{{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}}}}}"#,
        fields = fields.join(","),
        containers = containers.join(","),
    )
}

/// Ten thousand rules of the kinds that people write.
fn rules() -> String {
    let rule = |i: usize| match i % 4 {
        0 => format!("registry-{i}.example.com::mirror.example.net/r{i}\n"),
        1 => format!("quay.io/team-{i}::mirror.example.net/quay/team-{i}\n"),
        2 => format!("[EXACT]ghcr.io/app-{i}:1::mirror.example.net/ghcr/app-{i}:1\n"),
        _ => format!("docker.io/org-{i}::mirror.example.net/hub/org-{i}\n"),
    };
    format!("docker.io::mirror.example.net/hub\n{}", (0..10_000).map(rule).collect::<String>())
}

fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime")
}

/// Prints CPU a review, latencies at fixed rates, memory and time to be ready.
pub fn run(size: Size) {
    let runtime = runtime();
    let seconds = if size.full { 5 } else { 1 };
    let mut starts: Vec<Duration> = Vec::new();
    for _ in 0..size.runs.min(5) {
        let started = Instant::now();
        let replica = Replica::serve(&rules());
        replica.until_ready();
        starts.push(started.elapsed());
    }
    starts.sort();
    println!(
        "start to ready, 10,000 rules: {:.1} ms (best of {})",
        starts[0].as_secs_f64() * 1e3,
        starts.len()
    );
    let serve = Replica::serve(&rules());
    serve.until_ready();
    println!("resident, idle, 10,000 rules: {:.1} MiB", serve.memory("VmRSS:"));
    let echo = Replica::echo();
    echo.until_ready();
    for (name, body, rate) in [("3.3 KiB", small(), 2_000), ("68 KiB", large(), 300)] {
        println!("{name} review ({} bytes) at {rate}/s, 16 connections kept alive:", body.len());
        let mut costs = Vec::new();
        for (server, replica) in [("echo", &echo), ("serve", &serve)] {
            let target = Target { address: replica.address.clone(), tls: replica.client.clone() };
            let wanted = Load { rate, connections: 16, length: Duration::from_secs(seconds) };
            runtime.block_on(load(&target, &body, Load { length: Duration::from_millis(500), ..wanted }));
            let before = replica.cpu();
            let report = runtime.block_on(load(&target, &body, wanted));
            let cost = (replica.cpu() - before).as_secs_f64() * 1e6 / report.good.max(1) as f64;
            costs.push(cost);
            println!(
                "  {server:>5}: {cost:6.1} us CPU each, p50 {:.2} p99 {:.2} p99.9 {:.2} ms, {} good, {} failed",
                report.percentile(50.0),
                report.percentile(99.0),
                report.percentile(99.9),
                report.good,
                report.failed
            );
        }
        println!("  ratio: {:.2} x echo", costs[1] / costs[0]);
    }
    println!("resident, peak: {:.1} MiB", serve.memory("VmHWM:"));
    more_connections(&runtime, &serve, seconds);
    overload::run(&runtime, &serve, seconds);
}

/// Goodput with ten times the connections that already keep the server busy.
fn more_connections(runtime: &tokio::runtime::Runtime, serve: &Replica, seconds: u64) {
    let target = Target { address: serve.address.clone(), tls: serve.client.clone() };
    let body = small();
    let length = Duration::from_secs(seconds);
    let flood = |connections| runtime.block_on(load(&target, &body, Load { rate: 0, connections, length }));
    let (peak, over) = (flood(16), flood(160));
    let per_second = |good: usize| good as f64 / length.as_secs_f64();
    println!(
        "{:.0}/s with 16 busy connections, {:.0}/s with 160: {:.0} % ({} failed)",
        per_second(peak.good),
        per_second(over.good),
        100.0 * over.good as f64 / peak.good.max(1) as f64,
        over.failed
    );
}

/// Replicas restart, certificates and maps change, and no request may fail.
pub fn chaos(size: Size) {
    runtime().block_on(chaos::run(if size.full { 100_000 } else { 2_000 }));
}

/// What a hostile client can do to the memory.
pub fn abuse(size: Size) {
    runtime().block_on(abuse::run(size.full));
}
