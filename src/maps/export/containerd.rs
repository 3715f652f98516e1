//! containerd's folder `certs.d`: a `hosts.toml` for each registry (containerd's docs/hosts.md).

use super::Exported;
use super::redirect::{LIBRARY_NOTE, Redirect};
use super::registries_conf::quoted;
use crate::image::{DOCKER_HUB, DOCKER_HUB_API};
use crate::maps::Rule;

pub(super) fn write(redirects: &[(&Rule, Redirect)], exported: &mut Exported) {
    for (rule, redirect) in redirects {
        let Some(registry) = redirect.whole_registry() else {
            exported.note(rule, "names a path; containerd redirects whole registries only");
            continue;
        };
        // Docker Hub's API is not where its name says.
        let api = if registry == DOCKER_HUB { DOCKER_HUB_API } else { registry };
        let mut text = format!("server = {}\n", quoted(&format!("https://{api}")));
        if let Some(location) = &redirect.location {
            text.push_str(&mirror(location));
        }
        if redirect.drops_library {
            exported.note(rule, LIBRARY_NOTE);
        }
        exported.file(format!("{registry}/hosts.toml"), text);
    }
}

/// The table of the host that `location` names. A path needs `override_path`, since containerd would put `/v2` behind
/// it.
fn mirror(location: &str) -> String {
    let (host, path) = location.split_once('/').unwrap_or((location, ""));
    let capabilities = "  capabilities = [\"pull\", \"resolve\"]\n";
    if path.is_empty() {
        return format!("\n[host.{}]\n{capabilities}", quoted(&format!("https://{host}")));
    }
    let url = quoted(&format!("https://{host}/v2/{path}"));
    format!("\n[host.{url}]\n{capabilities}  override_path = true\n")
}
