//! What a Kustomization builds from, and what it does to images beside its `images`: as much of it as the text of the
//! Kustomization tells.

use rustc_hash::FxHashSet;

use crate::manifest::tree::{self, Node};
use crate::manifest::{FieldPath, Lines, Place, Scanner, Segment, Slot, event::Scalar, scalar};
use crate::maps::{Maps, RuleKind};

use super::super::input::{Input, InputKind, Target};
use super::super::plan::{Skip, SkipReason};
use super::super::site::Site;

/// What is read with: where images are, and which rules there are.
#[derive(Debug, Clone, Copy)]
pub(in crate::rewrite) struct Context<'c> {
    pub(in crate::rewrite) scanner: &'c Scanner,
    pub(in crate::rewrite) maps: &'c Maps,
    /// Whether images get digests.
    pub(in crate::rewrite) pins: bool,
}

impl Context<'_> {
    /// Whether what stands behind the name of an image may change with it.
    pub(super) fn changes_tags(&self) -> bool {
        self.pins || looks_at_tags(self.maps)
    }
}

/// What a Kustomization says.
#[derive(Debug, Default)]
pub(in crate::rewrite) struct Looked {
    /// The files and folders that it names.
    pub(in crate::rewrite) inputs: Vec<Input>,
    /// What keeps the promise from holding.
    pub(in crate::rewrite) limits: Vec<Skip>,
    /// Images that stand where no finder looks, and are put into the place of others.
    pub(in crate::rewrite) literals: Vec<Site>,
    /// The ways to values of JSON patches that are images by what the patches are for.
    pub(in crate::rewrite) patched: FxHashSet<FieldPath>,
}

/// Reads what the Kustomizations of `text` say; with `by_name`, documents that say no kind are some, too.
pub(in crate::rewrite) fn look(context: Context<'_>, text: &str, by_name: bool) -> Looked {
    let mut reading = Reading::new(context, text, None);
    for (number, tree) in tree::read(text).unwrap_or_default().iter().enumerate() {
        let Some(root) = &tree.root else { continue };
        reading.document = number;
        if is_kustomization(root, by_name) {
            reading.kustomization(root);
        }
    }
    reading.looked
}

/// Reads what the transformers of `text` do; all of it is said at `at`.
pub(in crate::rewrite) fn look_at_transformers(context: Context<'_>, text: &str, at: &Site) -> Vec<Skip> {
    let mut reading = Reading::new(context, text, Some(at));
    for tree in tree::read(text).unwrap_or_default() {
        if let Some(root) = &tree.root {
            reading.transformer(root);
        }
    }
    reading.end()
}

/// Reads the replacements of `text`, a list of them or one; all of it is said at `at`.
pub(in crate::rewrite) fn look_at_replacements(context: Context<'_>, text: &str, at: &Site) -> Vec<Skip> {
    let mut reading = Reading::new(context, text, Some(at));
    for tree in tree::read(text).unwrap_or_default() {
        match &tree.root {
            Some(Node::Sequence(items)) => {
                items.iter().for_each(|item| reading.replacement(item, &FieldPath::default()));
            }
            Some(item) => reading.replacement(item, &FieldPath::default()),
            None => {}
        }
    }
    reading.end()
}

/// Reads the configuration of transformers in `text`; all of it is said at `at`.
pub(in crate::rewrite) fn look_at_configuration(context: Context<'_>, text: &str, at: &Site) -> Vec<Skip> {
    let mut reading = Reading::new(context, text, Some(at));
    for tree in tree::read(text).unwrap_or_default() {
        if let Some(root) = &tree.root {
            reading.field_specs(root.get("images"));
        }
    }
    reading.end()
}

/// Whether `text` sets the label that switches rewriting off.
pub(in crate::rewrite) fn disables(context: Context<'_>, text: &str) -> bool {
    let label = context.scanner.disable_label();
    // In the path of a JSON patch a slash is spelled `~1`.
    text.contains("disabled") && (text.contains(label) || text.contains(&label.replace('/', "~1")))
}

