//! The table of image fields by kind: where custom resources keep images outside of containers.

use std::fmt;
use std::str::FromStr;

use super::keys::hash;
use super::occurrence::Resource;
use super::path::{FieldPath, Segment};

/// A field that holds an image in resources of one kind.
///
/// Written as `[GROUP/]KIND:PATH`, for example `apps.example.com/Widget:spec.engine.image` or
/// `tekton.dev/Task:spec.steps[].image`: `[]` stands for every element of a sequence, `*` for any key (and
/// as KIND for any kind), a backslash before a dot keeps the dot in its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSpec {
    group: Option<String>,
    kind: Option<String>,
    path: Vec<Step>,
}

/// One step of a field spec's path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    AnyKey,
    EveryElement,
}

/// Why a field spec cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field '{text}': {problem}; expected [GROUP/]KIND:PATH, for example apps/Widget:spec.engine.image")]
pub struct FieldSpecError {
    text: String,
    problem: &'static str,
}

impl FromStr for FieldSpec {
    type Err = FieldSpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |problem| FieldSpecError { text: text.to_owned(), problem };
        let (resource, path) = text.split_once(':').ok_or_else(|| error("no ':' between kind and path"))?;
        let (group, kind) = match resource.rsplit_once('/') {
            Some((group, kind)) => (Some(group), kind),
            None => (None, resource),
        };
        if kind.is_empty() || group.is_some_and(str::is_empty) {
            return Err(error("the kind or group is empty"));
        }
        Ok(Self {
            group: group.map(str::to_owned),
            kind: (kind != "*").then(|| kind.to_owned()),
            path: parse_path(path).map_err(error)?,
        })
    }
}

fn parse_path(path: &str) -> Result<Vec<Step>, &'static str> {
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        let mut key = String::new();
        let mut chars = rest.char_indices();
        let mut end = None;
        while let Some((i, c)) = chars.next() {
            match c {
                '\\' => key.extend(chars.next().map(|(_, c)| c)),
                '.' => {
                    end = Some(i);
                    break;
                }
                c => key.push(c),
            }
        }
        let mut elements = 0;
        while let Some(shorter) = key.strip_suffix("[]") {
            key.truncate(shorter.len());
            elements += 1;
        }
        match key.as_str() {
            "" => return Err("a part of the path is empty"),
            "*" => steps.push(Step::AnyKey),
            _ => steps.push(Step::Key(key)),
        }
        steps.extend(std::iter::repeat_n(Step::EveryElement, elements));
        match end {
            Some(end) => rest = &rest[end + 1..],
            None => return Ok(steps),
        }
    }
}

impl fmt::Display for FieldSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(group) = &self.group {
            write!(f, "{group}/")?;
        }
        write!(f, "{}:", self.kind.as_deref().unwrap_or("*"))?;
        for (i, step) in self.path.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            match step {
                Step::Key(key) => write!(f, "{dot}{}", key.replace('.', "\\."))?,
                Step::AnyKey => write!(f, "{dot}*")?,
                Step::EveryElement => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

impl FieldSpec {
    /// Whether a resource of `group` and `kind` has this field at `path`, counted from `depth` on.
    fn matches(&self, group: &str, kind: &str, path: &FieldPath, depth: usize) -> bool {
        self.kind.as_deref().is_none_or(|k| k == kind)
            && self.group.as_deref().is_none_or(|g| g == group)
            && self.path.len() + depth == path.len()
            && self.path.iter().zip(path.segments_below(depth)).all(|(step, segment)| match (step, segment) {
                (Step::Key(expected), Segment::Key(key)) => expected == key,
                (Step::AnyKey, Segment::Key(_)) | (Step::EveryElement, Segment::Index(_)) => true,
                (Step::Key(_) | Step::AnyKey, Segment::Index(_)) | (Step::EveryElement, Segment::Key(_)) => {
                    false
                }
            })
    }

    /// The last key of the path, which a document must hold; `None` when it is any key.
    fn last_key(&self) -> Option<&str> {
        self.path.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(Some(key.as_str())),
            Step::AnyKey => Some(None),
            Step::EveryElement => None,
        })?
    }
}

/// The field specs in use: `core` has none (images of containers and image volumes are found without), the
/// default table adds the kinds that are known, the user's come on top.
#[derive(Debug, Clone, Default)]
pub struct FieldTable {
    specs: Vec<FieldSpec>,
    /// Last keys of the specs' paths, without repetition.
    last_keys: Vec<String>,
    /// A bit for the hash of each last key: most keys of a manifest can be told by that.
    last_key_hashes: [u64; 4],
    any_last_key: bool,
}

