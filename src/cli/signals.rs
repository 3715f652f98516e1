//! SIGINT, SIGTERM and SIGHUP: the first asks the run to stop and clean up, a second ends it at once.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// Watches for signals while it lives.
#[derive(Debug)]
pub struct Signals {
    stop: Arc<AtomicBool>,
    which: Arc<AtomicUsize>,
}

impl Signals {
    /// Starts to watch.
    pub fn watch() -> Result<Self> {
        let signals = Self { stop: Arc::default(), which: Arc::default() };
        let ignored = ignored();
        // What whoever started the run has ignored stays so, as `nohup` does.
        for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0)
        {
            let register = || -> std::io::Result<()> {
                flag::register_conditional_default(signal, Arc::clone(&signals.stop))?;
                flag::register_usize(
                    signal,
                    Arc::clone(&signals.which),
                    usize::try_from(signal).unwrap_or(0),
                )?;
                flag::register(signal, Arc::clone(&signals.stop))?;
                Ok(())
            };
            register().context("cannot watch for signals")?;
        }
        Ok(signals)
    }

    /// The flag that a signal sets.
    pub fn flag(&self) -> &AtomicBool {
        &self.stop
    }

    /// Whether a signal came.
    pub fn came(&self) -> bool {
        self.which.load(Ordering::Relaxed) != 0
    }

    /// Stops to watch: the next signal ends the process.
    pub fn release(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Ends the process as the signal would have, when one came; call it when everything is cleaned up.
    pub fn obey(&self) {
        let signal = self.which.load(Ordering::Relaxed);
        if signal != 0 {
            let _ = low_level::emulate_default_handler(i32::try_from(signal).unwrap_or(SIGTERM));
        }
    }
}

/// The signals that were ignored when the program started, a bit for each; none where the system does not say.
fn ignored() -> u64 {
    let Ok(status) = File::open("/proc/self/status") else { return 0 };
    // Through a buffer, which takes one system call where reading a file of unknown size takes eight.
    let mut lines = BufReader::new(status).lines().map_while(Result::ok);
    let mask = lines.find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.unwrap_or(0)
}