/// Whether a rule looks at more of an image than its name.
pub(super) fn looks_at_tags(maps: &Maps) -> bool {
    maps.rules().any(|rule| matches!(rule.kind(), RuleKind::Exact | RuleKind::Replace))
}

/// What is said of a label, or a patch, that switches rewriting off.
pub(in crate::rewrite) const DISABLES: &str = "sets the disable label on what is built, but images are rewritten where it is not \
    set yet: set it in the base";

/// What is said of a suffix for the tags of images that get digests.
const SUFFIX_OF_PINNED: &str = "changes the tag, and the digest is that of the tag without it";

fn is_kustomization(root: &Node<'_>, by_name: bool) -> bool {
    let text = |key| root.get(key).and_then(Node::text);
    let is_own = text("apiVersion").is_none_or(|version| version.starts_with("kustomize.config.k8s.io/"));
    match text("kind") {
        Some("Kustomization" | "Component") => is_own,
        Some(_) => false,
        None => by_name && is_own && matches!(root, Node::Mapping(_)),
    }
}

/// The elements of a list, with their numbers.
fn elements<'n, 'a>(node: Option<&'n Node<'a>>) -> impl Iterator<Item = (usize, &'n Node<'a>)> {
    let items = match node {
        Some(Node::Sequence(items)) => &items[..],
        Some(Node::Scalar(_) | Node::Mapping(_)) | None => &[],
    };
    items.iter().enumerate()
}

/// `path` and one step more.
pub(super) fn step(path: &FieldPath, segment: Segment<'_>) -> FieldPath {
    let mut path = path.clone();
    path.push(segment);
    path
}

/// The reading of one text.
pub(super) struct Reading<'t> {
    pub(super) context: Context<'t>,
    text: &'t str,
    lines: Lines<'t>,
    document: usize,
    /// Where all is said, instead of where it stands.
    at: Option<Site>,
    pub(super) looked: Looked,
}

impl<'t> Reading<'t> {
    fn new(context: Context<'t>, text: &'t str, at: Option<&Site>) -> Self {
        let looked = Looked::default();
        Self { context, text, lines: Lines::new(text), document: 0, at: at.cloned(), looked }
    }

    /// What was read where there is no place for more than to say it.
    fn end(self) -> Vec<Skip> {
        let Looked { mut limits, literals, .. } = self.looked;
        let reason = "puts this image in the place of others; it is not rewritten there";
        let literals = literals.into_iter();
        limits.extend(literals.map(|site| Skip { site, reason: SkipReason::Build(reason.to_owned()) }));
        limits
    }

    fn kustomization(&mut self, root: &Node<'_>) {
        for (key, kind) in [
            ("resources", InputKind::Resource),
            ("bases", InputKind::Resource),
            ("components", InputKind::Component),
            ("configurations", InputKind::Configuration),
            ("transformers", InputKind::Transformer),
            ("generators", InputKind::Transformer),
            ("patchesStrategicMerge", InputKind::Patch),
        ] {
            let path: FieldPath = [Segment::Key(key)].into_iter().collect();
            for (number, node) in elements(root.get(key)) {
                self.input(kind, node, &step(&path, Segment::Index(number)));
            }
        }
        for key in ["patches", "patchesJson6902"] {
            for (number, node) in elements(root.get(key)) {
                let path: FieldPath = [Segment::Key(key), Segment::Index(number)].into_iter().collect();
                self.patch(node, &path);
            }
        }
        for (number, node) in elements(root.get("replacements")) {
            let path: FieldPath =
                [Segment::Key("replacements"), Segment::Index(number)].into_iter().collect();
            match node.get("path") {
                Some(file) => {
                    self.input(InputKind::Replacements, file, &step(&path, Segment::Key("path")));
                }
                None => self.replacement(node, &path),
            }
        }
        for (number, node) in elements(root.get("vars")) {
            let path: FieldPath = [Segment::Key("vars"), Segment::Index(number)].into_iter().collect();
            self.variable(node, &path);
        }
        for key in ["configMapGenerator", "secretGenerator"] {
            for (number, node) in elements(root.get(key)) {
                let path: FieldPath = [Segment::Key(key), Segment::Index(number)].into_iter().collect();
                self.generator(node, &path);
            }
        }
        self.labels(root.get("commonLabels"), &[Segment::Key("commonLabels")]);
        for (number, node) in elements(root.get("labels")) {
            let path = [Segment::Key("labels"), Segment::Index(number), Segment::Key("pairs")];
            self.labels(node.get("pairs"), &path);
        }
        if self.context.changes_tags() {
            self.tag_suffixes(root.get("images"));
        }
        for (number, node) in elements(root.get("helmCharts")) {
            if let Some(Node::Scalar(name)) = node.get("name") {
                let path = [Segment::Key("helmCharts"), Segment::Index(number), Segment::Key("name")];
                self.limit(name, path.into_iter().collect(), "a chart, whose images are not rewritten");
            }
        }
    }

