//! The promise with digests: building the pinned tree gives what pinning the build gives. Each program that builds is
//! asked, and the digests come from a lock file that has one for every tag.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ring::digest::{SHA256, digest};

use super::kustomize::Kustomize;
use super::trees::{Family, Run, Tree, rewrite};
use super::{difference, write};

/// What stands before the image and behind it where the lock file does not have it.
const MISSING: (&str, &str) = (": no digest for ", ": /");

/// A lock file that has whatever was asked of it once.
#[derive(Default)]
struct GrowingLock(BTreeMap<String, String>);

impl GrowingLock {
    /// Rewrites and pins `path` in `folder`; with `-`, `input`.
    fn rewrite(&mut self, maps: &[String], flags: &[String], folder: &Path, path: &str, input: &str) -> Run {
        let lock = folder.with_file_name("imageswap.lock");
        let flags =
            [flags, &["--locked".to_owned(), "--lock".to_owned(), lock.display().to_string()]].concat();
        loop {
            write(&lock, &self.text());
            let run = rewrite(maps, &flags, folder, path, input);
            let before = self.0.len();
            for line in run.said.lines() {
                let Some((_, rest)) = line.split_once(MISSING.0) else { continue };
                if let Some((image, _)) =
                    rest.split_once(MISSING.1).filter(|_| line.contains("has no entry for it"))
                {
                    let hash = digest(&SHA256, image.as_bytes());
                    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
                    self.0.insert(image.to_owned(), hex);
                }
            }
            if self.0.len() == before {
                return run;
            }
            assert!(!run.success, "{}", run.said);
        }
    }

    fn text(&self) -> String {
        let head = "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n";
        if self.0.is_empty() {
            return head.replace("images:", "images: []");
        }
        self.0.iter().fold(head.to_owned(), |text, (image, hex)| {
            let (name, _) = image.rsplit_once(':').unwrap();
            format!("{text}- image: {name}@sha256:{hex}\n  annotations:\n    kbld.carvel.dev/id: {image}\n    imageswap.dev/target: {image}\n")
        })
    }
}

/// How a pinned tree keeps the promise.
enum Kept {
    Held,
    /// It is said that it cannot be.
    Said,
    Broken(String),
}

/// Whether `tree` keeps the promise with digests under `maps`; `None` where it does not keep it, or says so, without.
fn check(kustomize: &Kustomize, maps: &[String], tree: &Tree, built: &str) -> Option<Kept> {
    let path = tree.paths.as_deref().unwrap_or(".");
    let plain = tempfile::tempdir().unwrap();
    tree.write(plain.path());
    let run = rewrite(maps, &tree.flags, plain.path(), path, "");
    if !run.success || run.said.contains("left alone: in kustomize") {
        return None;
    }
    let expected = rewrite(maps, &tree.flags, plain.path(), "-", built).stdout;
    if tree.build(kustomize, plain.path()).ok()? != expected {
        return None;
    }
    let outer = tempfile::tempdir().unwrap();
    let folder = &outer.path().join("tree");
    tree.write(folder);
    let mut lock = GrowingLock::default();
    let expected = lock.rewrite(maps, &tree.flags, folder, "-", built);
    let run = lock.rewrite(maps, &tree.flags, folder, path, "");
    let broken = |what: &str| Some(Kept::Broken(format!("{}, {maps:?}: {what}\n{}", tree.name, run.said)));
    let says = |what: &str| run.said.contains(&format!("left alone: {what}"));
    if run.success && (says("not editable") || says("in kustomize builds")) {
        return Some(Kept::Said);
    }
    if !run.success {
        return if run.said.contains("error: ") { Some(Kept::Said) } else { broken("fails in silence") };
    }
    if !expected.success {
        return broken(&format!("the build is not pinned: {}", expected.said));
    }
    let again = lock.rewrite(maps, &tree.flags, folder, path, "");
    if !again.success || again.said.contains("rewrote") {
        return broken(&format!("a second run changes more:\n{}", again.said));
    }
    match tree.build(kustomize, folder) {
        Err(why) => broken(&format!("builds no more: {why}")),
        Ok(actual) if actual == expected.stdout => Some(Kept::Held),
        Ok(actual) => broken(&difference(&expected.stdout, &actual)),
    }
}

#[test]
fn pinned_trees_build_the_pinned_images() {
    let families = Family::all();
    for kustomize in Kustomize::all() {
        // What Flux and Argo CD apply to a build is not in the tree.
        let trees: Vec<(&Family, &Tree)> = families
            .iter()
            .flat_map(|family| family.trees.iter().map(move |tree| (family, tree)))
            .filter(|(_, tree)| tree.applies.is_none())
            .collect();
        let [next, held, said] = [const { AtomicUsize::new(0) }; 3];
        let broken = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
                scope.spawn(|| {
                    while let Some((family, tree)) = trees.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let original = tempfile::tempdir().unwrap();
                        tree.write(original.path());
                        // The kustomize within kubectl is older, and knows less.
                        let Ok(built) = tree.build(&kustomize, original.path()) else { continue };
                        // The others are for the families' own promise: whether an image moves is nothing to its digest.
                        for maps in family.maps.iter().take(1) {
                            match check(&kustomize, maps, tree, &built) {
                                None => {}
                                Some(Kept::Held) => drop(held.fetch_add(1, Ordering::Relaxed)),
                                Some(Kept::Said) => drop(said.fetch_add(1, Ordering::Relaxed)),
                                Some(Kept::Broken(what)) => broken.lock().unwrap().push(what),
                            }
                        }
                    }
                });
            }
        });
        let (held, said) = (held.into_inner(), said.into_inner());
        let mut broken = broken.into_inner().unwrap();
        broken.sort();
        eprintln!(
            "{kustomize}: pinned, {held} hold, {said} say that they cannot, {} are broken",
            broken.len()
        );
        assert!(broken.is_empty(), "{kustomize}: {}", broken.join("\n"));
        assert!(held > said, "{kustomize}: most trees can be pinned");
    }
}
