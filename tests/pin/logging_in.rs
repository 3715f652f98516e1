//! Credentials: which are used, and that none is shown.

use crate::registry_support::program;
use crate::registry_support::real::Auth;
use crate::scene::{Scene, pod, words};

#[test]
fn logs_in_and_shows_no_password() {
    const CANARY: &str = "canary-3b9f1c5d7e";
    let Some(_) = program::find("htpasswd") else { return };
    let Some(scene) = Scene::new(&Auth::Basic("ann", CANARY)) else { return };
    let host = scene.registry.host.clone();
    let config = |password: &str| {
        format!("{{\"auths\":{{\"{host}\":{{\"username\":\"ann\",\"password\":\"{password}\"}}}}}}")
    };
    scene.write("pod.yaml", &pod(&["nginx:1.27"]));
    let quiet = |said: String| {
        assert!(!said.contains(CANARY), "{said}");
        said
    };
    let said = quiet(scene.fails(2, &["--pin", "pod.yaml"]));
    assert!(said.contains("not logged in (401)") && said.contains("docker login"), "{said}");
    scene.write(".docker/config.json", &config(&format!("{CANARY}-wrong")));
    let said = quiet(scene.fails(2, &["--pin", "pod.yaml"]));
    assert!(said.contains("was refused"), "{said}");
    scene.write("own.json", &config(CANARY));
    let said = quiet(scene.fails(2, &["--pin", "--registry-config", "own.json", "pod.yaml"]));
    assert!(said.contains("not found (404)"), "logged in, there is no such image: {said}");
}

#[test]
fn auth_check_says_whether_it_works_and_shows_nothing() {
    const CANARY: &str = "canary-7a6c2e4d";
    let Some(_) = program::find("htpasswd") else { return };
    let Some(scene) = Scene::new(&Auth::Basic("ann", CANARY)) else { return };
    let host = scene.registry.host.clone();
    let check = |what: &str| {
        let output = scene.run(&["auth", "check", what]);
        let said = words(&output);
        assert!(!said.contains(CANARY), "{said}");
        (output.status.code(), said)
    };
    let (code, said) = check(&host);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with(&format!("{host}: no credential\n  does not work: ")), "{said}");
    let config = |password: &str| {
        let text =
            format!("{{\"auths\":{{\"{host}\":{{\"username\":\"ann\",\"password\":\"{password}\"}}}}}}");
        scene.write(".docker/config.json", &text);
    };
    config(&format!("{CANARY}-wrong"));
    let (code, said) = check(&host);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("user \"ann\" and a password, from "), "{said}");
    assert!(said.contains("config.json (entry for "), "{said}");
    config(CANARY);
    for what in [host.clone(), format!("{host}/team/app"), format!("{host}/team/app:v1")] {
        let (code, said) = check(&what);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("\n  works"), "{said}");
    }
}

#[test]
fn nothing_that_a_failing_helper_wrote_is_shown() {
    const CANARY: &str = "canary-0f1e2d";
    let Some(_) = program::find("htpasswd") else { return };
    let Some(scene) = Scene::new(&Auth::Basic("ann", "another")) else { return };
    let host = scene.registry.host.clone();
    scene.write(".docker/config.json", &format!("{{\"credHelpers\":{{\"{host}\":\"test\"}}}}"));
    let image = format!("{host}/team/app:v1");
    scene.write("pod.yaml", &pod(&[&image]));
    let digest = format!("sha256:{}", "0".repeat(64));
    scene.write(
        "imageswap.lock",
        &format!(
            "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n- image: {host}/team/app@{digest}\n  annotations:\n    \
             imageswap.dev/target: {image}\n    kbld.carvel.dev/id: {image}\n"
        ),
    );
    let map = ["--map", "nowhere.example::x.example"];
    let mirrored = format!("{host}::{host}/mirror");
    for script in [
        format!("echo {CANARY}; echo {CANARY} >&2; exit 1"),
        format!("echo '{{\"Username\":\"ann\",\"Secret\":\"{CANARY}\"}}'; exit 1"),
        format!("echo 'credentials not found: {CANARY}' >&2; kill -9 $$"),
        format!("echo {CANARY}"),
        format!("echo '{{\"Username\":\"ann\",\"Password\":\"{CANARY}\"}}'"),
    ] {
        scene.program("docker-credential-test", &script);
        for arguments in [
            &["rewrite", "--pin", map[0], map[1], "pod.yaml"][..],
            &["explain", "--pin", map[0], map[1], &image],
            &["verify", map[0], map[1], "pod.yaml"],
            &["lock", "diff"],
            &["lock", "diff", "--format", "json"],
            &["lock", "update"],
            &["auth", "check", &host],
            &["mirror", "--map", &mirrored, "pod.yaml"],
            &["mirror", "--map", &mirrored, "--format", "json", "pod.yaml"],
        ] {
            let output = scene.command(arguments).env("PATH", scene.path("bin")).output().unwrap();
            let said = words(&output);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {script}: {said}");
            assert!(said.contains("docker-credential-test"), "{arguments:?}: {script}: {said}");
            assert!(!said.contains("canary"), "{arguments:?}: {script}: {said}");
        }
    }
}
