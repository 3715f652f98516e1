//! Publishes the CAs into `caBundle` of the webhook configuration, and never makes one: deleting it is how
//! imageswap is switched off for the whole cluster.

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::{Bootstrap, BootstrapError, Published, Version, version};

/// The kind, as messages name it.
const KIND: &str = "MutatingWebhookConfiguration";

impl Bootstrap {
    /// Makes `ca` the `caBundle` of every webhook of the configuration.
    pub(super) async fn publish(&self, ca: &str) -> Result<(Published, Version), BootstrapError> {
        let Some(name) = &self.options.webhook_configuration else {
            return Ok((Published::NotOurs, None));
        };
        let api = self.webhook_configurations();
        loop {
            let found = api.get_opt(name).await.map_err(|error| self.refused("read", KIND, name, error))?;
            let Some(found) = found else {
                return Ok((Published::NoConfiguration, None));
            };
            let webhooks = found.webhooks.iter().flatten();
            let behind = webhooks
                .filter(|hook| hook.client_config.ca_bundle.as_ref().is_none_or(|old| old.0 != ca.as_bytes()))
                .map(|hook| {
                    json!({
                        "name": hook.name,
                        "clientConfig": { "caBundle": ByteString(ca.as_bytes().to_vec()) },
                    })
                })
                .collect::<Vec<_>>();
            if behind.is_empty() {
                return Ok((Published::Yes, version(Some(&found))));
            }
            // Merged by name, and refused where somebody changed the configuration in between.
            let read = &found.metadata.resource_version;
            let patch = json!({ "metadata": { "resourceVersion": read }, "webhooks": behind });
            match api.patch(name, &PatchParams::default(), &Patch::Strategic(patch)).await {
                Ok(patched) => return Ok((Published::Yes, version(Some(&patched)))),
                Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => {}
                Err(error) => return Err(self.refused("patch", KIND, name, error)),
            }
        }
    }

    pub(super) fn webhook_configurations(&self) -> Api<MutatingWebhookConfiguration> {
        Api::all(self.cluster.client.clone())
    }
}
