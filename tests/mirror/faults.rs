//! What goes wrong between the program and the registries: it is put right, or said, and never does harm at the target.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use imageswap::image::ImageReference;
use imageswap::mirror::{Action, Copied, Copier, CopyOptions, Planned, RegistryStore, Wanted};
use imageswap::registry::{Anonymous, Client, Credential, Fixed, Keychain, RegistryOptions, Secret};
use tempfile::TempDir;

use crate::registry_support::proxy::{Harm, Proxy, Seen};
use crate::registry_support::real::{Auth, Kind, Registry};
use crate::registry_support::token_server::TokenServer;
use crate::registry_support::{options, program, runtime};
use crate::run::{closure, manifest};

/// A layer that takes more than one read.
fn words() -> String {
    (0..60_000).map(|at| format!("{at} ")).collect()
}

fn copier(
    options: RegistryOptions,
    keychain: impl Keychain + 'static,
) -> Copier<RegistryStore, RegistryStore> {
    let client = Client::new(options, keychain);
    Copier::new(RegistryStore::new(client.clone()), RegistryStore::new(client), CopyOptions::default())
}

/// Time-outs that a test can wait for, and a busy machine can keep.
fn timely() -> RegistryOptions {
    RegistryOptions {
        read_timeout: Duration::from_secs(4),
        answer_timeout: Duration::from_secs(4),
        ..options(&[])
    }
}

/// Copies `app:1` of the source to `copy/app:1` of the target.
fn copy_with(
    copier: &Copier<RegistryStore, RegistryStore>,
    source: &str,
    target: &str,
) -> Result<(Planned, Copied), String> {
    let (from, to) = (format!("{source}/app:1"), format!("{target}/copy/app:1"));
    let (from, to) = (ImageReference::parse(&from).unwrap(), ImageReference::parse(&to).unwrap());
    let wanted = Wanted::new(from, to, None).unwrap();
    runtime().block_on(async {
        let planned = copier.plan(wanted).await.map_err(|error| error.to_string())?;
        let copied = copier.copy(&planned).await;
        Ok((planned, copied))
    })
}

fn copy(source: &str, target: &str) -> Result<(), String> {
    let (_, copied) = copy_with(&copier(timely(), Anonymous), source, target)?;
    copied.result.map_err(|error| error.to_string())
}

struct Pair {
    source: Registry,
    target: Registry,
    digest: String,
    _storage: [TempDir; 2],
}

impl Pair {
    fn new(kind: Kind) -> Option<Self> {
        let storage = [TempDir::new().unwrap(), TempDir::new().unwrap()];
        let source = Registry::of(Kind::Docker, storage[0].path())?;
        let target = Registry::of(kind, storage[1].path())?;
        let (digest, _) = source.push_image("app", Some("1"), false, &words());
        Some(Self { source, target, digest, _storage: storage })
    }

    /// The image is there as a whole.
    fn is_whole(&self) {
        assert_eq!(closure(&self.target.host, "copy/app", "1"), 3);
        assert_eq!(closure(&self.target.host, "copy/app", &self.digest), 3);
    }

    /// Nothing is there that would be taken for the image.
    fn is_nothing(&self) {
        assert!(manifest(&self.target.host, "copy/app", "1").is_none());
        assert!(manifest(&self.target.host, "copy/app", &self.digest).is_none());
    }
}

fn is_upload(seen: &Seen) -> bool {
    seen.is("PUT", "/blobs/uploads/")
}

