//! kubectl, which is what people use.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// kubectl with a kubeconfig.
#[derive(Clone)]
pub(crate) struct Kubectl {
    program: PathBuf,
    pub(crate) kubeconfig: PathBuf,
}

impl Kubectl {
    pub(crate) fn new(program: PathBuf, kubeconfig: PathBuf) -> Self {
        Self { program, kubeconfig }
    }

    /// The program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The standard output of a call that must succeed.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.try_run(arguments).unwrap_or_else(|error| panic!("kubectl {}: {error}", arguments.join(" ")))
    }

    /// The standard error of a call that must fail.
    #[track_caller]
    pub(crate) fn fails(&self, arguments: &[&str]) -> String {
        match self.try_run(arguments) {
            Ok(output) => panic!("kubectl {} succeeded: {output}", arguments.join(" ")),
            Err(error) => error,
        }
    }

    /// The standard output, or else the standard error.
    pub(crate) fn try_run(&self, arguments: &[&str]) -> Result<String, String> {
        self.call(arguments, "")
    }

    /// The object that the API server has.
    #[track_caller]
    pub(crate) fn get(&self, arguments: &[&str]) -> Value {
        let text = self.run(&[&["get", "--output=json"], arguments].concat());
        serde_json::from_str(&text).unwrap()
    }

    /// Applies manifests from standard input.
    #[track_caller]
    pub(crate) fn apply(&self, manifests: &str) -> String {
        self.call(&["apply", "--filename=-"], manifests)
            .unwrap_or_else(|error| panic!("{error}\n{manifests}"))
    }

    pub(crate) fn call(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().env("KUBECONFIG", &self.kubeconfig);
        command.env("HOME", self.kubeconfig.parent().unwrap());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may end without having read.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }
}
