//! The data: manifests as people write them, made from a number, so that every run has the same.

use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The rules that the benchmarks use.
pub const MAPS: &str = "docker.io::mirror.example.com/hub\nquay.io::mirror.example.com/quay\n\
    ghcr.io::mirror.example.com/ghcr\nregistry.k8s.io::mirror.example.com/k8s\n";

const IMAGES: [&str; 8] = [
    "docker.io/library/nginx:1.25.3",
    "docker.io/bitnami/postgresql:16.1.0-debian-11-r9",
    "quay.io/prometheus/node-exporter:v1.7.0",
    "ghcr.io/example/shop/frontend:2024.1.7",
    "docker.io/library/redis:7.2@sha256:3fb96eca2bd9ee42d1de3b1b2d6bd6a8a2e3d5ce5b0ea9d8c3a7e7e2f9cbe6a1",
    "registry.k8s.io/ingress-nginx/controller:v1.9.5",
    "docker.io/grafana/grafana:10.2.3",
    "quay.io/jetstack/cert-manager-controller:v1.13.3",
];

/// File number `n` of a tree. As in collections of public repositories, seven in ten hold images (2.6 each) and have
/// about half of the bytes; settings, dashboards, roles and CustomResourceDefinitions make up the rest.
pub fn file(n: usize) -> String {
    let mut text = format!("# Managed by the platform team; see docs/{n}.md\n");
    match n % 10 {
        0..=4 => {
            workload(&mut text, n, 2 + n % 2);
            text.push_str("---\n");
            service(&mut text, n);
        }
        5 | 6 => cron_job(&mut text, n),
        7 => settings(&mut text, n),
        8 => roles(&mut text, n),
        _ => definition(&mut text, n, 8),
    }
    text
}

/// A tree of `files` files in folders of a hundred.
pub fn tree(folder: &Path, files: usize) {
    for n in 0..files {
        let app = folder.join(format!("team-{}/app-{}", n / 1000, n / 100));
        if n % 100 == 0 {
            fs::create_dir_all(&app).expect("a folder is made");
        }
        fs::write(app.join(format!("manifest-{n}.yaml")), file(n)).expect("a file is written");
    }
}

/// One file of about `bytes` bytes, many documents.
pub fn stream(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 10_000);
    for n in 0.. {
        text.push_str("---\n");
        text.push_str(&file(n));
        if text.len() >= bytes {
            break;
        }
    }
    text
}

/// A kustomization of `resources` files with an `images` list.
pub fn kustomization(folder: &Path, resources: usize) {
    fs::create_dir_all(folder).expect("a folder is made");
    let mut list =
        String::from("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n");
    for n in 0..resources {
        let mut text = String::new();
        workload(&mut text, n, 1);
        fs::write(folder.join(format!("r{n}.yaml")), text).expect("a file is written");
        let _ = writeln!(list, "- r{n}.yaml");
    }
    list.push_str(
        "images:\n- name: docker.io/library/nginx\n  newName: mirror.example.com/hub/library/nginx\n",
    );
    fs::write(folder.join("kustomization.yaml"), list).expect("a file is written");
}

/// A ResourceList of `resources` workloads with rules in its functionConfig.
pub fn resource_list(resources: usize) -> String {
    let mut text = String::from("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n");
    for n in 0..resources {
        let mut item = String::new();
        workload(&mut item, n, 1);
        for (i, line) in item.lines().enumerate() {
            let _ = writeln!(text, "{}{line}", if i == 0 { "- " } else { "  " });
        }
    }
    text.push_str(
        "functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: function-input\n  data:\n    \
         docker.io: mirror.example.com/hub\n    quay.io: mirror.example.com/quay\n",
    );
    text
}

/// A List of `items` Pods as JSON: as `kubectl get -o json` prints it, or as programs send it, on one line.
pub fn json_list(items: usize, one_line: bool) -> String {
    let pod = |n: usize| {
        let image = IMAGES[n % IMAGES.len()];
        serde_json::json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": format!("web-{n}"), "labels": {"app.kubernetes.io/name": "web"}},
            "spec": {"containers": [{"name": "web", "image": image, "ports": [{"containerPort": 8080}]}]},
        })
    };
    let items: Vec<_> = (0..items).map(pod).collect();
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
    let text = if one_line { serde_json::to_string(&list) } else { serde_json::to_string_pretty(&list) };
    text.expect("a list is JSON")
}

