//! Helpers that answer, know nothing, fail, hang, and write garbage or without end.

use super::*;

const CONFIG: &str =
    "{\"credHelpers\":{\"quay.io\":\"test\",\"docker.io\":\"test\"},\"auths\":{\"gcr.io\":{}}}";
const STORE: &str = "{\"credsStore\":\"test\",\"auths\":{\"quay.io\":{}}}";

fn with_helper(config: &str, script: &str) -> Machine {
    Machine::new().file("home/.docker/config.json", config).program("docker-credential-test", script)
}

#[test]
fn answers_are_used() {
    let user = answers("u", CANARY);
    assert_eq!(with_helper(CONFIG, &user).finds("quay.io", "a"), format!("u:{CANARY}"));
    assert_eq!(with_helper(STORE, &user).finds("quay.io", "a"), format!("u:{CANARY}"));
    let token = answers("<token>", CANARY);
    assert_eq!(with_helper(CONFIG, &token).finds("quay.io", "a"), format!("identity {CANARY}"));
    // Only those that the configuration names a helper for.
    assert_eq!(with_helper(CONFIG, &user).finds("example.com", "a"), "anonymous");
    let found = with_helper(CONFIG, &user).search("quay.io", "a").found.unwrap().unwrap();
    assert!(found.origin.starts_with("docker-credential-test (named in "), "{}", found.origin);
}

#[test]
fn docker_hub_is_asked_for_by_its_key() {
    let script = "read server\nprintf '{\"Username\":\"%s\",\"Secret\":\"%s\"}' \"$1\" \"$server\"";
    let machine = with_helper(CONFIG, script);
    assert_eq!(machine.finds("docker.io", "library/nginx"), "get:https://index.docker.io/v1/");
}

#[test]
fn knowing_nothing_is_anonymous() {
    for script in [
        "echo 'credentials not found in native keychain'; exit 1",
        "echo 'no credentials server URL'; exit 1",
    ] {
        let search = with_helper(CONFIG, script).search("quay.io", "a");
        assert_eq!(search.found, Ok(None), "{script}");
        assert_eq!(search.tried[0].what, "docker-credential-test");
    }
}

#[test]
fn failures_are_said_without_what_the_helper_wrote() {
    const UNSHOWN: &str = "; what it wrote is not shown, as it may hold a secret";
    let json = format!("echo '{{\"Secret\":\"{CANARY}\"}}'");
    for (name, script, want) in [
        (
            "to standard output",
            format!("echo 'locked {CANARY}'; exit 3"),
            format!("failed with exit code 3{UNSHOWN}"),
        ),
        (
            "to standard error",
            format!("echo {CANARY} >&2; exit 1"),
            format!("failed with exit code 1{UNSHOWN}"),
        ),
        (
            "to both, letter by letter",
            format!("echo {CANARY} | sed 's/./& /g' | tee /dev/stderr; exit 1"),
            format!("failed with exit code 1{UNSHOWN}"),
        ),
        ("nothing", "exit 2".to_owned(), "failed with exit code 2".to_owned()),
        ("an answer", format!("{json}; exit 1"), format!("failed with exit code 1{UNSHOWN}")),
        (
            "something else than an answer",
            format!("echo '{CANARY}'"),
            "gave no credential for quay.io, but something else".to_owned(),
        ),
        (
            "an answer without a secret",
            "echo '{\"Username\":\"u\",\"Secret\":\"\"}'".to_owned(),
            "gave no credential for quay.io, but something else".to_owned(),
        ),
        ("nothing, and was killed", "kill -9 $$".to_owned(), "was ended by a signal".to_owned()),
        ("output without end", "exec yes canary".to_owned(), "wrote more than 1048576 bytes".to_owned()),
        ("errors without end", "exec yes canary >&2".to_owned(), "wrote more than 1048576 bytes".to_owned()),
    ] {
        let found = with_helper(CONFIG, &script).finds("quay.io", "a");
        assert_eq!(found, format!("error: docker-credential-test: {want}"), "{name}");
    }
}

#[test]
fn a_slow_helper_is_ended_with_what_it_started() {
    // The child keeps the pipes open after the helper itself has gone.
    let mut machine = with_helper(CONFIG, "sleep 600 &\necho $! > \"$CALLS\"\nwait");
    machine.timeout = Duration::from_secs(1);
    let started = Instant::now();
    let found = machine.finds("quay.io", "a");
    assert!(found.contains("gave no answer within 1 s"), "{found}");
    assert!(started.elapsed() < Duration::from_secs(60));
    let child = fs::read_to_string(machine.path("calls")).unwrap();
    let state = || fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
    // It has been told to end, and the system takes its time.
    while !state().is_empty() && !state().contains(") Z ") {
        assert!(started.elapsed() < Duration::from_secs(60), "still there: {}", state());
        std::thread::yield_now();
    }
}

#[test]
fn a_program_that_is_not_there() {
    let machine = Machine::new().file("home/.docker/config.json", CONFIG);
    let found = machine.finds("quay.io", "a");
    assert!(found.contains("docker-credential-test: is not on PATH, and "), "{found}");
    let machine = Machine::new().file("home/.docker/config.json", "{\"credsStore\":\"../evil\"}");
    assert!(machine.finds("quay.io", "a").contains("is no name of a program"));
}

#[test]
fn each_answer_is_asked_for_once_and_forgotten_in_time() {
    let machine = with_helper(CONFIG, &answers("u", "p"));
    let keychain = machine.keychain();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let keychain = &keychain;
            scope.spawn(move || keychain.search("quay.io", &format!("a/{n}")).found.unwrap().unwrap());
        }
    });
    assert_eq!(machine.calls(), 1);
    keychain.refused("quay.io");
    let _ = keychain.search("quay.io", "a");
    assert_eq!(machine.calls(), 2);
    *lock(&machine.clock) += REMEMBERED;
    let _ = keychain.search("quay.io", "a");
    assert_eq!(machine.calls(), 3);
}
