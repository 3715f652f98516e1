//! What is logged, and how: on standard error, text for people and JSON for programs.

mod batches;
mod json_lines;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::cli::args::{LogFormat, LogLevel, ServeArgs};
use crate::cli::stderr;
pub(super) use batches::Batches;
use json_lines::JsonLines;

/// Starts to log, each line at once until somebody keeps writing batches of them.
pub(super) fn start(args: &ServeArgs) -> Batches {
    let own = match args.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // Of what others say, only warnings: at `debug`, HTTP/2 tells of each frame.
    let others = if args.log_level == LogLevel::Trace { LevelFilter::DEBUG } else { LevelFilter::WARN };
    let filter = Targets::new().with_default(others).with_target("imageswap", own);
    let is_text = match args.log_format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => stderr::is_watched(),
    };
    let batches = Batches::new(std::io::stderr());
    let lines = tracing_subscriber::fmt::layer().with_writer(batches.clone());
    let registry = tracing_subscriber::registry().with(filter);
    // Only a program that embeds this one could have set another before.
    let _ = if is_text {
        registry.with(lines.with_ansi(false).with_target(false)).try_init()
    } else {
        registry.with(lines.event_format(JsonLines)).try_init()
    };
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        let payload = panic.payload();
        let owned = || payload.downcast_ref::<String>().map(String::as_str);
        let text = payload.downcast_ref::<&str>().copied().or_else(owned).unwrap_or("no text");
        tracing::error!(location, text, "panic");
    }));
    batches
}