/// One flow sequence of `images` containers, on one line of YAML.
pub fn flow_line(images: usize) -> String {
    let mut text = String::from("kind: Pod\nspec: {containers: [");
    for n in 0..images {
        let _ = write!(text, "{{name: c{n}, image: \"{}\"}}, ", IMAGES[n % IMAGES.len()]);
    }
    text.push_str("]}\n");
    text
}

/// CustomResourceDefinitions of about `bytes` bytes: deep schemas with long descriptions, no image in them.
pub fn crds(bytes: usize) -> String {
    let mut text = String::new();
    let mut n = 0;
    while text.len() < bytes {
        text.push_str("---\n");
        definition(&mut text, n, 60);
        n += 1;
    }
    text
}

/// A CustomResourceDefinition with that many fields.
fn definition(text: &mut String, n: usize, fields: usize) {
    let _ = write!(
        text,
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: \
         widgets{n}.example.com\nspec:\n  group: example.com\n  names:\n    kind: Widget{n}\n    plural: \
         widgets{n}\n  scope: Namespaced\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    \
         schema:\n      openAPIV3Schema:\n        description: Widget{n} is the Schema for the widgets API\n        \
         type: object\n        properties:\n          spec:\n            type: object\n            properties:\n"
    );
    for field in 0..fields {
        let _ = write!(
            text,
            "              containers{field}:\n                description: |-\n                  List of \
             containers belonging to the pod.\n                  Containers cannot currently be added or \
             removed \u{2013} there must be at least one container in a Pod.\n\n                  More info: \
             https://kubernetes.io/docs/concepts/containers/images/#{field}\n                items:\n                  \
             description: A single application container that you want to run within a pod.\n                  \
             properties:\n                    image:\n                      description: >-\n                        \
             Container image name. This field is optional to allow higher level\n                        config \
             management to default or override container images.\n                      type: string\n                    \
             imagePullPolicy:\n                      description: 'Image pull policy. One of Always, Never, \
             IfNotPresent. Defaults to \"Always\" if :latest tag is specified.'\n                      type: \
             string\n                    ports:\n                      items:\n                        properties:\n                          \
             containerPort:\n                            format: int32\n                            type: integer\n                          \
             protocol:\n                            default: TCP\n                            type: string\n                        \
             required:\n                        - containerPort\n                        type: object\n                      \
             type: array\n                      x-kubernetes-list-map-keys:\n                      - containerPort\n                  \
             required:\n                  - name\n                  type: object\n                type: array\n"
        );
    }
}

fn metadata(text: &mut String, n: usize, what: &str) {
    let _ = write!(
        text,
        "metadata:\n  name: {what}-{n}\n  namespace: team-{}\n  labels:\n    app.kubernetes.io/name: {what}\n    \
         app.kubernetes.io/instance: {what}-{n}\n    app.kubernetes.io/part-of: \"shop\"\n    \
         app.kubernetes.io/managed-by: kustomize\n  annotations:\n    example.com/owner: team-{}@example.com # on \
         call\n    prometheus.io/scrape: \"true\"\n    prometheus.io/port: \"9090\"\n",
        n % 17,
        n % 17
    );
}

