//! What is logged, and how: on standard error, text for people and JSON for programs.

use tracing_subscriber::EnvFilter;

use crate::cli::args::{LogFormat, LogLevel, ServeArgs};
use crate::cli::speech;

/// Starts to log.
pub(super) fn start(args: &ServeArgs) {
    let own = match args.log_level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    // Of what others say, only warnings: at `debug`, HTTP/2 tells of each frame.
    let others = if args.log_level == LogLevel::Trace { "debug" } else { "warn" };
    let filter = EnvFilter::new(format!("{others},imageswap={own}"));
    let is_text = match args.log_format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => speech::is_watched(),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Only a program that embeds this one could have set another before.
    let _ = if is_text {
        builder.with_ansi(false).with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(false).with_target(false).try_init()
    };
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        let payload = panic.payload();
        let owned = || payload.downcast_ref::<String>().map(String::as_str);
        let text = payload.downcast_ref::<&str>().copied().or_else(owned).unwrap_or("no text");
        tracing::error!(location, text, "panic");
    }));
}
