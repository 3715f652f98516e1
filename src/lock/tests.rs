//! Tables of lock files: what is read, what is refused and where, what is found, and that text and entries are the
//! same thing.

use proptest::prelude::*;

use super::*;
use crate::image::{Digest, ImageReference};

fn image(text: &str) -> ImageReference<'_> {
    ImageReference::parse(text).unwrap()
}

fn digest(digit: char) -> Digest {
    Digest::parse(&format!("sha256:{}", digit.to_string().repeat(64))).unwrap()
}

fn entry(id: &str, target: &str, digit: char) -> LockEntry {
    LockEntry::new(image(id), image(target), digest(digit))
}

fn lock(entries: impl IntoIterator<Item = LockEntry>) -> Lock {
    let mut lock = Lock::default();
    entries.into_iter().for_each(|entry| lock.put(entry));
    lock
}

#[test]
fn is_written_as_kbld_writes_it() {
    let mut lock = lock([
        entry("redis", "m.example/hub/redis", 'b'),
        entry("nginx:1.27", "m.example/hub/nginx:1.27", 'a')
            .looked_up_at(image("nginx:1.27"))
            .for_platform(Some("linux/arm64".to_owned())),
    ]);
    lock.put(entry("redis", "m.example/hub/redis", 'c'));
    let hex = |digit: &str| digit.repeat(64);
    let (a, b, c) = (hex("a"), hex("b"), hex("c"));
    assert_eq!(
        lock.render(),
        format!(
            "---
apiVersion: imgpkg.carvel.dev/v1alpha1
kind: ImagesLock
images:
- image: m.example/hub/nginx@sha256:{a}
  annotations:
    imageswap.dev/platform: linux/arm64
    imageswap.dev/source: nginx:1.27
    imageswap.dev/target: m.example/hub/nginx:1.27
    kbld.carvel.dev/id: nginx:1.27
    kbld.carvel.dev/origins: |
      - resolved:
          tag: \"1.27\"
          url: nginx:1.27
- image: m.example/hub/redis@sha256:{c}
  annotations:
    imageswap.dev/previous: sha256:{b}
    imageswap.dev/target: m.example/hub/redis
    kbld.carvel.dev/id: redis
    kbld.carvel.dev/origins: |
      - resolved:
          url: m.example/hub/redis
"
        )
    );
    let again = Lock::parse("l", &lock.render()).unwrap();
    for (entry, again) in lock.entries.values().zip(again.entries()) {
        // The origins are read as anybody's annotation, and written anew.
        assert_eq!(again.annotations.keys().collect::<Vec<_>>(), ["kbld.carvel.dev/origins"]);
        assert_eq!(**entry, LockEntry { annotations: entry.annotations.clone(), ..again.clone() });
    }
}

#[test]
fn reads_what_others_write() {
    let a = "a".repeat(64);
    let text = format!(
        "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n\
         - image: index.docker.io/library/nginx@sha256:{a}\n  annotations:\n    kbld.carvel.dev/id: nginx:1.27\n    \
         example.com/note: kept\n\
         - image: quay.io/a/b@sha256:{a}\n\
         - image: quay.io/a/c:v1@sha256:{a}\n"
    );
    let lock = Lock::parse("imageswap.lock", &text).unwrap();
    let targets: Vec<(&str, &str)> =
        lock.entries().map(|entry| (entry.id.as_str(), entry.target.as_str())).collect();
    assert_eq!(
        targets,
        [
            ("nginx:1.27", "index.docker.io/library/nginx:1.27"),
            (format!("quay.io/a/b@sha256:{a}").as_str(), "quay.io/a/b"),
            (format!("quay.io/a/c:v1@sha256:{a}").as_str(), "quay.io/a/c:v1"),
        ]
    );
    assert!(lock.render().contains("example.com/note: kept"));
    let again = Lock::parse("imageswap.lock", &lock.render()).unwrap();
    assert_eq!(again.render(), lock.render());
    let index = lock.index();
    let found = index.find(image("nginx:1.27"), image("nginx:1.27"), None);
    assert!(matches!(found, FoundEntry::Current(entry) if entry.digest == digest('a')), "{found:?}");
}

