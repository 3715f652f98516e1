//! `--create-repos`: what the program `aws` is called with, and what its failures lead to. It is a program on PATH, as it
//! is for people; the registry behind the name is a real one, reached through a proxy.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::registry_support::proxy::{Harm, Proxy};
use crate::registry_support::real::Kind;
use crate::run::{Run, Stage, closure, imageswap};

const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

struct Account {
    stage: Stage,
    proxy: Proxy,
}

impl Account {
    fn new() -> Option<Self> {
        let stage = Stage::new(Kind::Docker, Kind::Docker)?;
        stage.source.push_image("team/app", Some("1"), false, "one");
        stage.source.push_image("team/app", Some("2"), false, "two");
        stage.source.push_image("team/web", Some("1"), false, "web");
        let images = ["team/app:1", "team/app:2", "team/web:1"];
        stage.list(&images.map(|image| (format!("{}/{image}", stage.source.host), format!("{ECR}/{image}"))));
        let proxy = Proxy::start(&stage.target.host, |_| Harm::none());
        Some(Self { stage, proxy })
    }

    /// `imageswap mirror`, with the script as `aws` where there is one.
    fn mirror(&self, script: Option<&str>, arguments: &[&str]) -> Run {
        let folder = self.stage.folder.path();
        let programs = folder.join("programs");
        let _ = fs::remove_dir_all(&programs);
        fs::create_dir(&programs).unwrap();
        if let Some(script) = script {
            let path = programs.join("aws");
            let calls = folder.join("calls");
            fs::write(&path, format!("#!/bin/sh\necho \"$@\" >> '{}'\n{script}\n", calls.display())).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut command: Command = imageswap(folder);
        command.args(["mirror", "--images", "list", "--format", "json", "--plain-http", ECR]).args(arguments);
        command.env("PATH", &programs).env("http_proxy", format!("http://{}", self.proxy.host));
        command.env_remove("NO_PROXY").env_remove("no_proxy");
        command.output().unwrap().into()
    }

    fn calls(&self) -> Vec<String> {
        let path = self.stage.folder.path().join("calls");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        let mut calls: Vec<String> = text.lines().map(str::to_owned).collect();
        calls.sort();
        calls
    }
}

fn create(repository: &str) -> String {
    format!("ecr create-repository --region eu-central-1 --repository-name {repository}")
}

#[test]
fn each_repository_is_made_once() {
    let Some(account) = Account::new() else { return };
    // Nothing is made where nothing is written, nor unasked.
    account.mirror(Some("exit 0"), &["--create-repos", "--dry-run"]).succeeded();
    assert_eq!(account.calls(), [""; 0]);
    let run = account.mirror(Some("exit 0"), &["--create-repos"]).succeeded();
    assert_eq!(run.summary()["copied"], 3, "{}", run.stdout);
    assert_eq!(account.calls(), [create("team/app"), create("team/web")]);
    assert_eq!(closure(&account.stage.target.host, "team/app", "2"), 3);
    // What is there already needs no repository.
    account.mirror(Some("exit 1"), &["--create-repos"]).succeeded();
    assert_eq!(account.calls(), [""; 0]);
}

#[test]
fn one_that_exists_is_as_good() {
    let Some(account) = Account::new() else { return };
    let exists = "echo >&2; echo 'An error occurred (RepositoryAlreadyExistsException) when calling the \
                  CreateRepository operation: the repository exists' >&2; exit 254";
    account.mirror(Some(exists), &["--create-repos"]).succeeded();
    assert_eq!(account.calls().len(), 2);
    assert_eq!(closure(&account.stage.target.host, "team/web", "1"), 3);
}

#[test]
fn failures_are_said_and_nothing_is_written() {
    let Some(account) = Account::new() else { return };
    let denied = "echo >&2; echo 'An error occurred (AccessDeniedException): not authorized' >&2; exit 254";
    for (script, words) in [
        (
            Some(denied),
            "aws cannot create the repository team/app: An error occurred (AccessDeniedException)",
        ),
        (None, "--create-repos calls the program aws, which cannot be started"),
    ] {
        let run = account.mirror(script, &["--create-repos"]);
        assert_eq!(run.code, 2, "{}{}", run.stdout, run.stderr);
        for image in run.images() {
            assert_eq!(image["error"]["code"], "no-repository", "{image}");
            assert_eq!(image["error"]["step"], "creating the repository", "{image}");
        }
        assert!(run.stdout.contains(words), "{}", run.stdout);
        assert_eq!(account.proxy.count("POST", "/uploads/") + account.proxy.count("PUT", "/manifests/"), 0);
        let calls = account.calls();
        assert_eq!(calls.len(), if script.is_some() { 2 } else { 0 }, "{calls:?}");
    }
}
