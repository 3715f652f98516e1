//! The packages that the tests feed to the hosts. Their comments, quotes, digests and indents are the point.

use super::stage::Stage;

pub(crate) const DEPLOYMENT: &str = r#"# The shop's front.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # the name
  labels: {app: web}
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      initContainers:
      # waits for the database
      - name: wait
        image: 'busybox:1.36' # {"$imagepolicy": "shop:wait"}
      containers:
      - name: web
        image: nginx:1.27 # kept
        env:
        - name: CONFIG
          valueFrom:
            configMapKeyRef:
              name: settings
              key: image
      - name: sidecar
        image: "quay.io/team/sidecar@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
      - name: own
        image: registry.corp.example/own:1
"#;

pub(crate) const CRON_JOB: &str = r"apiVersion: batch/v1
kind: CronJob
metadata:
  name: tidy
spec:
  schedule: 0 3 * * *
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: tidy
            image: docker.io/library/alpine:3.20
";

/// The image lines of the package that change, as they become, sorted.
pub(crate) const SWAPPED: [&str; 4] = [
    r#"image: "mirror.example.com/quay/team/sidecar@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855""#,
    r#"image: 'mirror.example.com/hub/busybox:1.36' # {"$imagepolicy": "shop:wait"}"#,
    "image: mirror.example.com/hub/library/alpine:3.20",
    "image: mirror.example.com/hub/nginx:1.27 # kept",
];

/// [`SWAPPED`] as kustomize prints it: without comments, and quoted only where it must be.
pub(crate) fn swapped_built() -> Vec<String> {
    let bare = |line: &&str| line.split(" #").next().unwrap().replace(['\'', '"'], "");
    let mut lines: Vec<String> = SWAPPED.iter().map(bare).collect();
    lines.sort();
    lines
}

/// Writes the two manifests into a folder of the stage.
pub(crate) fn manifests(stage: &Stage, folder: &str) {
    stage.write(&format!("{folder}/cronjob.yaml"), CRON_JOB);
    stage.write(&format!("{folder}/deployment.yaml"), DEPLOYMENT);
}

/// A kustomization of the two manifests, with generated names; `more` goes below.
pub(crate) fn kustomization(stage: &Stage, folder: &str, more: &str) {
    manifests(stage, folder);
    stage.write(
        &format!("{folder}/kustomization.yaml"),
        &format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamePrefix: shop-\n\
             resources: [cronjob.yaml, deployment.yaml]\n\
             configMapGenerator:\n- name: settings\n  literals: [image=nginx]\n{more}"
        ),
    );
}

/// A Helm chart of the two manifests.
pub(crate) fn chart(stage: &Stage, folder: &str) {
    stage.write(&format!("{folder}/Chart.yaml"), "apiVersion: v2\nname: shop\nversion: 0.1.0\n");
    manifests(stage, &format!("{folder}/templates"));
}
