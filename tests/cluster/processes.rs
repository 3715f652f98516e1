//! Programs: where they are found, and that none outlives the tests.

use std::env;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The program, in the folder that `install-tools.sh` fills or on the PATH. Where it is missing that is said, and
/// is a failure in CI.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let set = |key| env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let built = set("IMAGESWAP_E2E_TOOLS").or_else(|| cache().map(|cache| cache.join("imageswap-e2e")));
    let assets = set("KUBEBUILDER_ASSETS");
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = assets.into_iter().chain(built.map(|root| root.join("bin"))).chain(env::split_paths(&path));
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        let required =
            ["CI", "IMAGESWAP_E2E"].iter().any(|key| env::var_os(key).is_some_and(|v| !v.is_empty()));
        assert!(!required, "there is no {name}: run tests/e2e/install-tools.sh (it needs Go)");
        println!("skipped: there is no {name}; tests/e2e/install-tools.sh builds it");
    }
    found
}

/// A program that runs until it is dropped, and not longer than this process, even where nothing is dropped.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts the program, which writes its output to the file `log`.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        environment: &[(&str, &str)],
        log: &Path,
    ) -> Self {
        let file = File::create(log).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(arguments);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", log.parent().unwrap());
        command.envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        Self { child: spawn(command), log: log.to_owned() }
    }

    /// What the program has written.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Fails where the program has ended.
    #[track_caller]
    pub(crate) fn assert_running(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            let log = self.log();
            let lines = log.lines().collect::<Vec<_>>();
            panic!(
                "{} ended: {status}\n{}",
                self.log.display(),
                lines[lines.len().saturating_sub(25)..].join("\n")
            );
        }
    }

    /// Ends the program as Kubernetes does, and says with which code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Spawns from a thread that lives as long as this process: the kernel kills a child when the *thread* that
/// spawned it ends.
fn spawn(command: Command) -> Child {
    type Request = (Command, Sender<std::io::Result<Child>>);
    static SPAWNER: LazyLock<Mutex<Sender<Request>>> = LazyLock::new(|| {
        let (sender, requests) = channel::<Request>();
        thread::spawn(move || {
            for (mut command, answer) in requests {
                answer.send(command.spawn()).unwrap();
            }
        });
        Mutex::new(sender)
    });
    let (sender, answer) = channel();
    SPAWNER.lock().unwrap().send((command, sender)).unwrap();
    answer.recv().unwrap().expect("setpriv (util-linux) starts")
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Polls until `try_it` gives something; fails with what it said last.
#[track_caller]
pub(crate) fn wait<T>(what: &str, seconds: u64, mut try_it: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match try_it() {
            Ok(found) => return found,
            Err(last) if start.elapsed() > Duration::from_secs(seconds) => {
                panic!("{what}: not within {seconds} s: {last}")
            }
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}
