//! A certificate of a signer of the cluster, by the CertificateSigningRequest API. Whoever runs this must be
//! allowed to approve for the signer.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::ByteString;
use k8s_openapi::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestSpec};
use kube::Api;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use rustls_pki_types::CertificateDer;
use serde_json::json;

use super::authority::{self, Pair};
use super::certificate;
use super::{Bootstrap, BootstrapError, Mode};

/// The kind, as messages name it.
const KIND: &str = "CertificateSigningRequest";

/// How long a signer may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl Bootstrap {
    /// Requests a certificate, approves the request, waits for the signer, and checks what it gave.
    pub(super) async fn request(&self, signer: &str) -> Result<Pair, BootstrapError> {
        let names = self.names();
        let made = authority::request(&names)?;
        let api: Api<CertificateSigningRequest> = Api::all(self.cluster.client.clone());
        let request = CertificateSigningRequest {
            metadata: ObjectMeta {
                generate_name: Some(format!("{}.{}-", self.options.service, self.namespace)),
                ..ObjectMeta::default()
            },
            spec: CertificateSigningRequestSpec {
                request: ByteString(made.certificate.into_bytes()),
                signer_name: signer.to_owned(),
                usages: Some(vec!["digital signature".to_owned(), "server auth".to_owned()]),
                ..CertificateSigningRequestSpec::default()
            },
            status: None,
        };
        let created = api.create(&PostParams::default(), &request).await;
        let created = created.map_err(|error| self.refused("create", KIND, "for the server", error))?;
        let name = created.metadata.name.unwrap_or_default();

        let approval = json!({ "status": { "conditions": [{
            "type": "Approved",
            "status": "True",
            "reason": "ImageswapApprove",
            "message": "The server approved the request for its own certificate.",
        }] } });
        let approved = api.patch_approval(&name, &PatchParams::default(), &Patch::Strategic(approval)).await;
        approved.map_err(|error| self.refused("approve", KIND, &name, error))?;

        let certificate = self.signed(&api, &name).await?;
        let ca = self.signers_ca()?;
        for server in &names {
            certificate::check(&certificate, &made.key, &ca, server, (self.options.now)())
                .map_err(|why| BootstrapError::BadSignature { signer: signer.to_owned(), why })?;
        }
        Ok(Pair { certificate, key: made.key })
    }

    /// Waits until the request has a certificate.
    async fn signed(
        &self,
        api: &Api<CertificateSigningRequest>,
        name: &str,
    ) -> Result<String, BootstrapError> {
        let failed = |why: String| BootstrapError::NotSigned { request: name.to_owned(), why };
        let poll = async {
            loop {
                let request = api.get(name).await;
                let request = request.map_err(|error| self.refused("read", KIND, name, error))?;
                let status = request.status.unwrap_or_default();
                if let Some(certificate) = status.certificate.filter(|bytes| !bytes.0.is_empty()) {
                    return String::from_utf8(certificate.0)
                        .map_err(|_| failed("the signer gave no PEM".to_owned()));
                }
                let conditions = status.conditions.unwrap_or_default();
                if let Some(bad) = conditions.iter().find(|c| c.type_ == "Denied" || c.type_ == "Failed") {
                    let message = bad.message.as_deref().unwrap_or("without a reason");
                    return Err(failed(format!("{}: {message}", bad.type_.to_lowercase())));
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        let late = || failed(format!("no signer took it up within {} seconds", PATIENCE.as_secs()));
        tokio::time::timeout(PATIENCE, poll).await.unwrap_or_else(|_| Err(late()))
    }

    /// The CA of the cluster, which is that of `kubernetes.io/kubelet-serving` where the cluster signs itself.
    pub(super) fn signers_ca(&self) -> Result<String, BootstrapError> {
        let ca: String = self.cluster.root_ca.iter().map(pem).collect();
        if ca.is_empty() {
            let Mode::Csr { signer } = self.options.mode.clone() else { unreachable!("only signers") };
            return Err(BootstrapError::BadSignature {
                signer,
                why: certificate::Fault::Missing("the cluster's CA"),
            });
        }
        Ok(ca)
    }
}

fn pem(der: &CertificateDer<'_>) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n");
    format!("-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n", lines.collect::<String>())
}