impl FieldTable {
    /// No fields by kind.
    #[must_use]
    pub fn core() -> Self {
        Self::default()
    }

    /// The kinds that are known: Tekton, Argo Workflows, Prometheus operator and the others of the table.
    #[must_use]
    pub fn known() -> Self {
        let mut table = Self::default();
        for (kinds, paths) in KNOWN {
            for kind in kinds.split_whitespace() {
                for path in paths.split_whitespace() {
                    let spec = format!("{kind}:{path}").parse();
                    table.add(spec.expect("the known fields are well-formed"));
                }
            }
        }
        table
    }

    /// Adds a field.
    pub fn add(&mut self, spec: FieldSpec) {
        match spec.last_key() {
            Some(key) if !self.last_keys.iter().any(|k| k == key) => {
                self.last_keys.push(key.to_owned());
                let hash = hash(key.as_bytes());
                self.last_key_hashes[usize::from(hash / 64)] |= 1 << (hash % 64);
            }
            Some(_) => {}
            None => self.any_last_key = true,
        }
        self.specs.push(spec);
    }

    /// Whether a scalar under `key` (or in a sequence under it) may be a field of the table.
    #[must_use]
    #[inline(always)]
    pub(super) fn may_end_in(&self, key: &[u8]) -> bool {
        let hash = hash(key);
        let may_be = self.last_key_hashes[usize::from(hash / 64)] >> (hash % 64) & 1 != 0;
        self.any_last_key || (may_be && self.is_last_key(key))
    }

    fn is_last_key(&self, key: &[u8]) -> bool {
        self.last_keys.iter().any(|k| k.as_bytes() == key)
    }

    /// Whether `resource` has an image of the table at `path` (from the document's root).
    #[must_use]
    pub(super) fn contains(&self, resource: &Resource, path: &FieldPath) -> bool {
        let group = resource.group();
        self.specs.iter().any(|spec| spec.matches(group, &resource.kind, path, resource.depth))
    }

