//! Runs the program as hosts do, and builds what they send.
#![allow(clippy::unwrap_used, dead_code)]

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_imageswap");

/// Variables that would change what the program does.
const VARIABLES: &[&str] = &[
    "IMAGESWAP_MAPS_FILE",
    "IMAGESWAP_MAPS_LENIENT",
    "IMAGESWAP_DISABLE_LABEL",
    "IMAGESWAP_MODE",
    "IMAGE_PREFIX",
    "KUSTOMIZE_PLUGIN_CONFIG_ROOT",
    "KUSTOMIZE_PLUGIN_CONFIG_STRING",
];

/// A call to be made.
pub struct Call {
    command: Command,
    stdin: Vec<u8>,
}

/// What a call gave.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The program with `args`.
pub fn imageswap(args: &[&str]) -> Call {
    program(Path::new(BINARY), args)
}

/// The program under another name.
pub fn program(binary: &Path, args: &[&str]) -> Call {
    let mut command = Command::new(binary);
    command.args(args);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    Call { command, stdin: Vec::new() }
}

impl Call {
    pub fn stdin(self, text: &str) -> Self {
        self.stdin_bytes(text.as_bytes())
    }

    pub fn stdin_bytes(self, bytes: &[u8]) -> Self {
        Self { stdin: bytes.to_vec(), ..self }
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn no_env(mut self) -> Self {
        self.command.env_clear();
        self
    }

    pub fn dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub fn run(mut self) -> Run {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that fails early does not read it all.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&self.stdin)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Run {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// Exit code 0, and nothing on standard error.
    pub fn ends_well(&self) {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
    }
}

/// The value of a YAML text, of duplicate keys the last.
pub fn value(text: &str) -> serde_json::Value {
    let options =
        serde_saphyr::options! { duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins };
    serde_saphyr::from_str_with_options(text, options).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A ResourceList of `items` (a block sequence, or nothing) with `config` behind it.
pub fn list(items: &str, config: &str) -> String {
    let items = if items.is_empty() { "items: []\n".to_owned() } else { format!("items:\n{items}") };
    format!("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n{items}{config}")
}

/// A functionConfig as kpt makes it of `-- key=value`.
pub fn config_map(data: &str) -> String {
    let data: String = data.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: function-input\n  data:\n{data}"
    )
}

/// A Pod with one container, as an item.
pub fn pod(image: &str) -> String {
    format!(
        "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: web\n    annotations:\n      \
         internal.config.kubernetes.io/path: 'web.yaml'\n      internal.config.kubernetes.io/index: '2'\n  spec:\n    \
         containers:\n    - name: a\n      image: {image}\n"
    )
}
