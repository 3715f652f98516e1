//! The registry client against real registries: open, with passwords, with TLS of a private authority, with
//! tokens. What it finds is what crane and skopeo find.
#![allow(clippy::unwrap_used)]

mod registry_support;

use std::path::Path;
use std::process::Command;

use imageswap::image::ImageReference;
use imageswap::registry::{
    Anonymous, ClientCertificate, Credential, Fixed, HostOptions, Reason, ResolveOptions, Secret, Step,
    blocking,
};
use registry_support::real::{Auth, Certificates, Registry, programs};
use registry_support::token_server::TokenServer;
use registry_support::{options, program, resolve};
use tempfile::TempDir;

const USER: &str = "somebody";
const PASSWORD: &str = "canary-7d1c-password";

fn keychain(host: &str, password: &str) -> Fixed {
    let password = Secret::new(password);
    Fixed::new().with(host, Credential::Basic { user: USER.to_owned(), password })
}

fn platform(text: &str) -> ResolveOptions {
    ResolveOptions { platform: Some(text.parse().unwrap()), ..ResolveOptions::default() }
}

fn crane_digest(image: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program::find("crane")?).arg("digest").args(arguments).arg(image).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn digests_are_those_of_crane() {
    for program in programs() {
        let storage = TempDir::new().unwrap();
        let registry = Registry::start(&program, storage.path(), &Auth::Open, None);
        let (index, children) = registry.push_index("team/app", "1.27", false);
        let (list, of_list) = registry.push_index("team/docker", "v1", true);
        let (single, _) = registry.push_image("single", Some("latest"), false, "one");
        let host = registry.host.clone();
        for (image, want) in [
            ("team/app:1.27", &index),
            ("team/docker:v1", &list),
            ("single", &single),
            ("single:latest", &single),
        ] {
            let image = format!("{host}/{image}");
            let found = resolve(&image, options(&[&host]), Anonymous, ResolveOptions::default()).unwrap();
            assert_eq!(found.digest.as_str(), want, "{image}");
            assert!(found.verified);
            if let Some(crane) = crane_digest(&image, &[]) {
                assert_eq!(found.digest.as_str(), crane, "{image}");
            }
            let head = ResolveOptions { head_only: true, ..ResolveOptions::default() };
            let found = resolve(&image, options(&[&host]), Anonymous, head).unwrap();
            assert_eq!((found.digest.as_str(), found.verified), (want.as_str(), false), "{image}");
        }
        for (asked, at) in
            [("linux/amd64", 0), ("linux/arm64", 1), ("linux/arm64/v8", 1), ("linux/arm/v7", 2)]
        {
            for (image, children) in [("team/app:1.27", &children), ("team/docker:v1", &of_list)] {
                let image = format!("{host}/{image}");
                let found = resolve(&image, options(&[&host]), Anonymous, platform(asked)).unwrap();
                assert_eq!(found.digest.as_str(), children[at], "{image} {asked}");
                if let Some(crane) = crane_digest(&image, &["--platform", asked]) {
                    assert_eq!(found.digest.as_str(), crane, "{image} {asked}");
                }
            }
        }
        let image = format!("{host}/team/app:1.27");
        let error = resolve(&image, options(&[&host]), Anonymous, platform("linux/s390x")).unwrap_err();
        assert!(error.to_string().contains("linux/amd64, linux/arm/v7, linux/arm64/v8"), "{error}");
        let error =
            resolve(&format!("{host}/gone:1"), options(&[&host]), Anonymous, ResolveOptions::default());
        let error = error.unwrap_err();
        assert!(error.is_not_found() && error.step == Step::Lookup, "{error}");
        // A host of this machine needs no configuration.
        let found = resolve(&image, options(&[]), Anonymous, ResolveOptions::default()).unwrap();
        assert_eq!(found.digest.as_str(), index);
    }
}

#[test]
fn passwords() {
    for program in programs() {
        if program::find("htpasswd").is_none() {
            return;
        }
        let storage = TempDir::new().unwrap();
        let (want, _) =
            Registry::start(&program, storage.path(), &Auth::Open, None).push_index("a/b", "1", false);
        let registry = Registry::start(&program, storage.path(), &Auth::Basic(USER, PASSWORD), None);
        let host = registry.host.clone();
        let image = format!("{host}/a/b:1");
        let ask = |keychain: Fixed| resolve(&image, options(&[&host]), keychain, ResolveOptions::default());
        assert_eq!(ask(keychain(&host, PASSWORD)).unwrap().digest.as_str(), want);
        let wrong = ask(keychain(&host, "canary-7d1c-wrong")).unwrap_err();
        assert!(matches!(&*wrong.reason, Reason::Unauthorized { origin: Some(_), .. }), "{wrong}");
        assert!(!format!("{wrong} {wrong:?} {:?}", wrong.hint()).contains("canary"), "{wrong:?}");
        let none = ask(Fixed::new()).unwrap_err();
        assert!(matches!(&*none.reason, Reason::Unauthorized { origin: None, .. }), "{none}");
        assert!(none.hint().unwrap().contains("docker login"), "{none}");
    }
}

