//! Results: what a function tells its host, as kyaml's `framework.Result` has them. Every message is one
//! line and names the place, since hosts show some fields and not others.

use std::fmt;

use crate::rewrite::Site;

/// How bad it is. An error always comes with an exit code that is not 0: hosts that look only at one of the
/// two must see the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The function fails.
    Error,
    /// Worth looking at.
    Warning,
    /// What was done.
    Info,
}

impl Severity {
    /// The word that hosts know.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// One thing that a function tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionResult {
    /// What there is to say, in one line, with the place in it.
    pub message: String,
    /// How bad it is.
    pub severity: Severity,
    /// The resource it is about.
    pub resource_ref: Option<ResourceRef>,
    /// The field it is about.
    pub field: Option<Field>,
    /// The file from which the resource came.
    pub file: Option<File>,
}

/// Names a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceRef {
    /// `apiVersion`
    pub api_version: String,
    /// `kind`
    pub kind: String,
    /// `metadata.name`
    pub name: Option<String>,
    /// `metadata.namespace`
    pub namespace: Option<String>,
}

/// Names a field of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The way to it from the resource: `spec.containers[0].image`.
    pub path: String,
    /// What the function found there.
    pub current_value: Option<String>,
    /// What the function puts there, or would.
    pub proposed_value: Option<String>,
}

/// Names a file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path in the package.
    pub path: String,
    /// The document in it, from 0.
    pub index: Option<i64>,
}

impl FunctionResult {
    /// A result about nothing in particular.
    #[must_use]
    pub fn new(severity: Severity, message: &str) -> Self {
        let message = one_line(message);
        Self { message, severity, resource_ref: None, field: None, file: None }
    }

    /// A result about an image: `deploy.yaml: spec.containers[0].image: MESSAGE`.
    #[must_use]
    pub fn about(severity: Severity, site: &Site, message: &str, proposed: Option<String>) -> Self {
        let resource = site.resource.as_deref();
        let origin = resource.and_then(|r| r.origin.as_ref());
        let path = site.path_in_resource().to_string();
        let file = origin.and_then(|origin| {
            let path = origin.path.clone()?;
            Some(File { path, index: origin.index })
        });
        let place = file.as_ref().map_or_else(|| path.clone(), |file| format!("{}: {path}", file.path));
        Self {
            message: one_line(&format!("{place}: {message}")),
            severity,
            resource_ref: resource.map(|r| ResourceRef {
                api_version: r.api_version.clone(),
                kind: r.kind.clone(),
                name: r.name.clone(),
                namespace: r.namespace.clone(),
            }),
            field: Some(Field { path, current_value: Some(site.image.clone()), proposed_value: proposed }),
            file,
        }
    }
}

impl fmt::Display for FunctionResult {
    /// `error: Deployment shop/web: spec.template.spec.containers[0].image: MESSAGE`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.severity.as_str())?;
        if let Some(resource) = &self.resource_ref {
            write!(f, "{}", resource.kind)?;
            let namespace = resource.namespace.as_deref().map(|n| format!("{n}/")).unwrap_or_default();
            if let Some(name) = &resource.name {
                write!(f, " {namespace}{name}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

/// `text` in one line: line ends become "; ", other control characters are shown as escapes.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for (i, part) in text.lines().map(str::trim).filter(|part| !part.is_empty()).enumerate() {
        line.push_str(if i > 0 { "; " } else { "" });
        for c in part.chars() {
            if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_one_line() {
        let message = |text: &str| FunctionResult::new(Severity::Info, text).message;
        assert_eq!(message("a\r\n  b\n\nc\n"), "a; b; c");
        assert_eq!(message("a\u{1b}[1m\tb"), "a\\u{1b}[1m\\tb");
    }
}