    /// A patch with its target.
    fn patch(&mut self, node: &Node<'_>, path: &FieldPath) {
        let before = self.looked.inputs.len();
        for key in ["path", "patch"] {
            let path = step(path, Segment::Key(key));
            node.get(key).into_iter().for_each(|node| self.input(InputKind::Patch, node, &path));
        }
        let target = Target::of(node.get("target"));
        for input in &mut self.looked.inputs[before..] {
            input.target.clone_from(&target);
        }
        if let (Some(target), Some(patch)) = (target, node.get("patch").and_then(Node::text)) {
            let path = step(path, Segment::Key("patch"));
            self.looked.patched.extend(target.patched_images(self.context, patch, &path));
        }
    }

    /// What entries put behind tags, where it matters what these are.
    fn tag_suffixes(&mut self, images: Option<&Node<'_>>) {
        let reason = if self.context.pins { SUFFIX_OF_PINNED } else { "changes tags, which rules look at" };
        for (number, node) in elements(images) {
            let Some(Node::Scalar(suffix)) = node.get("tagSuffix") else { continue };
            let path = [Segment::Key("images"), Segment::Index(number), Segment::Key("tagSuffix")];
            self.limit(suffix, path.into_iter().collect(), reason);
        }
    }

    /// A file, a folder, or a text that stands for one.
    fn input(&mut self, kind: InputKind, node: &Node<'_>, path: &FieldPath) {
        let Node::Scalar(scalar) = node else { return };
        if !scalar.value.contains(['\n', '{', '[']) {
            let site = self.site(scalar, path.clone());
            self.looked.inputs.push(Input { kind, site, target: None });
        } else if kind == InputKind::Patch && disables(self.context, &scalar.value) {
            let short = Scalar { value: "patch".into(), ..scalar.clone() };
            self.limit(&short, path.clone(), DISABLES);
        } else if kind == InputKind::Transformer {
            let short = Scalar { value: "transformer".into(), ..scalar.clone() };
            let at = self.site(&short, path.clone());
            self.looked.limits.extend(look_at_transformers(self.context, &scalar.value, &at));
        }
    }

    /// A builtin transformer or generator that is written out.
    fn transformer(&mut self, root: &Node<'_>) {
        match root.get("kind").and_then(Node::text) {
            Some("ImageTagTransformer") => self.field_specs(root.get("fieldSpecs")),
            Some("ReplacementTransformer") => {
                for (_, node) in elements(root.get("replacements")) {
                    self.replacement(node, &FieldPath::default());
                }
            }
            Some("LabelTransformer") => self.labels(root.get("labels"), &[Segment::Key("labels")]),
            Some("PatchTransformer") => {
                if let Some(Node::Scalar(patch)) = root.get("patch")
                    && disables(self.context, &patch.value)
                {
                    self.limit(patch, FieldPath::default(), DISABLES);
                }
            }
            Some("HelmChartInflationGenerator") => {
                if let Some(Node::Scalar(name)) = root.get("name").or(root.get("chartName")) {
                    self.limit(name, FieldPath::default(), "a chart, whose images are not rewritten");
                }
            }
            _ => {}
        }
    }

