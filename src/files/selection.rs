//! Which names are read in a folder: the manifest names, `--include` and `--exclude`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::found::WalkOptions;

/// A glob of `--include` or `--exclude` that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("glob `{glob}`: {why}")]
pub struct GlobError {
    /// The glob as given.
    pub glob: String,
    /// What is wrong with it.
    pub why: String,
}

/// Which entries of a walked folder are of interest; paths are relative to that folder.
#[derive(Debug)]
pub(super) struct Selection {
    exclude: Gitignore,
    include: Gitignore,
    /// The include globs whose last part names files (`*.tpl`, not `apps/**`): they widen the names.
    naming: Gitignore,
    /// Whether `*.tpl` are read, which are templates.
    templates: bool,
    globs: Vec<Watched>,
}

/// A glob by itself, and whether anything has matched it.
#[derive(Debug)]
struct Watched {
    glob: String,
    alone: Gitignore,
    matched: AtomicBool,
}

impl Watched {
    fn new(glob: &str) -> Result<Self, GlobError> {
        // What takes back an earlier glob matches the same without its sign.
        let plain = glob.strip_prefix('!').unwrap_or(glob).to_owned();
        let alone = compile(std::iter::once(&plain))?;
        Ok(Self { glob: glob.to_owned(), alone, matched: AtomicBool::new(false) })
    }

    fn see(&self, relative: &Path, folder: bool) {
        if !self.matched.load(Ordering::Relaxed)
            && self.alone.matched_path_or_any_parents(relative, folder).is_ignore()
        {
            self.matched.store(true, Ordering::Relaxed);
        }
    }
}