#[test]
fn what_passes_is_tried_again() {
    type Judge = fn(&Seen) -> Harm;
    let at_target: [(&str, Judge); 10] = [
        ("503 to the start of an upload", |seen| {
            if seen.is("POST", "/uploads/") && seen.before == 0 { Harm::reply(503) } else { Harm::none() }
        }),
        ("no answer to whether an upload is known", |seen| {
            let cut = is_upload(seen) && seen.before < 2;
            let gone = seen.is("GET", "/uploads/").then_some((404, Vec::new()));
            Harm { cut_request: cut.then_some(100_000), reply: gone, ..Harm::default() }
        }),
        ("500 to an upload", |seen| {
            if is_upload(seen) && seen.before == 0 { Harm::reply(500) } else { Harm::none() }
        }),
        ("404 to an upload", |seen| {
            if is_upload(seen) && seen.before == 0 { Harm::reply(404) } else { Harm::none() }
        }),
        ("429 to an upload", |seen| {
            let wait = vec![("Retry-After", "0".to_owned())];
            let busy = Harm { reply: Some((429, wait)), ..Harm::default() };
            if is_upload(seen) && seen.before == 0 { busy } else { Harm::none() }
        }),
        ("a connection that breaks in an upload", |seen| {
            // The first of the two blobs, whichever that is, and the first try of the other.
            let cut = is_upload(seen) && seen.before < 2;
            Harm { cut_request: cut.then_some(100_000), ..Harm::default() }
        }),
        ("an upload whose answer is lost", |seen| Harm {
            lose_answer: is_upload(seen) && seen.before == 0,
            ..Harm::default()
        }),
        ("a manifest whose answer is lost", |seen| Harm {
            lose_answer: seen.is("PUT", "/manifests/") && seen.before == 0,
            ..Harm::default()
        }),
        ("a relative Location", |seen| Harm {
            relative_location: seen.path.contains("/uploads/"),
            ..Harm::default()
        }),
        ("403 to a HEAD of what is not there", |seen| {
            if seen.method == "HEAD" { Harm::reply(403) } else { Harm::none() }
        }),
    ];
    for (name, judge) in at_target {
        let Some(pair) = Pair::new(Kind::Docker) else { return };
        let proxy = Proxy::start(&pair.target.host, judge);
        copy(&pair.source.host, &proxy.host).unwrap_or_else(|error| panic!("{name}: {error}"));
        pair.is_whole();
    }
    let at_source: [(&str, Judge); 4] = [
        ("a blob that breaks off", |seen| {
            let cut = seen.is("GET", "/blobs/") && seen.before == 0;
            Harm { cut_answer: cut.then_some(100_000), ..Harm::default() }
        }),
        ("a blob that breaks off, from a registry without ranges", |seen| {
            let cut = seen.is("GET", "/blobs/") && seen.before == 0;
            Harm { cut_answer: cut.then_some(100_000), ..Harm::default() }
        }),
        ("429 to a manifest", |seen| {
            if seen.is("GET", "/manifests/") && seen.before == 0 { Harm::reply(429) } else { Harm::none() }
        }),
        ("502 to a blob", |seen| {
            if seen.is("GET", "/blobs/") && seen.before == 0 { Harm::reply(502) } else { Harm::none() }
        }),
    ];
    for (name, judge) in at_source {
        let Some(pair) = Pair::new(Kind::Docker) else { return };
        let proxy = Proxy::start(&pair.source.host, judge);
        copy(&proxy.host, &pair.target.host).unwrap_or_else(|error| panic!("{name}: {error}"));
        pair.is_whole();
        if name == "a blob that breaks off" {
            let ranged = proxy.seen().into_iter().filter(|seen| seen.header("range").is_some()).count();
            assert!(ranged > 0, "it goes on where it broke");
        }
    }
}

#[test]
fn what_is_wrong_is_refused() {
    type Judge = fn(&Seen) -> Harm;
    let at_source: [(&str, Judge, &str); 6] = [
        (
            "a corrupted blob",
            |seen| Harm { corrupt: seen.is("GET", "/blobs/").then_some(20), ..Harm::default() },
            "the registry lies",
        ),
        (
            "a blob whose last byte is wrong",
            |seen| {
                let last = words().len() - 1;
                Harm { corrupt: seen.is("GET", "/blobs/").then_some(last), ..Harm::default() }
            },
            "the registry lies",
        ),
        (
            "a truncated blob",
            |seen| Harm { truncate: seen.is("GET", "/blobs/"), ..Harm::default() },
            "the registry lies",
        ),
        (
            "a corrupted manifest",
            |seen| Harm { corrupt: seen.is("GET", "/manifests/").then_some(20), ..Harm::default() },
            "the registry lies",
        ),
        (
            "a lying digest",
            |seen| {
                let lie = format!("sha256:{}", "0".repeat(64));
                let set = seen.is("HEAD", "/manifests/1").then_some(("Docker-Content-Digest", Some(lie)));
                Harm { set, ..Harm::default() }
            },
            "not found (404)",
        ),
        ("a slow loris", |seen| Harm { drip: seen.is("GET", "/blobs/"), ..Harm::default() }, "timed out"),
    ];
    for (name, judge, why) in at_source {
        let Some(pair) = Pair::new(Kind::Docker) else { return };
        let proxy = Proxy::start(&pair.source.host, judge);
        let error = copy(&proxy.host, &pair.target.host).expect_err(name);
        assert!(error.contains(why), "{name}: {error}");
        pair.is_nothing();
    }
    let at_target: [(&str, Judge, &str); 3] = [
        (
            "no Location",
            |seen| Harm {
                set: seen.is("POST", "/uploads/").then_some(("Location", None)),
                ..Harm::default()
            },
            "no usable Location",
        ),
        (
            "a Location of another scheme",
            |seen| {
                let to = Some("file:///etc/passwd".to_owned());
                Harm { set: seen.is("POST", "/uploads/").then_some(("Location", to)), ..Harm::default() }
            },
            "refused to follow",
        ),
        (
            "403 to an upload",
            |seen| if is_upload(seen) { Harm::reply(403) } else { Harm::none() },
            "access denied (403)",
        ),
    ];
    for (name, judge, why) in at_target {
        let Some(pair) = Pair::new(Kind::Docker) else { return };
        let proxy = Proxy::start(&pair.target.host, judge);
        let error = copy(&pair.source.host, &proxy.host).expect_err(name);
        assert!(error.contains(why), "{name}: {error}");
        pair.is_nothing();
    }
}