#[test]
fn tls_of_a_private_authority() {
    let certificates = Certificates::new();
    for program in programs() {
        let storage = TempDir::new().unwrap();
        let (want, _) =
            Registry::start(&program, storage.path(), &Auth::Open, None).push_index("a/b", "1", false);
        let (certificate, key) = (certificates.path("server.pem"), certificates.path("server.key"));
        let registry = Registry::start(&program, storage.path(), &Auth::Open, Some((&certificate, &key)));
        let port = registry.host.rsplit_once(':').unwrap().1.to_owned();
        let host = format!("localhost:{port}");
        let image = format!("{host}/a/b:1");
        let mut given = options(&[]);
        let ca = Some(certificates.path("ca.pem"));
        given.hosts.insert(host.clone(), HostOptions { ca, ..HostOptions::default() });
        let found = resolve(&image, given.clone(), Anonymous, ResolveOptions::default()).unwrap();
        assert_eq!(found.digest.as_str(), want);
        // As Docker and Podman keep them.
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join(&host)).unwrap();
        std::fs::copy(certificates.path("ca.pem"), folder.path().join(&host).join("ca.crt")).unwrap();
        let mut in_folder = options(&[]);
        in_folder.certificate_folders = vec![folder.path().to_owned()];
        assert!(resolve(&image, in_folder, Anonymous, ResolveOptions::default()).is_ok());
        let key = HostOptions {
            ca: Some(certificates.path("ca.pem")),
            client: Some(ClientCertificate {
                certificate: Path::new("/nowhere").into(),
                key: "/nowhere".into(),
            }),
            plain_http: false,
        };
        given.hosts.insert(host.clone(), key);
        let error = resolve(&image, given, Anonymous, ResolveOptions::default()).unwrap_err();
        assert!(error.to_string().contains("/nowhere"), "{error}");
    }
}

#[test]
fn tokens() {
    for program in programs() {
        let Some(tokens) = TokenServer::start(USER, PASSWORD, "canary-refresh") else { return };
        let storage = TempDir::new().unwrap();
        let open = Registry::start(&program, storage.path(), &Auth::Open, None);
        let wants: Vec<String> =
            (0..3).map(|at| open.push_index("a/b", &format!("v{at}"), false).0).collect();
        let (realm, certificate) = (tokens.realm(), tokens.certificate());
        let registry = Registry::start(&program, storage.path(), &Auth::Token(&realm, &certificate), None);
        let host = registry.host.clone();
        let images: Vec<String> = (0..3).map(|at| format!("{host}/a/b:v{at}")).collect();
        let references: Vec<_> = images.iter().map(|image| ImageReference::parse(image).unwrap()).collect();
        for (credential, method) in [
            (Credential::Basic { user: USER.into(), password: Secret::new(PASSWORD) }, "GET"),
            (Credential::IdentityToken(Secret::new("canary-refresh")), "POST"),
        ] {
            let before = tokens.server.count(method, "/token");
            let keychain = Fixed::new().with(host.clone(), credential);
            let mut resolver =
                blocking::Resolver::new(options(&[&host]), keychain, ResolveOptions::default());
            let found = resolver.resolve_all(&references, |_, _| {}).unwrap();
            for (found, want) in found.iter().zip(&wants) {
                assert_eq!(found.as_ref().unwrap().digest.as_str(), want);
            }
            assert_eq!(tokens.server.count(method, "/token") - before, 1, "one token for one repository");
        }
        let wrong = resolve(
            &images[0],
            options(&[&host]),
            keychain(&host, "canary-7d1c-wrong"),
            ResolveOptions::default(),
        );
        let wrong = wrong.unwrap_err();
        assert!(
            wrong.step == Step::Token
                && matches!(&*wrong.reason, Reason::Unauthorized { origin: Some(_), .. }),
            "{wrong}"
        );
        assert!(!format!("{wrong} {wrong:?}").contains("canary"), "{wrong:?}");
    }
}