impl Selection {
    pub(super) fn new(options: &WalkOptions) -> Result<Self, GlobError> {
        let naming = options.include.iter().filter(|glob| names_files(glob));
        Ok(Self {
            exclude: compile(options.exclude.iter())?,
            include: compile(options.include.iter())?,
            naming: compile(naming)?,
            templates: options.templates,
            globs: options
                .include
                .iter()
                .chain(&options.exclude)
                .map(|glob| Watched::new(glob))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The globs that nothing matched of what this was asked for.
    pub(super) fn unused(&self) -> Vec<String> {
        let unused = self.globs.iter().filter(|glob| !glob.matched.load(Ordering::Relaxed));
        unused.map(|glob| glob.glob.clone()).collect()
    }

    fn see(&self, relative: &Path, folder: bool) {
        self.globs.iter().for_each(|glob| glob.see(relative, folder));
    }

    /// Whether a folder is entered.
    pub(super) fn enters(&self, relative: &Path) -> bool {
        self.see(relative, true);
        relative.file_name() != Some(OsStr::new(".git")) && !self.excludes(relative, true)
    }

    /// Whether a file is read.
    pub(super) fn takes(&self, relative: &Path) -> bool {
        self.see(relative, false);
        if !self.naming.is_empty() && self.naming.matched(relative, false).is_ignore() {
            return !self.excludes(relative, false);
        }
        let is_named =
            |name: &OsStr| is_manifest_name(name) || self.templates && name.as_bytes().ends_with(b".tpl");
        relative.file_name().is_some_and(is_named)
            && !self.excludes(relative, false)
            && (self.include.is_empty()
                || self.include.matched_path_or_any_parents(relative, false).is_ignore())
    }

    /// Whether a file is a Dockerfile that is not read, and would be if it were a manifest.
    pub(super) fn is_dockerfile(&self, relative: &Path) -> bool {
        relative.file_name().is_some_and(is_dockerfile_name)
            && !self.excludes(relative, false)
            && (self.include.is_empty()
                || self.include.matched_path_or_any_parents(relative, false).is_ignore())
    }

    fn excludes(&self, relative: &Path, folder: bool) -> bool {
        !self.exclude.is_empty() && self.exclude.matched(relative, folder).is_ignore()
    }
}

/// `*.yaml`, `*.yml`, `*.json` and `Kustomization`: the names that kubectl and kustomize read.
fn is_manifest_name(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.ends_with(b".yaml")
        || name.ends_with(b".yml")
        || name.ends_with(b".json")
        || name == b"Kustomization"
}

/// `Dockerfile`, `Containerfile`, `NAME.Dockerfile`, `Dockerfile.NAME`: the names that builders read.
fn is_dockerfile_name(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let is_one = |name: &[u8]| matches!(name, b"Dockerfile" | b"Containerfile");
    let mut parts = name.splitn(2, |byte| *byte == b'.');
    let first = parts.next().is_some_and(is_one);
    // Builders have files of the same name for what they leave out.
    first && !name.ends_with(b".dockerignore") || name.ends_with(b".Dockerfile")
}

/// Whether the last part of a glob is more than stars.
fn names_files(glob: &str) -> bool {
    glob.rsplit('/').next().is_some_and(|last| last.bytes().any(|byte| byte != b'*'))
}

fn compile<'a>(globs: impl Iterator<Item = &'a String>) -> Result<Gitignore, GlobError> {
    let mut builder = GitignoreBuilder::new("");
    builder.allow_unclosed_class(false);
    for glob in globs {
        let refuse = |error: ignore::Error| GlobError { glob: glob.clone(), why: error.to_string() };
        builder.add_line(None, glob).map_err(refuse)?;
    }
    builder.build().map_err(|error| GlobError { glob: String::new(), why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(include: &[&str], exclude: &[&str]) -> Selection {
        let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
        let options =
            WalkOptions { include: owned(include), exclude: owned(exclude), ..WalkOptions::default() };
        Selection::new(&options).unwrap()
    }

    /// Name, includes, excludes, path, whether it is read.
    type Case = (&'static str, &'static [&'static str], &'static [&'static str], &'static str, bool);

    #[test]
    fn takes() {
        let cases: &[Case] = &[
            ("yaml", &[], &[], "a/b.yaml", true),
            ("yml", &[], &[], "b.yml", true),
            ("json", &[], &[], "b.json", true),
            ("Kustomization", &[], &[], "a/Kustomization", true),
            ("hidden", &[], &[], ".tekton/.a.yaml", true),
            ("upper case", &[], &[], "b.YAML", false),
            ("other name", &[], &[], "README.md", false),
            ("kustomization without capital", &[], &[], "kustomization", false),
            ("excluded name", &[], &["b.yaml"], "a/b.yaml", false),
            ("excluded path", &[], &["a/*.yaml"], "a/b.yaml", false),
            ("a path is anchored at the folder", &[], &["b/c.yaml"], "a/b/c.yaml", true),
            ("excluded, then not", &[], &["*.yaml", "!b.yaml"], "b.yaml", true),
            ("included folder", &["apps"], &[], "apps/x/b.yaml", true),
            ("included folder, other file", &["apps"], &[], "b.yaml", false),
            ("stars keep the names", &["apps/**"], &[], "apps/README.md", false),
            ("stars take manifests", &["apps/**"], &[], "apps/x/b.yml", true),
            ("a named glob narrows", &["*.yml"], &[], "b.yaml", false),
            ("a named glob widens", &["*.tpl"], &[], "x/b.tpl", true),
            ("exclude beats include", &["*.tpl"], &["x.tpl"], "x.tpl", false),
        ];
        for (name, include, exclude, path, expected) in cases {
            assert_eq!(selection(include, exclude).takes(Path::new(path)), *expected, "{name}");
        }
    }

    #[test]
    fn enters() {
        let selection = selection(&["*.tpl"], &["vendor", "a/b/"]);
        assert!(selection.enters(Path::new(".tekton")));
        assert!(!selection.enters(Path::new("x/.git")));
        assert!(!selection.enters(Path::new("x/vendor")));
        assert!(!selection.enters(Path::new("a/b")));
        assert!(selection.enters(Path::new("x/a/b")));
    }

    #[test]
    fn a_bad_glob_is_named() {
        let options = WalkOptions { exclude: vec!["a[".to_owned()], ..WalkOptions::default() };
        assert_eq!(Selection::new(&options).unwrap_err().glob, "a[");
    }
}
