//! Keeps the certificate good for as long as `serve` runs: looks at it when the Secret or the webhook
//! configuration changes, and when time has passed.

use std::fmt::Debug;
use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::select;
use kube::Api;
use kube::api::WatchParams;
use serde::de::DeserializeOwned;

use super::{Bootstrap, BootstrapError, Issued, Seen, Version};

/// The longest time between two looks.
const LOOK: Duration = Duration::from_secs(5 * 60);

/// The shortest: others may write to the same objects.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest wait after a failure.
const RETRY: Duration = Duration::from_secs(30);

/// What happened to the certificate.
#[derive(Debug)]
pub enum Event {
    /// There is a new one, or its CA was published anew.
    Issued(Issued),
    /// It could not be looked at; the old one is still there, and it is tried again.
    Failed(BootstrapError),
}

impl Bootstrap {
    /// Looks at the certificate for ever. Drop the future to stop it.
    pub async fn keep(&self, mut tell: impl FnMut(Event)) {
        let mut last = None;
        let mut failures = 0;
        loop {
            match self.ensure_seen().await {
                Ok((issued, seen)) => {
                    failures = 0;
                    let until = issued.renew_at - (self.options.now)();
                    if last.as_ref() != Some(&issued) {
                        last = Some(issued.clone());
                        tell(Event::Issued(issued));
                    }
                    let until = Duration::try_from(until).unwrap_or(PAUSE);
                    tokio::time::sleep(PAUSE).await;
                    self.changed(&seen, until.clamp(PAUSE, LOOK)).await;
                }
                Err(error) => {
                    tell(Event::Failed(error));
                    tokio::time::sleep(RETRY.min(PAUSE * 2_u32.saturating_pow(failures))).await;
                    failures += 1;
                }
            }
        }
    }

    /// Waits until the Secret or the webhook configuration changes, at most for `longest`.
    async fn changed(&self, seen: &Seen, longest: Duration) {
        let secret = changed(self.secrets(), Some(&self.options.secret), &seen.secret, longest);
        let configuration = self.options.webhook_configuration.as_ref();
        let configuration =
            changed(self.webhook_configurations(), configuration, &seen.configuration, longest);
        // The server ends a watch that it still has; this ends all others.
        let _ = tokio::time::timeout(longest, select(pin!(secret), pin!(configuration))).await;
    }
}

/// Waits until the object changes after `seen`, or is made; for ever where it cannot be watched.
async fn changed<K>(api: Api<K>, name: Option<&String>, seen: &Version, longest: Duration)
where
    K: Clone + Debug + DeserializeOwned,
{
    if let Some(name) = name {
        let seconds = u32::try_from(longest.as_secs()).unwrap_or(u32::MAX).max(1);
        let params = WatchParams::default().fields(&format!("metadata.name={name}")).timeout(seconds);
        // From 0, the first event is that there is one.
        if let Ok(events) = api.watch(&params, seen.as_deref().unwrap_or("0")).await
            && pin!(events).next().await.is_some()
        {
            return;
        }
    }
    pending::<()>().await;
}
