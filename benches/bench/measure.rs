//! Running commands and measuring them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Seconds that a command took.
#[derive(Debug, Clone, Copy)]
pub struct Seconds {
    /// On the clock.
    pub wall: f64,
    /// Of all processors, in user and system mode.
    pub cpu: f64,
}

/// The program that is measured: built by cargo beside the benchmark.
pub fn imageswap() -> &'static str {
    env!("CARGO_BIN_EXE_imageswap")
}

/// This program, to be run as a child.
pub fn this() -> PathBuf {
    std::env::current_exe().expect("the benchmark knows its own path")
}

/// Whether `program` is on PATH.
pub fn has(program: &str) -> bool {
    let found =
        Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// Where `program` is: on PATH, or among the tools of the end-to-end tests.
pub fn find(program: &str) -> Option<String> {
    let set = |key| std::env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let built = set("IMAGESWAP_E2E_TOOLS").or_else(|| cache().map(|cache| cache.join("imageswap-e2e")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain(built.map(|root| root.join("bin")));
    let found = folders.find_map(|folder| Some(folder.join(program)).filter(|path| path.is_file()));
    found.map(|path| path.display().to_string())
}

/// Runs a line of shell `runs` times, each after `prepare`, and returns the best times.
pub fn best(runs: usize, line: &str, mut prepare: impl FnMut()) -> Seconds {
    let [best] = race(runs, [line], |_| prepare());
    best
}

/// Runs each of the lines of shell `runs` times and returns their best times. They take turns, so that a machine that
/// is slower for a while is so for all. `prepare` gets the number of the line that comes next. Exit codes 0 and 1 are
/// fine (`--check`, grep).
pub fn race<const N: usize>(runs: usize, lines: [&str; N], prepare: impl FnMut(usize)) -> [Seconds; N] {
    race_all(runs, &lines, prepare).try_into().expect("a time for each line")
}

/// The same with any number of lines.
pub fn race_all(runs: usize, lines: &[&str], mut prepare: impl FnMut(usize)) -> Vec<Seconds> {
    let mut best = vec![Seconds { wall: f64::MAX, cpu: f64::MAX }; lines.len()];
    for _ in 0..runs {
        for (number, (line, best)) in lines.iter().zip(&mut best).enumerate() {
            prepare(number);
            let Seconds { wall, cpu } = once(line);
            (best.wall, best.cpu) = (best.wall.min(wall), best.cpu.min(cpu));
        }
    }
    best
}

/// Runs a line of shell.
fn once(line: &str) -> Seconds {
    // bash's `time` reads the children's rusage, to the millisecond.
    let run = |script: &str| Command::new("bash").args(["-c", script]).output().expect("bash runs");
    let output = run(&format!("TIMEFORMAT='@@ %R %U %S'; time {{ {line} ; }} >/dev/null 2>/dev/null"));
    let code = output.status.code().unwrap_or(255);
    if code > 1 {
        let again = run(&format!("{{ {line} ; }} 2>&1 >/dev/null | head -n 5"));
        panic!("{line}: exit code {code}\n{}", String::from_utf8_lossy(&again.stdout));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let numbers = said.lines().rev().find_map(|line| line.strip_prefix("@@ ")).expect("bash says the times");
    let numbers: Vec<f64> = numbers.split(' ').map(|n| n.parse().expect("seconds")).collect();
    Seconds { wall: numbers[0], cpu: numbers[1] + numbers[2] }
}

/// Instructions that this program executes as a child with `args`, by callgrind; `None` without valgrind.
pub fn instructions(args: &[&str]) -> Option<f64> {
    if !has("valgrind") {
        return None;
    }
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this())
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("valgrind runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, number)| number.trim());
    line.and_then(|number| number.parse().ok())
}

/// Peak resident memory of a line of shell in MiB, by GNU time; `None` where that is missing.
pub fn peak_mib(program: &str, args: &[&str], stdin: Option<&Path>) -> Option<f64> {
    let mut command = Command::new("/usr/bin/time");
    command.args(["-f", "@@ %M", program]).args(args).stdout(Stdio::null()).stderr(Stdio::piped());
    command.stdin(match stdin {
        Some(path) => Stdio::from(std::fs::File::open(path).expect("the input is there")),
        None => Stdio::null(),
    });
    let output = command.output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let kib: f64 = said.lines().rev().find_map(|line| line.strip_prefix("@@ "))?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// A folder for the data, on tmpfs where there is one; removed when dropped.
pub fn workspace() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("imageswap-bench-").tempdir_in(base).expect("a folder for the data")
}

/// Prints a line: a name, the times, and their ratio to `base`.
pub fn line(name: &str, seconds: Seconds, base: Option<Seconds>) {
    let ratio = base.map_or(String::new(), |base| {
        format!("   {:>5.2} x wall {:>5.2} x CPU", seconds.wall / base.wall, seconds.cpu / base.cpu)
    });
    println!("{name:<52} {:>8.3} s wall {:>8.3} s CPU{ratio}", seconds.wall, seconds.cpu);
    let _ = std::io::stdout().flush();
}

/// Says that a comparison is left out.
pub fn missing(name: &str, program: &str) {
    println!("{name:<52} left out: {program} is not installed");
}
