//! What stands at an image's place: a reference, or one of the things that people put there instead.

use crate::image::{ImageReference, ReferenceError};

/// The value of an image field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageValue<'a> {
    /// An image reference.
    Reference(ImageReference<'a>),
    /// A placeholder that another program fills in: `{{ }}`, `${X}`, `$(X)`, `<<X>>`, `###X###`.
    Templated,
    /// A value that SOPS encrypted: `ENC[…]`.
    Encrypted,
    /// Anything else that is no valid reference: patterns, empty strings, typos.
    Invalid(ReferenceError),
}

/// Says what `text` is.
#[must_use]
pub fn classify(text: &str) -> ImageValue<'_> {
    match ImageReference::parse(text) {
        Ok(reference) => ImageValue::Reference(reference),
        Err(_) if text.starts_with("ENC[") && text.ends_with(']') => ImageValue::Encrypted,
        Err(_) if is_templated(text) => ImageValue::Templated,
        Err(error) => ImageValue::Invalid(error),
    }
}

/// Whether a valid reference never has what stands in `text`, and templates have.
fn is_templated(text: &str) -> bool {
    let fenced = |open: &str, close: &str| {
        text.split_once(open).is_some_and(|(_, rest)| rest.find(close).is_some_and(|end| end > 0))
    };
    let variable = text
        .split('$')
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '{' | '(')));
    text.contains("{{") || variable || fenced("<<", ">>") || fenced("###", "###")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_people_write() {
        let templated = [
            "{{ .Values.image }}",
            "nginx:{{tag}}",
            "${IMAGE}",
            "${IMAGE:-nginx}",
            "$(params.image)",
            "$IMAGE",
            "<<PROJECT>>/a",
            "gcr.io/###X###/a",
        ];
        for text in templated {
            assert_eq!(classify(text), ImageValue::Templated, "{text}");
        }
        assert_eq!(classify("ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]"), ImageValue::Encrypted);
        for text in ["", "!*:latest", "*", "ko://github.com/a/b", "NGINX", "a b", "<image>", "a$"] {
            assert!(matches!(classify(text), ImageValue::Invalid(_)), "{text}");
        }
        assert!(matches!(classify("nginx"), ImageValue::Reference(_)));
    }
}
