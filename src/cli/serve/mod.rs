//! `imageswap serve`: the admission webhook.

mod certificate;
mod log;
mod mirroring;
mod pinning;
mod pull_secrets;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::webhook::admission::{OnError, OnUnmapped, Settings};
use crate::webhook::{App, AppOptions, Limits, Server, Shutdown};

use super::args::{self, ServeArgs};
use super::exit_code::ExitCode;
use super::{registries, runtime};
use log::Batches;

/// How many threads serve connections at most. One answers more reviews than API servers ask, each has memory of its
/// own, and what they cost to wake each other is a part of every review.
const THREADS_MAX: usize = 4;

/// Serves until SIGTERM or SIGINT.
pub fn run(args: &ServeArgs) -> Result<ExitCode> {
    let log = log::start(args);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads())
        .max_blocking_threads(2)
        .thread_stack_size(1024 * 1024)
        .enable_all()
        .build()
        .context(runtime::NOT_STARTED)?;
    runtime.spawn(log.clone().keep_writing());
    let result = runtime.block_on(serve(args, &log));
    log.end();
    result
}

/// One thread for each two processors.
fn threads() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (processors / 2).clamp(1, THREADS_MAX)
}

async fn serve(args: &ServeArgs, log: &Batches) -> Result<ExitCode> {
    let reload_interval = seconds(args.reload_interval).max(Duration::from_millis(10));
    let stop = stop(log)?;
    let mirroring = mirroring::from(args)?;
    let drain = seconds(args.drain);
    // Registries have a part of `--drain` to give up uploads.
    let farewell = mirroring.as_ref().map_or(Duration::ZERO, |_| registries::SHUTDOWN_TIMEOUT.min(drain / 2));
    let shutdown = Shutdown { lame_duck: seconds(args.lame_duck), drain: drain - farewell };
    let app = Arc::new(App::new(AppOptions {
        settings: settings(args),
        pod_name: pod_name(),
        pinning: pinning::from(args)?,
        mirroring: mirroring.clone(),
    }));
    if let Some(mirroring) = mirroring.clone() {
        tokio::spawn(mirroring.run(app.metrics.mirror.clone()));
    }
    if let Some(files) = rules::load(args, &app)? {
        tokio::spawn(files.watch(Arc::clone(&app), reload_interval));
    }
    let limits =
        Limits { connections: args.max_connections, head: seconds(args.head_timeout), ..Limits::default() };
    let server = Server::bind(Arc::clone(&app), limits, args.listen, args.metrics_addr.0)?;
    certificate::provide(args, &app, reload_interval);
    let (address, metrics) = (server.address()?, server.metrics_address()?);
    let metrics = metrics.map(|address| address.to_string());
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(%address, metrics, ready = app.unready().is_none(), version, "listening");
    server.run(stop, shutdown).await?;
    if let Some(mirroring) = mirroring {
        mirroring.call_off(farewell).await;
    }
    Ok(ExitCode::Done)
}

/// Ready at the first SIGTERM or SIGINT; a second ends the process as if nobody watched.
fn stop(log: &Batches) -> Result<impl Future<Output = ()> + use<>> {
    let log = log.clone();
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async move {
            let which = tokio::select! {
                _ = terminate.recv() => signal_hook::consts::SIGTERM,
                _ = interrupt.recv() => signal_hook::consts::SIGINT,
            };
            log.end();
            let _ = signal_hook::low_level::emulate_default_handler(which);
        });
    })
}

fn settings(args: &ServeArgs) -> Settings {
    let on_error = match args.on_error {
        args::OnError::Allow => OnError::Allow,
        args::OnError::Deny if args.ignore_errors => OnError::Allow,
        args::OnError::Deny => OnError::Deny,
    };
    let on_unmapped = match args.on_unmapped {
        args::OnUnmapped::Ignore => OnUnmapped::Ignore,
        args::OnUnmapped::Warn => OnUnmapped::Warn,
        args::OnUnmapped::Deny => OnUnmapped::Deny,
    };
    Settings {
        on_unmapped,
        on_error,
        annotate_original: args.annotate_original,
        dry_run: args.dry_run,
        validate: false,
    }
}

/// The pod's name, as imageswap-webhook or the downward API gives it, or the host's.
fn pod_name() -> String {
    let named = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    named("IMAGESWAP_POD_NAME")
        .or_else(|| named("POD_NAME"))
        .or_else(|| named("HOSTNAME"))
        .unwrap_or_default()
}

fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or_default()
}
