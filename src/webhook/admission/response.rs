//! The answer as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::patch::json;
use super::review::Review;

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The HTTP status that the API server gives its client.
    pub(super) code: u16,
    /// The word for it.
    pub(super) reason: &'static str,
    /// What the client reads.
    pub(super) message: String,
}

/// What the API server is told.
#[derive(Debug, Default)]
pub(super) struct Response {
    pub(super) refusal: Option<Refusal>,
    pub(super) patch: Option<String>,
    pub(super) warnings: Vec<String>,
    /// Names and values, in order.
    pub(super) audit: Vec<(&'static str, String)>,
}

impl Response {
    /// The AdmissionReview that answers `review`.
    pub(super) fn write(&self, review: &Review<'_>) -> Vec<u8> {
        let patch_length = self.patch.as_ref().map_or(0, String::len);
        let mut text = String::with_capacity(256 + patch_length * 4 / 3 + 300 * self.warnings.len());
        text.push_str("{\"apiVersion\":\"");
        text.push_str(review.api_version);
        text.push_str("\",\"kind\":\"AdmissionReview\",\"response\":{\"uid\":");
        text.push_str(&json(&review.uid));
        text.push_str(",\"allowed\":");
        match &self.refusal {
            None => text.push_str("true"),
            Some(Refusal { code, reason, message }) => {
                text.push_str("false,\"status\":{\"status\":\"Failure\",\"message\":");
                text.push_str(&json(message));
                text.push_str(",\"reason\":");
                text.push_str(&json(reason));
                text.push_str(",\"code\":");
                text.push_str(&code.to_string());
                text.push('}');
            }
        }
        if let Some(patch) = self.patch.as_ref().filter(|_| self.refusal.is_none()) {
            text.push_str(",\"patchType\":\"JSONPatch\",\"patch\":\"");
            STANDARD.encode_string(patch, &mut text);
            text.push('"');
        }
        if !self.warnings.is_empty() {
            text.push_str(",\"warnings\":[");
            for (i, warning) in self.warnings.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                text.push_str(&json(warning));
            }
            text.push(']');
        }
        if !self.audit.is_empty() {
            text.push_str(",\"auditAnnotations\":{");
            for (i, (name, value)) in self.audit.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                text.push_str(&json(name));
                text.push(':');
                text.push_str(&json(value));
            }
            text.push('}');
        }
        text.push_str("}}");
        text.into_bytes()
    }
}