    /// Labels that are put on what is built.
    fn labels(&mut self, pairs: Option<&Node<'_>>, path: &[Segment<'_>]) {
        let label = self.context.scanner.disable_label();
        let Some(Node::Scalar(value)) = pairs.and_then(|pairs| pairs.get(label)) else { return };
        if value.value == "disabled" {
            let path: FieldPath = path.iter().copied().chain([Segment::Key(label)]).collect();
            self.limit(value, path, DISABLES);
        }
    }

    /// Fields of kinds that kustomize takes for images.
    fn field_specs(&mut self, specs: Option<&Node<'_>>) {
        for (number, spec) in elements(specs) {
            let text = |key| spec.get(key).and_then(Node::text);
            let Some(Node::Scalar(path)) = spec.get("path") else { continue };
            let keys: Vec<&str> = path.value.split('/').map(|key| key.trim_end_matches("[]")).collect();
            if self.context.scanner.finds_at(text("group"), text("kind"), None, &keys) {
                continue;
            }
            let (kind, field) = (text("kind").unwrap_or("*"), keys.join("."));
            let reason = format!(
                "kustomize takes this field for an image, and it is no known place: --field '{kind}:{field}' makes \
                 it one"
            );
            let at = [Segment::Key("images"), Segment::Index(number), Segment::Key("path")];
            self.limit(path, at.into_iter().collect(), &reason);
        }
    }

    /// A generator of a ConfigMap or Secret.
    fn generator(&mut self, node: &Node<'_>, path: &FieldPath) {
        for key in ["files", "envs"] {
            for (number, file) in elements(node.get(key)) {
                let Node::Scalar(scalar) = file else { continue };
                let path = step(&step(path, Segment::Key(key)), Segment::Index(number));
                let file = scalar.value.rsplit_once('=').map_or(&*scalar.value, |(_, file)| file);
                let scalar = Scalar { value: file.to_owned().into(), ..scalar.clone() };
                let site = self.site(&scalar, path);
                self.looked.inputs.push(Input { kind: InputKind::Generated, site, target: None });
            }
        }
        for (number, literal) in elements(node.get("literals")) {
            let Node::Scalar(scalar) = literal else { continue };
            let Some((_, value)) = scalar.value.split_once('=') else { continue };
            if crate::manifest::is_image_like(value) {
                let path = step(&step(path, Segment::Key("literals")), Segment::Index(number));
                let scalar = Scalar { value: value.to_owned().into(), ..scalar.clone() };
                self.limit(&scalar, path, "a literal of a generator, which stays as it is");
            }
        }
    }

    /// Says why the promise does not hold for what stands at `scalar`.
    pub(super) fn limit(&mut self, scalar: &Scalar<'_>, path: FieldPath, reason: &str) {
        let site = self.site(scalar, path);
        self.looked.limits.push(Skip { site, reason: SkipReason::Build(reason.to_owned()) });
    }

    /// An image that is put in the place of others.
    pub(super) fn literal(&mut self, scalar: &Scalar<'_>, path: FieldPath) {
        let slot = scalar::editable(self.text, scalar).map(|span| Slot {
            span,
            style: scalar.style,
            flow: true,
            refuses_brackets: false,
            within: crate::manifest::Layers::default(),
            new_key: None,
        });
        let mut site = self.site(scalar, path);
        if self.at.is_none() {
            (site.slot, site.place) = (slot, Place::Patch);
        }
        self.looked.literals.push(site);
    }

    fn site(&mut self, scalar: &Scalar<'_>, path: FieldPath) -> Site {
        let image = scalar.value.clone().into_owned();
        if let Some(at) = &self.at {
            return Site { image, ..at.clone() };
        }
        Site {
            document: self.document,
            position: self.lines.position(scalar.start),
            span: scalar.span,
            path,
            place: Place::RenderInput,
            image,
            slot: None,
            resource: None,
            container: None,
            other_containers: Vec::new(),
        }
    }
}