#[test]
fn refuses_with_the_place() {
    let a = "a".repeat(64);
    let head = "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n";
    let good = format!("{head}images:\n- image: m.io/a@sha256:{a}\n");
    let table = [
        ("nothing", String::new(), "l:1:1: 0 documents, expected one"),
        ("two documents", format!("{good}---\n{good}"), "l:1:1: 2 documents, expected one"),
        ("no YAML", format!("{good}  - ]\n"), "l:5:"),
        (
            "another kind",
            good.replace("ImagesLock", "BundleLock"),
            "l:2:7: kind is \"BundleLock\", expected \"ImagesLock\"",
        ),
        ("no kind", good.replace("kind: ImagesLock\n", ""), "l:1:1: kind is \"\", expected \"ImagesLock\""),
        ("another version", good.replace("v1alpha1", "v2"), "l:1:13: apiVersion is \"imgpkg.carvel.dev/v2\""),
        ("an unknown key", format!("{good}imgs: []\n"), "l:5:1: unknown field `imgs`"),
        ("an unknown key of an entry", format!("{good}  digest: x\n"), "l:5:3: unknown field `digest`"),
        ("a key twice", format!("{good}kind: ImagesLock\n"), "l:5:1: "),
        ("images as a mapping", format!("{head}images:\n  a: b\n"), "l:4:"),
        ("no image", format!("{head}images:\n- annotations: {{}}\n"), "l:4:3: an entry without image"),
        (
            "no digest",
            format!("{head}images:\n- image: m.io/a:v1\n"),
            "l:4:10: image \"m.io/a:v1\" has no digest",
        ),
        (
            "no reference",
            format!("{head}images:\n- image: M.io/A\n"),
            "l:4:10: image \"M.io/A\" is no image reference",
        ),
        ("a short digest", format!("{head}images:\n- image: m.io/a@sha256:abc\n"), "l:4:10: image"),
        (
            "a bad target",
            format!("{good}  annotations: {{imageswap.dev/target: 'a b'}}\n"),
            "l:5:39: imageswap.dev/target \"a b\" is no image reference",
        ),
        (
            "a target elsewhere",
            format!("{good}  annotations: {{imageswap.dev/target: m.io/b}}\n"),
            "are not of the same repository",
        ),
        (
            "a target with a digest",
            format!("{good}  annotations: {{imageswap.dev/target: m.io/a@sha256:{a}}}\n"),
            "a target has no digest",
        ),
        (
            "a bad previous digest",
            format!("{good}  annotations: {{imageswap.dev/previous: 'sha256:x'}}\n"),
            "imageswap.dev/previous is \"sha256:x\"",
        ),
        ("an annotation that is no text", format!("{good}  annotations: {{a: [b]}}\n"), "l:5:"),
        ("twice", format!("{good}- image: m.io/a@sha256:{a}\n"), "stands there twice"),
    ];
    for (name, text, want) in table {
        let errors = Lock::parse("l", &text).expect_err(name);
        assert!(errors.to_string().contains(want), "{name}: {errors}");
        assert_eq!(errors.to_string().lines().count(), 1, "{name}: {errors}");
    }
    let two = format!("{head}images:\n- image: a:v1\n- image: b:v1\n");
    assert_eq!(Lock::parse("l", &two).unwrap_err().0.len(), 2);
}

#[test]
fn finds_by_id_and_by_target() {
    let lock = lock([
        entry("nginx:1.27", "m.io/hub/nginx:1.27", 'a'),
        entry("redis", "m.io/hub/redis", 'b'),
        entry("app:v1", "m.io/app:v1", 'c').for_platform(Some("linux/arm64".to_owned())),
        entry("app:v1", "m.io/app:v1", 'd'),
        entry("two", "m.io/two", 'e').for_platform(Some("linux/arm64".to_owned())),
        entry("two", "m.io/two", 'f').for_platform(Some("linux/amd64".to_owned())),
        entry("one", "m.io/one", 'e').for_platform(Some("linux/arm64".to_owned())),
        entry("one", "m.io/one", 'e').for_platform(Some("linux/amd64".to_owned())),
    ]);
    let index = lock.index();
    let find = |written, target, platform| match index.find(image(written), image(target), platform) {
        FoundEntry::Current(entry) => entry.digest.hex()[..1].to_owned(),
        FoundEntry::Platforms(one, other) => [one, other].map(|entry| &entry.digest.hex()[..1]).concat(),
        FoundEntry::Stale(entry) => format!("stale: {}", entry.target),
        FoundEntry::Missing => "missing".to_owned(),
    };
    let arm = Some("linux/arm64");
    for (name, written, target, platform, want) in [
        ("by id", "nginx:1.27", "m.io/hub/nginx:1.27", None, "a"),
        ("by target", "docker.io/library/nginx:1.27", "m.io/hub/nginx:1.27", None, "a"),
        ("when it was rewritten", "m.io/hub/nginx:1.27", "m.io/hub/nginx:1.27", None, "a"),
        ("no tag is latest", "m.io/hub/redis:latest", "m.io/hub/redis:latest", None, "b"),
        ("the index before a platform", "app:v1", "m.io/app:v1", None, "d"),
        ("a platform", "app:v1", "m.io/app:v1", arm, "c"),
        ("one of two platforms", "two", "m.io/two", arm, "e"),
        ("no platform of two", "two", "m.io/two", None, "fe"),
        ("two platforms of one image", "one", "m.io/one", None, "e"),
        ("another platform", "nginx:1.27", "m.io/hub/nginx:1.27", arm, "stale: m.io/hub/nginx:1.27"),
        ("another target", "nginx:1.27", "new.io/nginx:1.27", None, "stale: m.io/hub/nginx:1.27"),
        ("another tag", "nginx:1.28", "m.io/hub/nginx:1.28", None, "missing"),
    ] {
        assert_eq!(find(written, target, platform), want, "{name}");
    }
}

