//! Programs that are asked for credentials: found on the given PATH, and never waited for without end.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::surroundings::Surroundings;

/// How much of a program's output is read. Tokens are a few KiB.
const OUTPUT_MAX: u64 = 1 << 20;

/// Why nobody sees what a program wrote when it failed: no rule tells the reason from the secret that it was asked for.
const NOT_SHOWN: &str = "what it wrote is not shown, as it may hold a secret";

/// How a call of a program ended.
pub(super) enum Ended {
    /// There is no such program.
    Missing,
    /// Well, with this output.
    Well(Vec<u8>),
    /// Not well.
    Badly(ProgramFailure),
}

/// Why a program gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProgramFailure {
    /// What happened, in words.
    pub(super) message: String,
    /// What it wrote to its standard output, where it said itself that it failed: to be compared, never shown.
    pub(super) said: String,
}

impl ProgramFailure {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), said: String::new() }
    }
}

/// Where `name` is on the PATH.
pub(super) fn find(name: &str, surroundings: &Surroundings) -> Option<PathBuf> {
    let path = surroundings.variable("PATH")?;
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|path| is_program(path))
}

fn is_program(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Runs `name` with `input` on its standard input.
pub(super) fn run(name: &str, arguments: &[&str], input: &str, surroundings: &Surroundings) -> Ended {
    let Some(program) = find(name, surroundings) else { return Ended::Missing };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(surroundings.variables());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own, so that what it starts can be ended with it.
    command.process_group(0);
    match command.spawn() {
        Ok(child) => wait(child, input.to_owned(), surroundings.timeout),
        Err(error) => {
            let error = error.to_string();
            let reason = error.split(" (os error ").next().unwrap_or_default().to_lowercase();
            Ended::Badly(ProgramFailure::new(format!("cannot be run: {reason}")))
        }
    }
}

/// What the threads that listen to a program tell.
enum Heard {
    Out(Vec<u8>),
    Err(Vec<u8>),
    TooMuch,
}

fn wait(mut child: Child, input: String, timeout: Duration) -> Ended {
    let (told, heard) = mpsc::channel();
    let mut stdin = child.stdin.take().expect("its standard input is piped");
    // A program that does not read its input must not stop us.
    thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    listen(child.stdout.take().expect("its standard output is piped"), told.clone(), Heard::Out);
    listen(child.stderr.take().expect("its standard error is piped"), told, Heard::Err);

    let (mut out, mut err) = (None, None);
    let deadline = std::time::Instant::now() + timeout;
    let mut failure = None;
    while out.is_none() || err.is_none() {
        match heard.recv_timeout(deadline.saturating_duration_since(std::time::Instant::now())) {
            Ok(Heard::Out(bytes)) => out = Some(bytes),
            Ok(Heard::Err(bytes)) => err = Some(bytes),
            Ok(Heard::TooMuch) => {
                failure = Some(ProgramFailure::new(format!("wrote more than {OUTPUT_MAX} bytes")));
                break;
            }
            Err(_) => {
                failure = Some(ProgramFailure::new(format!("gave no answer within {} s", seconds(timeout))));
                break;
            }
        }
    }
    if failure.is_some() {
        end(&child);
    }
    let status = child.wait();
    if let Some(failure) = failure {
        return Ended::Badly(failure);
    }
    let (out, err) = (out.unwrap_or_default(), err.unwrap_or_default());
    match status {
        Ok(status) if status.success() => Ended::Well(out),
        Ok(status) => {
            let how = match status.code() {
                Some(code) => format!("failed with exit code {code}"),
                None => "was ended by a signal".to_owned(),
            };
            let silent = out.is_empty() && err.is_empty();
            let message = if silent { how } else { format!("{how}; {NOT_SHOWN}") };
            Ended::Badly(ProgramFailure { message, said: String::from_utf8_lossy(&out).trim().to_owned() })
        }
        Err(error) => Ended::Badly(ProgramFailure::new(format!("cannot be waited for: {}", error.kind()))),
    }
}

fn seconds(timeout: Duration) -> String {
    if timeout.subsec_nanos() == 0 {
        timeout.as_secs().to_string()
    } else {
        timeout.as_secs_f32().to_string()
    }
}

fn listen(from: impl Read + Send + 'static, told: mpsc::Sender<Heard>, what: fn(Vec<u8>) -> Heard) {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read until a pipe broke is all there is.
        let _ = from.take(OUTPUT_MAX + 1).read_to_end(&mut bytes);
        let too_much = bytes.len() as u64 > OUTPUT_MAX;
        // Nobody listens any more once a program was given up.
        let _ = told.send(if too_much { Heard::TooMuch } else { what(bytes) });
    });
}

/// Ends a program and what it started.
fn end(child: &Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may have ended meanwhile.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}
