//! PURE: the ConfigMaps: the rules, and the environment of `serve`.

use serde_json::{Map, Value, json};

use super::{InstallOptions, metadata};
use crate::cluster::names;

/// The rules that ship: none, so that nothing changes before somebody says what should.
pub(super) const MAPS: &str = "\
# One rule a line: what an image's name starts with, ::, and what stands there instead.
# docker.io::mirror.example.com/hub
# quay.io::mirror.example.com/quay
# default::mirror.example.com/{registry}/{path}
";

/// Both ConfigMaps.
pub(super) fn objects(options: &InstallOptions) -> Vec<Value> {
    let env = options.env.iter().map(|(name, value)| (name.clone(), json!(value)));
    let mut data = Map::from_iter([("IMAGESWAP_LOG_LEVEL".to_owned(), json!("info"))]);
    if options.label != crate::manifest::DISABLE_LABEL {
        data.insert("IMAGESWAP_DISABLE_LABEL".to_owned(), json!(options.label));
    }
    data.extend(env);
    vec![
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(options, names::MAPS_CONFIG_MAP),
            "data": { names::MAPS_KEY: options.maps },
        }),
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(options, names::ENV_CONFIG_MAP),
            "data": data,
        }),
    ]
}