#[test]
fn tells_pairs_that_do_not_belong_together() {
    let mut lock = lock([entry("nginx:1.27", "m.io/nginx:1.27", 'a'), entry("b:v1", "m.io/b:v1", 'b')]);
    lock.put(entry("nginx:1.27", "m.io/nginx:1.27", 'c'));
    let index = lock.index();
    let pair = |text: &str, digit| match index.pair(image(&format!("{text}@{}", digest(digit)))).unwrap() {
        Pair::Agrees(_) => "agrees",
        Pair::Previous(_) => "previous",
        Pair::Differs(_) => "differs",
        Pair::Unknown => "unknown",
    };
    assert_eq!(index.pair(image("m.io/nginx:1.27")), None);
    for (name, text, digit, want) in [
        ("as locked", "m.io/nginx:1.27", 'c', "agrees"),
        ("from before the update", "m.io/nginx:1.27", 'a', "previous"),
        ("another digest", "m.io/nginx:1.27", 'd', "differs"),
        ("only the tag was bumped", "m.io/nginx:1.28", 'c', "differs"),
        ("only the tag was bumped, before the update", "m.io/nginx:1.28", 'a', "differs"),
        ("a digest alone", "m.io/nginx", 'c', "unknown"),
        ("another image", "m.io/c:v1", 'c', "unknown"),
    ] {
        assert_eq!(pair(text, digit), want, "{name}");
    }
}

#[test]
fn remembers_the_digest_before() {
    let mut lock = lock([entry("a:v1", "m.io/a:v1", 'a')]);
    let previous = |lock: &Lock| lock.entries().next().unwrap().previous.clone();
    assert_eq!(previous(&lock), None);
    lock.put(entry("a:v1", "m.io/a:v1", 'b'));
    assert_eq!(previous(&lock), Some(digest('a')));
    // The same again changes nothing.
    lock.put(entry("a:v1", "m.io/a:v1", 'b'));
    assert_eq!(previous(&lock), Some(digest('a')));
}

proptest! {
    /// The order in which entries come does not matter, and text and entries are the same thing.
    #[test]
    fn text_and_entries(
        names in proptest::collection::btree_map("[a-z]{1,8}(/[a-z0-9]{1,4}){0,2}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,6})?", "[a-f]", 0..12)
    ) {
        let entries: Vec<LockEntry> = names
            .iter()
            .map(|(name, digit)| entry(name, &format!("m.example:5000/{name}"), digit.chars().next().unwrap()))
            .collect();
        let text = lock(entries.clone()).render();
        prop_assert_eq!(&lock(entries.iter().rev().cloned()).render(), &text);
        let again = Lock::parse("l", &text).unwrap();
        prop_assert_eq!(again.render(), text);
        prop_assert_eq!(again.entries().len(), entries.len());
        for entry in &entries {
            let index = again.index();
            let found = index.find(image(&entry.id), image(&entry.target), None);
            prop_assert!(matches!(found, FoundEntry::Current(found) if found.digest == entry.digest));
        }
    }

    /// No text makes the reader panic.
    #[test]
    fn any_text(text in "\\PC{0,60}|(apiVersion|kind|images|image|[-:{}\\[\\]\n @a-z]){0,30}") {
        if let Err(errors) = Lock::parse("l", &text) {
            prop_assert!(!errors.0.is_empty());
        }
    }
}
