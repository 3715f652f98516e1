//! Whom the client believes: the system's certificate authorities, those it was given, and the certificate it
//! shows itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::options::{ClientCertificate, RegistryOptions};

/// The certificate authorities of the system (`SSL_CERT_FILE` and `SSL_CERT_DIR` instead, where they are set),
/// and Mozilla's where there are none, as in an image without files. They are read when first needed.
static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();

fn system() -> &'static RootCertStore {
    SYSTEM.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        roots
    })
}

/// What is special about TLS with one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HostTls {
    pub(super) authorities: Vec<PathBuf>,
    pub(super) client: Option<ClientCertificate>,
}

impl HostTls {
    /// What the options and the certificate folders say about `host`.
    pub(super) fn of(options: &RegistryOptions, host: &str) -> Self {
        let mut tls = Self { authorities: options.ca_files.clone(), client: None };
        for folder in &options.certificate_folders {
            tls.read_folder(&folder.join(host));
        }
        if let Some(given) = options.hosts.get(host) {
            tls.authorities.extend(given.ca.clone());
            tls.client = given.client.clone().or(tls.client);
        }
        tls
    }

    /// Takes what a folder holds, as Docker names it: `*.crt` are authorities, `NAME.cert` and `NAME.key` are a
    /// client's. A folder that is not there or cannot be read has nothing to say.
    fn read_folder(&mut self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for path in paths {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => self.authorities.push(path),
                Some("cert") if self.client.is_none() && path.with_extension("key").exists() => {
                    let key = path.with_extension("key");
                    self.client = Some(ClientCertificate { certificate: path, key });
                }
                Some(_) | None => {}
            }
        }
    }

    /// The configuration for rustls, with ring.
    pub(super) fn config(&self) -> Result<ClientConfig, String> {
        let mut roots = system().clone();
        for path in &self.authorities {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots);
        let mut config = match &self.client {
            Some(ClientCertificate { certificate, key }) => builder
                .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
                .map_err(|error| format!("{}: {error}", certificate.display()))?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = found.map_err(|error| unreadable(path, &error))?;
    if found.is_empty() {
        return Err(format!("{}: there is no certificate in it (PEM is expected)", path.display()));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            format!("{}: there is no private key in it (PEM is expected)", path.display())
        }
        error => unreadable(path, &error),
    })
}

fn unreadable(path: &Path, error: &pem::Error) -> String {
    let reason = match error {
        pem::Error::Io(error) if error.kind() == io::ErrorKind::NotFound => "no such file".to_owned(),
        pem::Error::Io(error) => error.kind().to_string(),
        error => error.to_string(),
    };
    format!("{}: {reason}", path.display())
}
