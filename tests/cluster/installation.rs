//! What ships, applied to the control plane. One test at a time has it, since its names are fixed.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::control_plane::ControlPlane;
use crate::kubectl::Kubectl;
use crate::processes::wait;

/// The namespace of the installation.
pub(crate) const NAMESPACE: &str = "imageswap-system";

/// The webhook configuration of the installation.
pub(crate) const CONFIGURATION: &str = "mutatingwebhookconfiguration/imageswap-webhook";

/// The right to install, which one test at a time has.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed leaves nothing that the next one minds.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until a namespace that was deleted is gone.
#[track_caller]
pub(crate) fn wait_until_gone(kubectl: &Kubectl) {
    wait("an installation that was taken out is gone", 60, || {
        let asked =
            ["get", "namespace", NAMESPACE, "--ignore-not-found", "--output=jsonpath={.status.phase}"];
        match kubectl.try_run(&asked)? {
            phase if phase == "Terminating" => Err(phase),
            _ => Ok(()),
        }
    });
}

/// An installation without running pods: no scheduler is there to start them.
pub(crate) struct Installation {
    pub(crate) kubectl: Kubectl,
    /// The kubeconfig of its service account.
    pub(crate) account: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Installation {
    /// Applies what `imageswap manifests` prints for these arguments, over nothing.
    #[track_caller]
    pub(crate) fn of(plane: &ControlPlane, arguments: &[&str]) -> Self {
        let output = imageswap().arg("manifests").args(arguments).output().unwrap();
        Self::apply(plane, &stdout(output))
    }

    #[track_caller]
    pub(crate) fn apply(plane: &ControlPlane, manifests: &str) -> Self {
        let turn = turn();
        let kubectl = plane.kubectl();
        wait_until_gone(&kubectl);
        kubectl.run(&["delete", "--ignore-not-found", CONFIGURATION]);
        let old = ["secret/imageswap-tls", "secret/imageswap-tls-ca", "service/imageswap"];
        let delete = ["delete", "--ignore-not-found", "--namespace", NAMESPACE];
        kubectl.run(&[&delete[..], &old].concat());
        kubectl.apply(manifests);
        Self { account: plane.kubeconfig_of(NAMESPACE, "imageswap"), kubectl, _turn: turn }
    }

    /// `imageswap init` as the service account.
    pub(crate) fn init(&self, arguments: &[&str]) -> Output {
        let mut command = imageswap();
        command.env("KUBECONFIG", &self.account).args(["init", "--namespace", NAMESPACE]).args(arguments);
        command.output().unwrap()
    }

    /// A value of the Secret `imageswap-tls`.
    #[track_caller]
    pub(crate) fn secret(&self, key: &str) -> String {
        let secret = self.kubectl.get(&["secret/imageswap-tls", "--namespace", NAMESPACE]);
        decoded(secret["data"][key].as_str().unwrap_or_default())
    }

    /// The `caBundle` of every webhook.
    #[track_caller]
    pub(crate) fn ca_bundles(&self) -> Vec<String> {
        let configuration = self.kubectl.get(&[CONFIGURATION]);
        let hooks = configuration["webhooks"].as_array().unwrap().iter();
        hooks.map(|hook| decoded(hook["clientConfig"]["caBundle"].as_str().unwrap_or_default())).collect()
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        // Other tests make pods, too.
        let _ = self.kubectl.try_run(&["delete", "--ignore-not-found", CONFIGURATION]);
    }
}

/// imageswap, which sees nothing of the caller's environment.
pub(crate) fn imageswap() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imageswap"));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/nonexistent");
    command
}

/// The standard output of a run that must have succeeded.
#[track_caller]
pub(crate) fn stdout(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The standard error of a run that must have ended with 2.
#[track_caller]
pub(crate) fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn decoded(text: &str) -> String {
    use base64::Engine;
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).unwrap()).unwrap()
}
