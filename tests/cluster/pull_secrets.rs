//! `rewrite --pin --online`: the pull secrets of pod specs and service accounts, from a real API server, let the digests
//! of real registries be read that let nobody else in.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tempfile::TempDir;

use crate::control_plane::{ControlPlane, shared};
use crate::installation::imageswap;
use crate::kubectl::Kubectl;
use crate::processes::wait;
use crate::registry_support::program;
use crate::registry_support::real::{Auth, Registry};

pub(crate) const CANARY: &str = "canary-5e1f";

/// Registries with the same images: each lets one user in.
pub(crate) struct Private {
    registries: Vec<Registry>,
    pub(crate) digest: String,
    _storage: TempDir,
}

impl Private {
    pub(crate) fn start(users: &[&str]) -> Option<Self> {
        let program = program::find("docker-registry")?;
        let storage = TempDir::new().unwrap();
        let open = Registry::start(&program, storage.path(), &Auth::Open, None);
        let (digest, _) = open.push_index("team/app", "v1", false);
        let start = |user: &&str| {
            Registry::start(&program, storage.path(), &Auth::Basic(user, &password(user)), None)
        };
        Some(Self { registries: users.iter().map(start).collect(), digest, _storage: storage })
    }

    pub(crate) fn host(&self, number: usize) -> &str {
        &self.registries[number].host
    }
}

fn password(user: &str) -> String {
    format!("{CANARY}-{user}")
}

/// A namespace with the service account `default`.
fn namespace(plane: &ControlPlane, name: &str) -> Kubectl {
    let kubectl = plane.kubectl();
    kubectl.run(&["create", "namespace", name]);
    wait("the namespace has its service account", 60, || {
        kubectl.try_run(&["get", "serviceaccount", "default", "--namespace", name])
    });
    kubectl
}

pub(crate) fn docker_secret(kubectl: &Kubectl, namespace: &str, name: &str, host: &str, user: &str) {
    let [server, user, password] = [
        format!("--docker-server={host}"),
        format!("--docker-username={user}"),
        format!("--docker-password={}", password(user)),
    ];
    kubectl.run(&[
        "create",
        "secret",
        "docker-registry",
        name,
        "--namespace",
        namespace,
        &server,
        &user,
        &password,
    ]);
}

fn pod(namespace: &str, image: &str, spec: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: {namespace}}}\nspec:\n  {spec}\n  \
         containers:\n  - name: c\n    image: {image}\n"
    )
}

fn rewrite(kubeconfig: &Path, file: &Path, arguments: &[&str]) -> Output {
    let mut command = imageswap();
    command.env("KUBECONFIG", kubeconfig).args(["rewrite", "--map", "nowhere.example::x.example", "--pin"]);
    command.args(arguments).arg(file).output().unwrap()
}

/// What a run says, which never holds a password.
#[track_caller]
fn said(output: &Output, code: i32) -> String {
    let all = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&all).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(!text.contains(CANARY), "{text}");
    text
}

fn file(plane: &ControlPlane, name: &str, text: &str) -> PathBuf {
    let path = plane.folder(name).join("pods.yaml");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn pull_secrets_of_pods_and_accounts_open_private_registries() {
    let Some(plane) = shared() else { return };
    let Some(private) = Private::start(&["of-pod", "of-default", "of-builder"]) else { return };
    let kubectl = namespace(plane, "pulls");
    docker_secret(&kubectl, "pulls", "of-pod", private.host(0), "of-pod");
    // The older form, which only a service account names.
    kubectl.apply(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: of-default, namespace: pulls}}\ntype: kubernetes.io/dockercfg\n\
         stringData:\n  .dockercfg: '{{\"{}\": {{\"username\": \"of-default\", \"password\": \"{}\"}}}}'\n",
        private.host(1),
        password("of-default")
    ));
    docker_secret(&kubectl, "pulls", "of-builder", private.host(2), "of-builder");
    kubectl.run(&[
        "patch",
        "serviceaccount",
        "default",
        "--namespace=pulls",
        "--patch={\"imagePullSecrets\": [{\"name\": \"of-default\"}, {\"name\": \"gone\"}]}",
    ]);
    kubectl.apply(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: builder, namespace: pulls}\n\
         imagePullSecrets: [{name: of-builder}]\n",
    );
    kubectl.run(&["create", "secret", "generic", "opaque", "--namespace=pulls", "--from-literal=a=b"]);

    let image = |number| format!("{}/team/app:v1", private.host(number));
    let text = [
        pod("pulls", &image(0), "imagePullSecrets: [{name: of-pod}, {name: missing}, {name: opaque}]"),
        pod("pulls", &image(1), "restartPolicy: Never"),
        pod("pulls", &image(2), "serviceAccountName: builder"),
    ]
    .join("---\n");
    let path = file(plane, "pulls", &text);
    let refused = said(&rewrite(&kubectl.kubeconfig, &path, &[]), 2);
    assert!(refused.contains("401"), "{refused}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);

    let pinned = said(&rewrite(&kubectl.kubeconfig, &path, &["--online"]), 0);
    for warning in [
        "warning: --online: there is no Secret pulls/missing in the cluster",
        "warning: --online: there is no Secret pulls/gone in the cluster",
        "warning: --online: Secret pulls/opaque is of type Opaque, and no pull secret",
    ] {
        assert!(pinned.contains(warning), "{pinned}");
    }
    let expected = text.replace(":v1\n", &format!(":v1@{}\n", private.digest));
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);

    // Where nothing is left to be looked up, the cluster is not asked either.
    let nowhere = plane.folder("pulls").join("no.kubeconfig");
    said(&rewrite(&nowhere, &path, &["--online", "--check"]), 0);
    fs::write(&path, &text).unwrap();
    let no_cluster = said(&rewrite(&nowhere, &path, &["--online"]), 2);
    assert!(no_cluster.contains("error: --online: no cluster to talk to"), "{no_cluster}");
}