    /// Keys of which a document that lacks the text `image` must hold one to have an image of this table
    /// in it; `None` when any key will do.
    #[must_use]
    pub(super) fn keys_without_image(&self) -> Option<Vec<String>> {
        let names_image = |step: &Step| matches!(step, Step::Key(key) if key.contains("image"));
        let mut keys = Vec::new();
        for spec in self.specs.iter().filter(|spec| !spec.path.iter().any(names_image)) {
            let key = spec.last_key()?.to_owned();
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Some(keys)
    }
}

/// Kinds and the paths at which they hold whole image references. Fields that hold a part of one (a
/// repository beside a tag) are no images.
const KNOWN: &[(&str, &str)] = &[
    // https://tekton.dev/docs/pipelines/
    (
        "tekton.dev/Task tekton.dev/ClusterTask",
        "spec.steps[].image spec.sidecars[].image spec.stepTemplate.image",
    ),
    (
        "tekton.dev/TaskRun",
        "spec.taskSpec.steps[].image spec.taskSpec.sidecars[].image spec.taskSpec.stepTemplate.image",
    ),
    (
        "tekton.dev/Pipeline",
        "spec.tasks[].taskSpec.steps[].image spec.tasks[].taskSpec.sidecars[].image \
         spec.tasks[].taskSpec.stepTemplate.image spec.finally[].taskSpec.steps[].image \
         spec.finally[].taskSpec.sidecars[].image spec.finally[].taskSpec.stepTemplate.image \
         spec.tasks[].pipelineSpec.tasks[].taskSpec.steps[].image",
    ),
    (
        "tekton.dev/PipelineRun",
        "spec.pipelineSpec.tasks[].taskSpec.steps[].image spec.pipelineSpec.tasks[].taskSpec.sidecars[].image \
         spec.pipelineSpec.tasks[].taskSpec.stepTemplate.image \
         spec.pipelineSpec.finally[].taskSpec.steps[].image \
         spec.pipelineSpec.finally[].taskSpec.sidecars[].image \
         spec.pipelineSpec.finally[].taskSpec.stepTemplate.image",
    ),
    ("tekton.dev/StepAction", "spec.image"),
    // https://argo-workflows.readthedocs.io/en/latest/fields/
    (
        "argoproj.io/Workflow argoproj.io/WorkflowTemplate argoproj.io/ClusterWorkflowTemplate",
        "spec.templates[].container.image spec.templates[].script.image spec.templates[].sidecars[].image \
         spec.templates[].steps[][].inline.container.image spec.templates[].steps[][].inline.script.image \
         spec.templates[].dag.tasks[].inline.container.image spec.templates[].dag.tasks[].inline.script.image \
         spec.templateDefaults.container.image spec.templateDefaults.script.image \
         spec.templateDefaults.sidecars[].image spec.executorPlugins[].spec.sidecar.container.image",
    ),
    (
        "argoproj.io/CronWorkflow",
        "spec.workflowSpec.templates[].container.image spec.workflowSpec.templates[].script.image \
         spec.workflowSpec.templates[].sidecars[].image \
         spec.workflowSpec.templates[].steps[][].inline.container.image \
         spec.workflowSpec.templates[].dag.tasks[].inline.container.image \
         spec.workflowSpec.templateDefaults.container.image",
    ),
    // https://prometheus-operator.dev/docs/api-reference/api/
    (
        "monitoring.coreos.com/Prometheus monitoring.coreos.com/PrometheusAgent \
         monitoring.coreos.com/Alertmanager monitoring.coreos.com/ThanosRuler",
        "spec.image",
    ),
    ("monitoring.coreos.com/Prometheus", "spec.thanos.image"),
    // https://opentelemetry.io/docs/platforms/kubernetes/operator/
    (
        "opentelemetry.io/OpenTelemetryCollector opentelemetry.io/TargetAllocator opentelemetry.io/OpAMPBridge",
        "spec.image",
    ),
    ("opentelemetry.io/OpenTelemetryCollector", "spec.targetAllocator.image"),
    ("opentelemetry.io/Instrumentation", "spec.*.image"),
    // https://rook.io/docs/rook/latest/CRDs/Cluster/ceph-cluster-crd/
    ("ceph.rook.io/CephCluster", "spec.cephVersion.image"),
    // https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/
    ("postgresql.cnpg.io/Cluster", "spec.imageName"),
    ("postgresql.cnpg.io/ImageCatalog postgresql.cnpg.io/ClusterImageCatalog", "spec.images[].image"),
    // https://docs.percona.com/percona-operators/
    (
        "psmdb.percona.com/PerconaServerMongoDB",
        "spec.image spec.initImage spec.pmm.image spec.backup.image spec.logcollector.image",
    ),
    (
        "pxc.percona.com/PerconaXtraDBCluster",
        "spec.initImage spec.initContainer.image spec.pxc.image spec.haproxy.image spec.proxysql.image \
         spec.logcollector.image spec.pmm.image spec.backup.image",
    ),
    (
        "ps.percona.com/PerconaServerMySQL",
        "spec.initImage spec.mysql.image spec.proxy.haproxy.image spec.proxy.router.image spec.orchestrator.image \
         spec.pmm.image spec.backup.image spec.toolkit.image",
    ),
    (
        "pgv2.percona.com/PerconaPGCluster",
        "spec.image spec.initContainer.image spec.proxy.pgBouncer.image spec.backups.pgbackrest.image spec.pmm.image",
    ),
    // https://docs.confluent.io/operator/current/co-api.html
    (
        "platform.confluent.io/Zookeeper platform.confluent.io/Kafka platform.confluent.io/Connect \
         platform.confluent.io/SchemaRegistry platform.confluent.io/ControlCenter platform.confluent.io/KsqlDB \
         platform.confluent.io/KafkaRestProxy platform.confluent.io/KRaftController",
        "spec.image.application spec.image.init spec.services.*.image",
    ),
    ("platform.confluent.io/FlinkApplication", "spec.image"),
    // https://min.io/docs/minio/kubernetes/upstream/reference/operator-crd.html
    ("minio.min.io/Tenant", "spec.image spec.kes.image"),
    // https://numaflow.numaproj.io/
    (
        "numaflow.numaproj.io/MonoVertex",
        "spec.source.udsource.container.image spec.source.transformer.container.image \
         spec.sink.udsink.container.image spec.sink.fallback.udsink.container.image spec.udf.container.image",
    ),
    (
        "numaflow.numaproj.io/Pipeline",
        "spec.vertices[].source.udsource.container.image spec.vertices[].source.transformer.container.image \
         spec.vertices[].sink.udsink.container.image spec.vertices[].udf.container.image",
    ),
    (
        "numaplane.numaproj.io/MonoVertexRollout",
        "spec.monoVertex.spec.source.udsource.container.image \
         spec.monoVertex.spec.source.transformer.container.image spec.monoVertex.spec.sink.udsink.container.image",
    ),
    // https://kserve.github.io/website/
    ("serving.kserve.io/ClusterStorageContainer", "spec.container.image"),
    (
        "serving.kserve.io/InferenceService",
        "spec.predictor.*.image spec.transformer.custom.container.image \
         spec.default.predictor.custom.container.image spec.default.explainer.custom.container.image \
         spec.default.transformer.custom.container.image",
    ),
    // https://gateway.envoyproxy.io/docs/api/extension_types/
    (
        "gateway.envoyproxy.io/EnvoyProxy",
        "spec.provider.kubernetes.envoyDeployment.container.image \
         spec.provider.kubernetes.envoyDaemonSet.container.image",
    ),
    // https://kubevirt.io/user-guide/storage/disks_and_volumes/
    ("kubevirt.io/VirtualMachine", "spec.template.spec.volumes[].containerDisk.image"),
    ("kubevirt.io/VirtualMachineInstance", "spec.volumes[].containerDisk.image"),
    // https://www.elastic.co/docs/reference/cloud-on-k8s
    (
        "elasticsearch.k8s.elastic.co/Elasticsearch kibana.k8s.elastic.co/Kibana apm.k8s.elastic.co/ApmServer \
         beat.k8s.elastic.co/Beat agent.k8s.elastic.co/Agent logstash.k8s.elastic.co/Logstash \
         enterprisesearch.k8s.elastic.co/EnterpriseSearch maps.k8s.elastic.co/ElasticMapsServer",
        "spec.image",
    ),
    // https://strimzi.io/docs/operators/latest/configuring
    (
        "kafka.strimzi.io/Kafka",
        "spec.kafka.image spec.zookeeper.image spec.entityOperator.topicOperator.image \
         spec.entityOperator.userOperator.image spec.cruiseControl.image spec.kafkaExporter.image",
    ),
    (
        "kafka.strimzi.io/KafkaConnect kafka.strimzi.io/KafkaBridge kafka.strimzi.io/KafkaMirrorMaker2",
        "spec.image",
    ),
    // https://doc.crds.dev/github.com/openshift/api
    ("operators.coreos.com/CatalogSource", "spec.image"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(api_version: &str, kind: &str) -> Resource {
        Resource { api_version: api_version.to_owned(), kind: kind.to_owned(), ..Resource::default() }
    }

    #[test]
    fn reads_and_shows_specs() {
        for text in ["apps.example.com/Widget:spec.engine.image", "*:spec.a[][].*.b\\.c", "Pod:spec.images[]"]
        {
            assert_eq!(text.parse::<FieldSpec>().unwrap().to_string(), text);
        }
        for text in ["Widget", "Widget:", "Widget:spec..image", "/Widget:spec", ":spec.image"] {
            assert!(text.parse::<FieldSpec>().is_err(), "{text}");
        }
    }

    #[test]
    fn matches_by_group_kind_and_path() {
        let mut table = FieldTable::core();
        table.add("x.io/W:spec.e[].*".parse().unwrap());
        let segments = [Segment::Key("spec"), Segment::Key("e"), Segment::Index(3), Segment::Key("any")];
        let path: FieldPath = segments.into_iter().collect();
        assert!(table.contains(&resource("x.io/v1", "W"), &path));
        assert!(!table.contains(&resource("y.io/v1", "W"), &path));
        assert!(!table.contains(&resource("x.io/v1", "V"), &path));
        assert!(!table.contains(&resource("x.io/v1", "W"), &path.below(1)));
        let below = Resource { depth: 1, ..resource("x.io/v1", "W") };
        let deeper: FieldPath = [Segment::Index(0)].into_iter().chain(segments).collect();
        assert!(table.contains(&below, &deeper));
    }

    #[test]
    fn the_known_table_is_well_formed() {
        assert!(FieldTable::known().specs.len() > 100);
        let workflow = resource("argoproj.io/v1alpha1", "Workflow");
        let path = ["spec", "templates", "", "container", "image"]
            .map(|key| if key.is_empty() { Segment::Index(0) } else { Segment::Key(key) });
        assert!(FieldTable::known().contains(&workflow, &path.into_iter().collect()));
    }
}
