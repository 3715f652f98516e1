//! Which flag has a text looked at that is only listed so far.

use std::path::Path;

use crate::manifest::{Place, Segment, path_formats};
use crate::rewrite::Site;

/// The flag that takes what stands at `site` of a file, with `NAME` and the like where the place does not tell; `None` when
/// there is none.
#[must_use]
pub fn flag_for(file: &str, site: &Site) -> Option<String> {
    let path = site.path_in_resource();
    let steps: Vec<Segment<'_>> = path.segments().collect();
    let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy().into_owned();
    if site.resource.is_none() {
        if let Some(format) = path_formats().find(|format| format.names(file) && format.has(&site.path)) {
            return Some(format!("--{}", format.name));
        }
        if name.starts_with("values") && name.ends_with(".yaml") {
            return Some("--helm-values".to_owned());
        }
    }
    match steps[..] {
        [.., Segment::Key("env"), Segment::Index(_), Segment::Key("value")] => Some("--env=NAME".to_owned()),
        [.., Segment::Key("args" | "command"), Segment::Index(_)] => {
            let flag = site.image.split_once('=').map(|(flag, _)| flag).filter(|flag| flag.starts_with('-'));
            Some(format!("--arg={}", flag.unwrap_or("FLAG")))
        }
        [.., Segment::Key("metadata"), Segment::Key("annotations"), Segment::Key(name)] => {
            Some(format!("--annotation={name}"))
        }
        [Segment::Key("data"), Segment::Key(key)] => {
            let resource = site.resource.as_deref()?;
            let name = resource.name.as_deref().unwrap_or("*");
            matches!(resource.kind.as_str(), "ConfigMap" | "Secret")
                .then(|| format!("--data='{} {name}:{key}'", resource.kind))
        }
        // A text that holds an image somewhere, and not one image between quotes, is no image field.
        _ if site.place == Place::RenderInput || site.span.end - site.span.start > site.image.len() + 2 => {
            None
        }
        _ => {
            let resource = site.resource.as_deref()?;
            let mut spec = String::new();
            for step in &steps {
                match step {
                    Segment::Key(key) => {
                        spec.push_str(if spec.is_empty() { "" } else { "." });
                        spec.push_str(&key.replace('.', "\\."));
                    }
                    Segment::Index(_) => spec.push_str("[]"),
                }
            }
            let group = resource.group();
            let slash = if group.is_empty() { "" } else { "/" };
            Some(format!("--field='{group}{slash}{}:{spec}'", resource.kind))
        }
    }
}
