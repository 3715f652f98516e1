//! The clouds' programs, files and servers.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;

const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

#[test]
fn github() {
    let machine = Machine::new().variable("GITHUB_TOKEN", CANARY).variable("GITHUB_ACTOR", "octocat");
    assert_eq!(machine.finds("ghcr.io", "owner/a"), format!("octocat:{CANARY}"));
    assert_eq!(machine.finds("quay.io", "owner/a"), "anonymous");
    let machine = Machine::new().variable("GITHUB_TOKEN", CANARY);
    assert_eq!(machine.finds("ghcr.io", "owner/a"), format!("imageswap:{CANARY}"));
    assert_eq!(Machine::new().search("ghcr.io", "owner/a").tried[0].what, "GITHUB_TOKEN");
}

#[test]
fn a_configuration_goes_first() {
    let machine = Machine::new()
        .variable("GITHUB_TOKEN", CANARY)
        .file("home/.docker/config.json", "{\"auths\":{\"ghcr.io\":{\"auth\":\"dTpw\"}}}");
    assert_eq!(machine.finds("ghcr.io", "owner/a"), "u:p");
}

#[test]
fn google() {
    let gcloud = format!(
        "[ \"$*\" = 'config config-helper --format=json(credential)' ] || exit 9\n\
         echo '{{\"credential\":{{\"access_token\":\"{CANARY}\",\"token_expiry\":\"2030-01-01T00:00:00Z\"}}}}'"
    );
    let machine = Machine::new().program("gcloud", &gcloud);
    for registry in ["gcr.io", "eu.gcr.io", "europe-docker.pkg.dev"] {
        assert_eq!(machine.finds(registry, "p/a"), format!("oauth2accesstoken:{CANARY}"), "{registry}");
    }
    let machine = machine.program("docker-credential-gcr", &answers("_dcgcr", CANARY));
    assert_eq!(machine.finds("gcr.io", "p/a"), format!("_dcgcr:{CANARY}"));
    let key = format!("{{\"type\":\"service_account\",\"private_key\":\"{CANARY}\"}}");
    let machine = machine.file("key.json", &key);
    let file = machine.path("key.json").display().to_string();
    let machine = machine.variable("GOOGLE_APPLICATION_CREDENTIALS", file);
    assert_eq!(machine.finds("gcr.io", "p/a"), format!("_json_key:{key}"));
    let machine = machine.file("key.json", "{\"type\":\"authorized_user\"}");
    assert_eq!(machine.finds("gcr.io", "p/a"), format!("_dcgcr:{CANARY}"));
}

#[test]
fn programs_that_fail_are_no_error() {
    let machine = Machine::new()
        .program("gcloud", "echo 'You do not have an active account' >&2; exit 1")
        .program("docker-credential-gcr", "echo garbage");
    let search = machine.search("gcr.io", "distroless/static");
    assert_eq!(search.found, Ok(None));
    let tried: Vec<String> =
        search.tried.iter().map(|tried| format!("{}: {}", tried.what, tried.why)).collect();
    assert_eq!(
        tried,
        [
            "docker-credential-gcr: gave no credential for gcr.io, but something else",
            "gcloud: failed with exit code 1; what it wrote is not shown, as it may hold a secret",
        ]
    );
}

#[test]
fn aws() {
    let script = format!("[ \"$*\" = 'ecr get-login-password --region eu-central-1' ] && echo {CANARY}");
    let machine = Machine::new().program("aws", &script);
    assert_eq!(machine.finds(ECR, "team/a"), format!("AWS:{CANARY}"));
    let machine = machine.program("docker-credential-ecr-login", &answers("AWS", "by-helper"));
    assert_eq!(machine.finds(ECR, "team/a"), "AWS:by-helper");
    let machine = Machine::new().program("aws", "echo two words");
    assert_eq!(machine.finds(ECR, "team/a"), "anonymous");
}

#[test]
fn azure() {
    let script = format!(
        "[ \"$*\" = 'acr login --name team --expose-token --output json' ] || exit 9\n\
         echo '{{\"accessToken\":\"{CANARY}\",\"loginServer\":\"team.azurecr.io\"}}'"
    );
    let machine = Machine::new().program("az", &script);
    let user = "00000000-0000-0000-0000-000000000000";
    assert_eq!(machine.finds("team.azurecr.io", "a"), format!("{user}:{CANARY}"));
    let machine = machine.program("docker-credential-acr-env", &answers(user, "by-helper"));
    assert_eq!(machine.finds("team.azurecr.io", "a"), format!("{user}:by-helper"));
}

/// Answers one request with `answer`, and gives back the request.
fn metadata_server(answer: String) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        // The client may have read enough.
        let _ = stream.write_all(answer.as_bytes());
        String::from_utf8(request).unwrap()
    });
    (address, thread)
}

#[test]
fn google_metadata_server() {
    let good = "HTTP/1.0 200 OK\r\nMetadata-Flavor: Google\r\n\r\n";
    for (name, answer, want) in [
        (
            "a token",
            format!("{good}{{\"access_token\":\"{CANARY}\"}}"),
            format!("oauth2accesstoken:{CANARY}"),
        ),
        (
            "another server",
            format!("HTTP/1.0 200 OK\r\n\r\n{{\"access_token\":\"{CANARY}\"}}"),
            "anonymous".to_owned(),
        ),
        ("not found", "HTTP/1.0 404 Not Found\r\n\r\n".to_owned(), "anonymous".to_owned()),
        ("garbage", format!("{good}{CANARY}"), "anonymous".to_owned()),
        ("no end", format!("{good}{}", "x".repeat(1 << 20)), "anonymous".to_owned()),
        ("nothing", String::new(), "anonymous".to_owned()),
    ] {
        let (address, thread) = metadata_server(answer);
        let mut machine = Machine::new();
        machine.metadata = Some(address);
        assert_eq!(machine.finds("gcr.io", "p/a"), want, "{name}");
        let request = thread.join().unwrap();
        assert!(request.contains("Metadata-Flavor: Google\r\n"), "{name}: {request}");
    }
    // Others' registries are none of its business.
    let mut machine = Machine::new();
    machine.metadata = Some("127.0.0.1:9".to_owned());
    assert_eq!(machine.finds("quay.io", "a"), "anonymous");
    assert_eq!(machine.finds("gcr.io", "a"), "anonymous");
}