/// A pod spec at an indentation.
fn pod(text: &mut String, n: usize, containers: usize, indent: &str) {
    let mut spec = format!(
        "serviceAccountName: app-{n}\nsecurityContext:\n  runAsNonRoot: true\n  fsGroup: 2000\n  \
         seccompProfile:\n    type: RuntimeDefault\n"
    );
    if n.is_multiple_of(3) || containers == 1 {
        let _ = write!(
            spec,
            "initContainers:\n- name: migrate\n  image: \"{}\" # {{\"$imagepolicy\": \"apps:migrate\"}}\n  command: \
             [\"/bin/sh\", \"-c\"]\n  args:\n  - exec migrate --wait --timeout=60s\n",
            IMAGES[(n + 1) % IMAGES.len()]
        );
    }
    spec.push_str("containers:\n");
    for c in 0..containers {
        let quote = ["", "\"", "'"][(n + c) % 3];
        let _ = write!(
            spec,
            "- name: c{c}\n  image: {quote}{}{quote}\n  imagePullPolicy: IfNotPresent\n  args:\n  - \
             --listen=0.0.0.0:8080\n  - --config=/etc/app/config.yaml\n  - \"--log-level=info\"\n  env:\n  - name: \
             POD_NAME\n    valueFrom:\n      fieldRef:\n        fieldPath: metadata.name\n  - name: \
             DATABASE_URL\n    value: postgres://db-{n}.team.svc:5432/app?sslmode=require\n  - name: FEATURES\n    \
             value: \"search,checkout,reviews\"\n  - name: PASSWORD\n    valueFrom:\n      secretKeyRef:\n        \
             name: app-{n}\n        key: password\n  ports:\n  - name: http\n    containerPort: 8080\n    protocol: \
             TCP\n  - name: metrics\n    containerPort: 9090\n  # Slow on a cold start.\n  startupProbe:\n    \
             httpGet: {{path: /healthz, port: http}}\n    failureThreshold: 30\n    periodSeconds: 2\n  \
             livenessProbe:\n    httpGet:\n      path: /healthz\n      port: http\n    initialDelaySeconds: \
             10\n  readinessProbe:\n    httpGet:\n      path: /readyz\n      port: http\n  resources:\n    \
             requests:\n      cpu: 100m\n      memory: 128Mi\n    limits:\n      memory: 512Mi\n  \
             securityContext:\n    allowPrivilegeEscalation: false\n    readOnlyRootFilesystem: true\n    \
             capabilities:\n      drop: [ALL]\n  volumeMounts:\n  - name: config\n    mountPath: /etc/app\n  - name: \
             tmp\n    mountPath: /tmp\n",
            IMAGES[(n * 3 + c) % IMAGES.len()]
        );
    }
    spec.push_str(
        "affinity:\n  podAntiAffinity:\n    preferredDuringSchedulingIgnoredDuringExecution:\n    - weight: 100\n      \
         podAffinityTerm:\n        topologyKey: kubernetes.io/hostname\n        labelSelector:\n          \
         matchLabels:\n            app.kubernetes.io/part-of: shop\ntolerations:\n- key: dedicated\n  operator: \
         Equal\n  value: apps\n  effect: NoSchedule\nvolumes:\n- name: config\n  configMap:\n    name: config\n- name: \
         tmp\n  emptyDir: {}\n",
    );
    for line in spec.lines() {
        let _ = writeln!(text, "{indent}{line}");
    }
}

fn workload(text: &mut String, n: usize, containers: usize) {
    let kind = ["Deployment", "StatefulSet", "DaemonSet"][n % 3];
    let _ = writeln!(text, "apiVersion: apps/v1\nkind: {kind}");
    metadata(text, n, "web");
    let _ = write!(
        text,
        "spec:\n  replicas: {}\n  selector:\n    matchLabels:\n      app.kubernetes.io/instance: web-{n}\n  \
         template:\n    metadata:\n      labels:\n        app.kubernetes.io/instance: web-{n}\n    spec:\n",
        n % 5 + 1
    );
    pod(text, n, containers, "      ");
}

fn cron_job(text: &mut String, n: usize) {
    text.push_str("apiVersion: batch/v1\nkind: CronJob\n");
    metadata(text, n, "report");
    text.push_str(
        "spec:\n  schedule: \"*/15 * * * *\"\n  concurrencyPolicy: Forbid\n  jobTemplate:\n    spec:\n      template:\n        \
         spec:\n          restartPolicy: OnFailure\n",
    );
    pod(text, n, 1, "          ");
}

fn service(text: &mut String, n: usize) {
    text.push_str("apiVersion: v1\nkind: Service\n");
    metadata(text, n, "web");
    text.push_str(
        "spec:\n  type: ClusterIP\n  selector:\n    app.kubernetes.io/name: web\n  ports:\n  - name: http\n    port: \
         80\n    targetPort: http\n  - name: metrics\n    port: 9090\n    targetPort: metrics\n",
    );
}

fn settings(text: &mut String, n: usize) {
    text.push_str("apiVersion: v1\nkind: ConfigMap\n");
    metadata(text, n, "config");
    text.push_str("data:\n  config.yaml: |\n");
    for line in 0..120 {
        let _ = writeln!(
            text,
            "    section-{line}: {{enabled: true, limit: {}, text: \"value {n} {line}\"}}",
            line * n
        );
    }
}

fn roles(text: &mut String, n: usize) {
    text.push_str("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n");
    metadata(text, n, "role");
    text.push_str("rules:\n");
    for rule in 0..40 {
        let _ = write!(
            text,
            "- apiGroups: [\"\", apps, batch]\n  resources:\n  - pods\n  - deployments\n  - things{rule}\n  verbs: \
             [get, list, watch]\n"
        );
    }
}
