//! From arguments to the engine and the walk.

use crate::files::WalkOptions;
use crate::manifest::{FieldTable, Scanner};
use crate::maps::Maps;
use crate::rewrite::{Engine, KustomizeMode};

use super::args::{Fields, FindArgs, KustomizeImages, WalkArgs};

/// The scanner that `args` ask for.
pub fn scanner(args: &FindArgs) -> Scanner {
    let mut fields = match args.fields {
        Fields::Known => FieldTable::known(),
        Fields::Core => FieldTable::core(),
    };
    for spec in &args.field {
        fields.add(spec.clone());
    }
    Scanner::new(fields, args.disable_label.clone())
}

/// The engine that `args` ask for, with these rules.
pub fn engine(args: &FindArgs, maps: Maps) -> Engine {
    let kustomize = match args.kustomize_images {
        KustomizeImages::Follow => KustomizeMode::Follow,
        KustomizeImages::Report => KustomizeMode::Report,
        KustomizeImages::Off => KustomizeMode::Off,
    };
    Engine { maps: maps.into(), scanner: scanner(args), skips: args.skip.clone(), kustomize }
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
