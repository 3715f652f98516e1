//! `pin: true` under the real hosts: with a network, without one, and what the error says then.

use super::registry_support::program;
use super::registry_support::real::{Auth, Registry};
use super::stage::{Run, Stage, run};
use super::{container, tools, tree};

const IMAGE: &str = "registry.example.com/imageswap:1";

/// What hosts are told so that functions get a network.
const ADVICE: &str = "kpt fn render --allow-network";

/// The examples with `pin: true`, a registry in the place of the mirror, and what the images become.
struct Scene {
    stage: Stage,
    pinned: [String; 2],
    _registry: Registry,
    _storage: tempfile::TempDir,
}

impl Scene {
    fn new() -> Option<Self> {
        let program = program::find("docker-registry")?;
        let (stage, storage) = (Stage::new(), tempfile::tempdir().unwrap());
        container::docker(&stage, IMAGE);
        let registry = Registry::start(&program, storage.path(), &Auth::Open, None);
        let pinned = [("hub/library/nginx", "1.27"), ("quay/prometheus/nginx-exporter", "v1.3.0")];
        let pinned = pinned.map(|(name, tag)| {
            let (digest, _) = registry.push_index(name, tag, false);
            format!("{}/{name}:{tag}@{digest}", registry.host)
        });
        let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("krm-fn/examples");
        for name in ["kpt-lock", "kustomize-lock"] {
            tree::copy(&examples.join(name), &stage.path(name));
        }
        for name in ["kpt-lock/package/imageswap.yaml", "kustomize-lock/overlay/imageswap.yaml"] {
            let text = std::fs::read_to_string(stage.path(name)).unwrap();
            let text = text.replace("mirror.example.com", &registry.host);
            stage.write(name, &text.replace("lock: imageswap.lock", "pin: true"));
        }
        Some(Self { stage, pinned, _registry: registry, _storage: storage })
    }

    #[track_caller]
    fn has_digests(&self, text: &str) {
        for image in &self.pinned {
            assert!(text.contains(image), "{image} is not in {text}");
        }
    }

    fn shop(&self) -> String {
        std::fs::read_to_string(self.stage.path("kpt-lock/package/shop.yaml")).unwrap()
    }

    /// Makes the function of the kustomization a container.
    fn contain(&self, network: bool) {
        let path = "kustomize-lock/overlay/imageswap.yaml";
        let text = std::fs::read_to_string(self.stage.path(path)).unwrap();
        let container = format!("container:\n        image: {IMAGE}\n        network: {network}\n");
        self.stage.write(path, &text.replace("exec:\n        path: ./imageswap\n", &container));
    }

    fn build(&self, kustomize: &std::path::Path, arguments: &[&str]) -> Run {
        let mut command = self.stage.command(kustomize);
        run(command.args(["build", "kustomize-lock/overlay", "--enable-alpha-plugins"]).args(arguments))
    }
}

#[test]
fn kpt_pins_with_a_program() {
    for kpt in tools::all("kpt") {
        let Some(scene) = Scene::new() else { return };
        let mut render = scene.stage.command(&kpt);
        run(render.args(["fn", "render", "kpt-lock/package", "--allow-exec"])).ok();
        scene.has_digests(&scene.shop());
    }
}

#[test]
fn kpt_pins_in_a_container_that_has_a_network() {
    for kpt in tools::all("kpt") {
        let Some(scene) = Scene::new() else { return };
        let before = scene.shop();
        let eval = |network: &[&str]| {
            let mut command = scene.stage.command(&kpt);
            command.args(["fn", "eval", "kpt-lock/package", "--image", IMAGE, "--fn-config"]);
            run(command.arg("kpt-lock/package/imageswap.yaml").args(network))
        };
        let said = eval(&[]).fails();
        assert!(said.contains(ADVICE), "{said}");
        assert_eq!(scene.shop(), before);
        eval(&["--network"]).ok();
        scene.has_digests(&scene.shop());
    }
}

#[test]
fn kustomize_pins_in_a_container_that_has_a_network() {
    for kustomize in tools::all("kustomize") {
        let Some(scene) = Scene::new() else { return };
        let program = scene.stage.path("kustomize-lock/overlay/imageswap");
        std::os::unix::fs::symlink(scene.stage.path("bin/imageswap"), program).unwrap();
        scene.has_digests(&scene.build(&kustomize, &["--enable-exec"]).ok());
        scene.contain(false);
        let said = scene.build(&kustomize, &[]).fails();
        assert!(said.contains(ADVICE) && said.contains("network: true"), "{said}");
        let Some(scene) = Scene::new() else { return };
        scene.contain(true);
        scene.has_digests(&scene.build(&kustomize, &["--network"]).ok());
    }
}
