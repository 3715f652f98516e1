//! From arguments to the engine and the walk.

use std::sync::Arc;

use crate::files::WalkOptions;
use crate::manifest::{Places, Scanner};
use crate::rewrite::{Engine, KustomizeMode};

use super::args::{Fields, FindArgs, KustomizeImages, WalkArgs};
use super::rules::Ruleset;

/// The scanner that `args` ask for; a configuration that names fields says where to look instead of `--fields`.
fn scanner(args: &FindArgs, configured: Option<&Places>) -> Scanner {
    let mut fields = match (configured, args.fields) {
        (Some(table), _) => table.clone(),
        (None, Fields::Known) => Places::known(),
        (None, Fields::Core) => Places::core(),
    };
    for spec in args.places() {
        fields.add(spec.clone());
    }
    Scanner::new(fields, args.disable_label.clone())
}

/// The engine that `args` ask for, with these rules and settings.
pub fn engine(args: &FindArgs, ruleset: &Ruleset) -> Engine {
    let kustomize = match args.kustomize_images {
        KustomizeImages::Follow => KustomizeMode::Follow,
        KustomizeImages::Report => KustomizeMode::Report,
        KustomizeImages::Off => KustomizeMode::Off,
    };
    let settings = &ruleset.settings;
    let skips = args.skip.iter().chain(&settings.skip).cloned().collect();
    let scanner = scanner(args, settings.fields.as_ref());
    Engine { maps: Arc::clone(&ruleset.maps), scanner, skips, kustomize }
}

/// How folders are walked.
pub fn walk(args: &WalkArgs) -> WalkOptions {
    WalkOptions {
        no_ignore: args.no_ignore,
        include: args.include.clone(),
        exclude: args.exclude.clone(),
        follow: args.follow,
        threads: args.threads,
    }
}

/// How many threads to use.
pub fn threads(args: &WalkArgs) -> usize {
    match args.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}
