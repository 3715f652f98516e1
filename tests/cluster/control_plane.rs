//! A throw-away control plane on loopback: etcd, kube-apiserver, and kube-controller-manager for what makes Pods
//! out of Deployments, signs certificates, and hands out service accounts.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::kubectl::Kubectl;
use crate::processes::{Running, find, free_port, wait};

/// The controllers that the tests need.
const CONTROLLERS: &str = "deployment-controller,replicaset-controller,job-controller,cronjob-controller,\
    serviceaccount-controller,serviceaccount-token-controller,root-ca-certificate-publisher-controller,\
    certificatesigningrequest-signing-controller,namespace-controller,garbage-collector-controller";

/// A control plane that stops when it is dropped.
pub(crate) struct ControlPlane {
    folder: PathBuf,
    port: u16,
    kubectl: PathBuf,
    // Dropped in this order.
    _controllers: Running,
    _api: Running,
    _etcd: Running,
}

/// The control plane of this run; nothing where a program is missing.
pub(crate) fn shared() -> Option<&'static ControlPlane> {
    static SHARED: LazyLock<Option<ControlPlane>> = LazyLock::new(ControlPlane::start);
    SHARED.as_ref()
}

impl ControlPlane {
    fn start() -> Option<Self> {
        let [etcd, api, controllers, kubectl] =
            ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"].map(find);
        let (etcd, api, controllers, kubectl) = (etcd?, api?, controllers?, kubectl?);
        let folder = folder();
        let file = |name: &str| folder.join(name).display().to_string();
        write_keys(&folder);

        let [etcd_port, peer_port, port, controllers_port] = [(); 4].map(|()| free_port());
        let etcd_url = format!("http://127.0.0.1:{etcd_port}");
        let peer_url = format!("http://127.0.0.1:{peer_port}");
        let arguments = [
            "--name=default".to_owned(),
            format!("--data-dir={}", file("etcd")),
            "--log-level=warn".to_owned(),
            "--unsafe-no-fsync".to_owned(),
            format!("--listen-client-urls={etcd_url}"),
            format!("--advertise-client-urls={etcd_url}"),
            format!("--listen-peer-urls={peer_url}"),
            format!("--initial-advertise-peer-urls={peer_url}"),
            format!("--initial-cluster=default={peer_url}"),
        ];
        let mut etcd = Running::start(&etcd, &arguments, &[], &folder.join("etcd.log"));
        wait_for_port(&mut etcd, etcd_port);

        let arguments = [
            format!("--etcd-servers={etcd_url}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            "--endpoint-reconciler-type=none".to_owned(),
            format!("--cert-dir={}", file("certificates")),
            format!("--tls-cert-file={}", file("server.crt")),
            format!("--tls-private-key-file={}", file("server.key")),
            format!("--client-ca-file={}", file("ca.crt")),
            format!("--token-auth-file={}", file("tokens.csv")),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
            format!("--service-account-key-file={}", file("accounts.pub")),
            format!("--service-account-signing-key-file={}", file("accounts.key")),
            "--authorization-mode=RBAC".to_owned(),
            "--allow-privileged=true".to_owned(),
        ];
        let mut api = Running::start(&api, &arguments, &[], &folder.join("apiserver.log"));
        wait_for_port(&mut api, port);
        for (name, token) in [("admin", "admin-token"), ("controllers", "controllers-token")] {
            write_kubeconfig(&folder.join(format!("{name}.kubeconfig")), port, &folder, token);
        }

        let arguments = [
            format!("--kubeconfig={}", file("controllers.kubeconfig")),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={controllers_port}"),
            format!("--cert-dir={}", file("controllers")),
            "--leader-elect=false".to_owned(),
            "--use-service-account-credentials=true".to_owned(),
            format!("--root-ca-file={}", file("ca.crt")),
            format!("--service-account-private-key-file={}", file("accounts.key")),
            format!("--cluster-signing-cert-file={}", file("ca.crt")),
            format!("--cluster-signing-key-file={}", file("ca.key")),
            format!("--controllers={CONTROLLERS}"),
        ];
        let admin = Kubectl::new(kubectl.clone(), folder.join("admin.kubeconfig"));
        wait("kube-apiserver is ready", 120, || {
            api.assert_running();
            admin.try_run(&["get", "--raw", "/readyz"])
        });
        let mut controllers = Running::start(&controllers, &arguments, &[], &folder.join("controllers.log"));
        wait("kube-controller-manager makes service accounts", 120, || {
            controllers.assert_running();
            admin.try_run(&["get", "serviceaccount", "default"])
        });
        Some(Self { folder, port, kubectl, _controllers: controllers, _api: api, _etcd: etcd })
    }

    /// kubectl as the administrator.
    pub(crate) fn kubectl(&self) -> Kubectl {
        Kubectl::new(self.kubectl.clone(), self.folder.join("admin.kubeconfig"))
    }

    /// A kubeconfig with the token of a service account.
    pub(crate) fn kubeconfig_of(&self, namespace: &str, account: &str) -> PathBuf {
        let token = self.kubectl().run(&["create", "token", account, "--namespace", namespace]);
        let path = self.folder.join(format!("{namespace}.{account}.kubeconfig"));
        write_kubeconfig(&path, self.port, &self.folder, token.trim());
        path
    }

    /// kubectl with a kubeconfig of its own.
    pub(crate) fn kubectl_with(&self, kubeconfig: &Path) -> Kubectl {
        Kubectl::new(self.kubectl.clone(), kubeconfig.to_owned())
    }

    /// A folder for the files of a test.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }
}

/// The folder of this run, below `target`; those of runs that have ended go.
fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster");
    for entry in fs::read_dir(&root).into_iter().flatten().flatten() {
        if !Path::new("/proc").join(entry.file_name()).exists() {
            // A run beside this one may have been faster.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let folder = root.join(std::process::id().to_string());
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    folder
}

/// The CA of the cluster, the certificate of the API server, the key of service accounts, and tokens.
fn write_keys(folder: &Path) {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::default();
    ca.distinguished_name.push(DnType::CommonName, "cluster-ca");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    write("ca.crt", &ca.self_signed(&ca_key).unwrap().pem());
    write("ca.key", &ca_key.serialize_pem());

    let key = KeyPair::generate().unwrap();
    let names = ["127.0.0.1", "10.0.0.1", "localhost", "kubernetes.default.svc"].map(str::to_owned);
    let mut server = CertificateParams::new(names).unwrap();
    server.distinguished_name.push(DnType::CommonName, "kube-apiserver");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let signed = server.signed_by(&key, &Issuer::from_params(&ca, &ca_key)).unwrap();
    write("server.crt", &signed.pem());
    write("server.key", &key.serialize_pem());
    let accounts = KeyPair::generate().unwrap();
    write("accounts.key", &accounts.serialize_pem());
    write("accounts.pub", &accounts.public_key_pem());
    write(
        "tokens.csv",
        "admin-token,admin,0,\"system:masters\"\ncontrollers-token,system:kube-controller-manager,1,\"\"\n",
    );
}

fn write_kubeconfig(path: &Path, port: u16, folder: &Path, token: &str) {
    let ca = folder.join("ca.crt");
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: \"https://127.0.0.1:{port}\", \
         certificate-authority: \"{}\"}}}}]\nusers: [{{name: u, user: {{token: \"{token}\"}}}}]\ncontexts: \
         [{{name: x, context: {{cluster: c, user: u}}}}]\ncurrent-context: x\n",
        ca.display()
    );
    fs::write(path, text).unwrap();
}

fn wait_for_port(program: &mut Running, port: u16) {
    wait("a port is open", 60, || {
        program.assert_running();
        TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())
    });
}
