//! Where what a Kustomization builds has other images because of the files that it names.

use super::engine::Engine;
use super::input::{Input, InputKind};
use super::kustomize::{
    DISABLES, Given, Graph, InputFiles, disables, look_at_configuration, look_at_replacements,
    look_at_transformers,
};
use super::memory::Memory;
use super::plan::{Plan, Skip, SkipReason};

impl Engine {
    /// Adds to `plan`, of the Kustomization `file`, where what is built of it has other images, as far as the files tell
    /// that it names.
    pub fn follow_inputs(&self, plan: &mut Plan, file: &str, graph: &Graph, files: &dyn InputFiles) {
        for input in std::mem::take(&mut plan.kustomize_inputs) {
            let given = graph.find(file, &input.site.image);
            plan.skips.extend(self.limits(&input, &given, files));
            plan.kustomize_inputs.push(input);
        }
        plan.skips.sort_by_key(|skip| skip.site.span);
    }

    /// Where what is built has other images because of `input`.
    fn limits(&self, input: &Input, given: &Given, files: &dyn InputFiles) -> Vec<Skip> {
        let limit = |reason: &str| {
            vec![Skip { site: input.site.clone(), reason: SkipReason::Build(reason.to_owned()) }]
        };
        let text = || match given {
            Given::File(file) | Given::Missing(file) => files.text(file),
            Given::Kustomization(_) | Given::Remote => None,
        };
        match (input.kind, given) {
            (InputKind::Configuration, _) => {
                text().map_or(Vec::new(), |text| look_at_configuration(self.context(), &text, &input.site))
            }
            (InputKind::Replacements, _) => {
                text().map_or(Vec::new(), |text| look_at_replacements(self.context(), &text, &input.site))
            }
            (InputKind::Generated, Given::File(_)) => match text() {
                Some(text) if !self.plan(&text, false, &mut Memory::default()).changes.is_empty() => limit(
                    "holds images that are rewritten: what is generated of it changes, and so does the hash in its name",
                ),
                Some(_) | None => Vec::new(),
            },
            (InputKind::Generated, _)
            | (InputKind::Resource | InputKind::Component, Given::File(_))
            | (
                InputKind::Resource | InputKind::Component | InputKind::Patch | InputKind::Transformer,
                Given::Kustomization(_),
            ) => Vec::new(),
            (_, Given::Remote) => limit("it is fetched when this is built, so its images are not rewritten"),
            // What is nowhere, nothing is built from.
            (_, Given::Missing(path)) if !files.exists(path) => Vec::new(),
            (_, Given::Missing(_)) => limit(
                "it is not among the given files, so its images are not rewritten; add it to the command",
            ),
            (InputKind::Patch, Given::File(_)) => {
                let text = text().unwrap_or_default();
                if disables(self.context(), &text) {
                    limit(DISABLES)
                } else if !input.patched_images(self.context(), &text).is_empty() {
                    limit(
                        "changes an image of the kind that it is for, which the file does not say: write it here",
                    )
                } else {
                    Vec::new()
                }
            }
            (InputKind::Transformer, Given::File(_)) => {
                text().map_or(Vec::new(), |text| look_at_transformers(self.context(), &text, &input.site))
            }
        }
    }
}