/// A failure for good leaves no upload behind.
#[test]
fn abandoned_uploads_are_deleted() {
    let Some(pair) = Pair::new(Kind::Docker) else { return };
    let source = Proxy::start(&pair.source.host, |seen| Harm {
        corrupt: seen.is("GET", "/blobs/").then_some(20),
        ..Harm::default()
    });
    let target = Proxy::start(&pair.target.host, |_| Harm::none());
    copy(&source.host, &target.host).unwrap_err();
    assert!(target.count("DELETE", "/uploads/") > 0);
}

/// Another host may be told to take the blob, and gets no credential of the registry's.
#[test]
fn a_foreign_location_gets_no_credential() {
    let (Some(docker), Some(_)) = (program::find("docker-registry"), program::find("htpasswd")) else {
        return;
    };
    let Some(pair) = Pair::new(Kind::Docker) else { return };
    let storage = TempDir::new().unwrap();
    let registry = Registry::start(&docker, storage.path(), &Auth::Basic("user", "canary-7d1c"), None);
    let foreign = Proxy::start(&pair.target.host, |_| Harm::none());
    let to = foreign.host.clone();
    let proxy = Proxy::start(&registry.host, move |seen| {
        let location = Some(format!("http://{to}/elsewhere?state=1"));
        Harm { set: seen.is("POST", "/uploads/").then_some(("Location", location)), ..Harm::default() }
    });
    let password = Credential::Basic { user: "user".into(), password: Secret::new("canary-7d1c") };
    let keychain = Fixed::new().with(proxy.host.clone(), password);
    let (_, copied) = copy_with(&copier(timely(), keychain), &pair.source.host, &proxy.host).unwrap();
    assert!(copied.result.is_err(), "the other host knows of no such upload");
    let sent = foreign.seen();
    assert!(sent.iter().any(|seen| seen.is("PUT", "/elsewhere?state=1&digest=sha256")), "{sent:?}");
    assert!(sent.iter().all(|seen| seen.header("authorization").is_none()), "{sent:?}");
    assert!(proxy.seen().iter().any(|seen| seen.header("authorization").is_some()));
}

/// The tag is resolved once, and what it stood for then is what is copied.
#[test]
fn a_tag_that_moves_meanwhile() {
    let Some(pair) = Pair::new(Kind::Docker) else { return };
    let copier = copier(timely(), Anonymous);
    let (from, to) = (format!("{}/app:1", pair.source.host), format!("{}/copy/app:1", pair.target.host));
    let wanted =
        Wanted::new(ImageReference::parse(&from).unwrap(), ImageReference::parse(&to).unwrap(), None)
            .unwrap();
    runtime().block_on(async {
        let planned = copier.plan(wanted.clone()).await.unwrap();
        assert_eq!(planned.action, Action::Copy);
        // Between the plan and the copy, somebody moves the tag at the source.
        pair.source.push_image("app", Some("1"), false, "something else");
        copier.copy(&planned).await.result.unwrap();
        pair.is_whole();
        // And at the target.
        let planned = copier.plan(Wanted { tag: Some("2".into()), ..wanted }).await.unwrap();
        let (other, _) = pair.target.push_image("copy/app", Some("2"), false, "somebody's");
        let error = copier.copy(&planned).await.result.unwrap_err();
        assert_eq!(error.code(), "conflict");
        let (kept, _) = manifest(&pair.target.host, "copy/app", "2").unwrap();
        assert_eq!(crate::registry_support::real::sha256(&kept), other);
    });
}