/// Runs `imageswap` with a kubeconfig, and with `stdin` where there is one.
fn run(kubeconfig: &Path, folder: &Path, stdin: &str, arguments: &[&str]) -> Output {
    let mut command = imageswap();
    command.env("KUBECONFIG", kubeconfig).current_dir(folder).args(arguments);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn every_command_that_asks_registries_can_use_pull_secrets() {
    let Some(plane) = shared() else { return };
    let Some(private) = Private::start(&["somebody"]) else { return };
    let kubectl = namespace(plane, "asks");
    docker_secret(&kubectl, "asks", "regcred", private.host(0), "somebody");
    kubectl.apply(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: builder, namespace: asks}\n\
         imagePullSecrets: [{name: regcred}]\n",
    );
    let image = format!("{}/team/app:v1", private.host(0));
    let text = pod("asks", &image, "serviceAccountName: builder");
    let path = file(plane, "asks", &text);
    let folder = path.parent().unwrap();
    let lock = ["--lock", "images.lock"];
    said(
        &rewrite(&kubectl.kubeconfig, &path, &["--online", lock[0], folder.join(lock[1]).to_str().unwrap()]),
        0,
    );

    let items = format!("- {}", text.trim_end().replace('\n', "\n  "));
    let list = format!("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n{items}\n");
    let map = ["--map", "nowhere.example::x.example"];
    let pull_as = ["--online", "--pull-as", "asks/builder"];
    let commands: [(&[&str], &[&str], i32, &str); 6] = [
        (&["fn", "--pin", map[0], map[1]], &["--online"], 2, "401"),
        (&["verify", "pods.yaml", map[0], map[1]], &["--online"], 2, "401"),
        (&["lock", "diff", lock[0], lock[1]], &pull_as, 2, "401"),
        (&["lock", "update", lock[0], lock[1]], &pull_as, 2, "401"),
        (&["explain", "--pin", map[0], map[1], &image], &pull_as, 2, "401"),
        (&["auth", "check", &image], &pull_as, 2, "no credential"),
    ];
    for (command, online, code, want) in commands {
        let refused = said(&run(&kubectl.kubeconfig, folder, &list, command), code);
        assert!(refused.contains(want), "{command:?}: {refused}");
        let answer = said(&run(&kubectl.kubeconfig, folder, &list, &[command, online].concat()), 0);
        match command[0] {
            "fn" | "explain" => assert!(answer.contains(&format!("{image}@{}", private.digest)), "{answer}"),
            "auth" => {
                let origin = "user \"somebody\" and a password, from Secret asks/regcred (entry for ";
                assert!(answer.contains(origin) && answer.contains("\n  works"), "{answer}");
            }
            _ => {}
        }
        // The cluster is asked when, and only when, it is wanted.
        let no_cluster = run(&folder.join("no.kubeconfig"), folder, &list, &[command, online].concat());
        let no_cluster = said(&no_cluster, 2);
        assert!(no_cluster.contains("--online: no cluster to talk to"), "{command:?}: {no_cluster}");
    }
    // Without --pull-as it is the default account of the context's namespace, which has no Secrets here.
    let wrong = said(&run(&kubectl.kubeconfig, folder, "", &["auth", "check", &image, "--online"]), 2);
    assert!(wrong.contains("no credential"), "{wrong}");
}

#[test]
fn what_may_not_be_read_is_named() {
    let Some(plane) = shared() else { return };
    let Some(private) = Private::start(&["somebody"]) else { return };
    let kubectl = namespace(plane, "closed");
    docker_secret(&kubectl, "closed", "regcred", private.host(0), "somebody");
    let image = format!("{}/team/app:v1", private.host(0));
    let text = pod("closed", &image, "imagePullSecrets: [{name: regcred}]");
    let path = file(plane, "closed", &text);
    let account = plane.kubeconfig_of("closed", "default");
    let refused = said(&rewrite(&account, &path, &["--online"]), 2);
    assert!(
        refused.contains("cannot get Secret closed/regcred") && refused.contains("forbidden"),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}