/// A token that is not good any more in mid-upload is replaced, and the upload goes on.
#[test]
fn a_token_that_ends_meanwhile() {
    let Some(docker) = program::find("docker-registry") else { return };
    let Some(tokens) = TokenServer::start("user", "canary-7d1c", "canary-refresh") else { return };
    let Some(pair) = Pair::new(Kind::Docker) else { return };
    let storage = TempDir::new().unwrap();
    let (realm, certificate) = (tokens.realm(), tokens.certificate());
    let registry = Registry::start(&docker, storage.path(), &Auth::Token(&realm, &certificate), None);
    let refused = AtomicUsize::new(0);
    let challenge = format!("Bearer realm=\"{realm}\",service=\"test-registry\"");
    let proxy = Proxy::start(&registry.host, move |seen| {
        let refuse = is_upload(seen) && refused.fetch_add(1, Ordering::SeqCst) == 0;
        let headers = vec![("WWW-Authenticate", challenge.clone())];
        Harm { reply: refuse.then_some((401, headers)), ..Harm::default() }
    });
    let password = Credential::Basic { user: "user".into(), password: Secret::new("canary-7d1c") };
    let keychain = Fixed::new().with(proxy.host.clone(), password);
    let (_, copied) = copy_with(&copier(timely(), keychain), &pair.source.host, &proxy.host).unwrap();
    copied.result.unwrap();
    assert!(tokens.server.count("GET", "/token") >= 2);
    // The right to write is asked for at once: some registries say nothing of what is not there without it.
    let asked = tokens.server.asked();
    assert!(asked.iter().all(|asked| asked.path.contains("copy%2Fapp%3Apull%2Cpush")), "{asked:?}");
}

/// Both sides ask for credentials, by password and by token.
#[test]
fn private_registries() {
    let (Some(docker), Some(_)) = (program::find("docker-registry"), program::find("htpasswd")) else {
        return;
    };
    let Some(tokens) = TokenServer::start("user", "canary-7d1c", "canary-refresh") else { return };
    let (realm, certificate) = (tokens.realm(), tokens.certificate());
    let storage = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    Registry::start(&docker, storage[0].path(), &Auth::Open, None).push_index("app", "1", false);
    let ways = [
        (Auth::Basic("user", "canary-7d1c"), Auth::Token(&realm, &certificate)),
        (Auth::Token(&realm, &certificate), Auth::Basic("user", "canary-7d1c")),
    ];
    for (at, (of_source, of_target)) in ways.into_iter().enumerate() {
        let storage_of_target = TempDir::new().unwrap();
        let source = Registry::start(&docker, storage[0].path(), &of_source, None);
        let target = Registry::start(&docker, storage_of_target.path(), &of_target, None);
        let password = || Credential::Basic { user: "user".into(), password: Secret::new("canary-7d1c") };
        let keychain =
            Fixed::new().with(source.host.clone(), password()).with(target.host.clone(), password());
        let (planned, copied) = copy_with(&copier(timely(), keychain), &source.host, &target.host).unwrap();
        copied.result.unwrap_or_else(|error| panic!("{at}: {error}"));
        drop(target);
        let open = Registry::start(&docker, storage_of_target.path(), &Auth::Open, None);
        assert_eq!(closure(&open.host, "copy/app", planned.digest.unwrap().as_str()), 10);
        // Without a credential nothing can be told.
        let error = copy_with(&copier(timely(), Anonymous), &source.host, &open.host).unwrap_err();
        assert!(error.contains("not logged in (401)"), "{error}");
    }
}

/// A tenth of all answers is 429: it is done all the same, with few requests more.
#[test]
fn a_busy_registry() {
    const IMAGES: usize = 8;
    let Some(pair) = Pair::new(Kind::Docker) else { return };
    for at in 0..IMAGES {
        pair.source.push_image("app", Some(&format!("v{at}")), false, &format!("{at}"));
    }
    let copy_all = |folder: &str, judge: fn(&AtomicUsize) -> bool| {
        let asked = AtomicUsize::new(0);
        let proxy = Proxy::start(&pair.target.host, move |_| {
            let headers = vec![("Retry-After", "0".to_owned())];
            Harm { reply: judge(&asked).then_some((429, headers)), ..Harm::default() }
        });
        let copier = copier(timely(), Anonymous);
        runtime().block_on(async {
            let copies = (0..IMAGES).map(|at| {
                let from = format!("{}/app:v{at}", pair.source.host);
                let to = format!("{}/{folder}/app:v{at}", proxy.host);
                let (from, to) = (ImageReference::parse(&from).unwrap(), ImageReference::parse(&to).unwrap());
                let wanted = Wanted::new(from, to, None).unwrap();
                let copier = &copier;
                async move { copier.copy(&copier.plan(wanted).await.unwrap()).await.result.unwrap() }
            });
            futures_util::future::join_all(copies).await;
        });
        for at in 0..IMAGES {
            assert_eq!(closure(&pair.target.host, &format!("{folder}/app"), &format!("v{at}")), 3);
        }
        proxy.seen().len()
    };
    let calm = copy_all("calm", |_| false);
    let busy = copy_all("busy", |asked| asked.fetch_add(1, Ordering::SeqCst) % 10 == 9);
    // Each 429 costs itself, and nothing more.
    assert!(busy * 100 <= calm * 115, "{busy} requests instead of {calm}");
}
