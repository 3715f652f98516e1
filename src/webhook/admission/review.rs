//! The outline of an AdmissionReview.
//!
//! See <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request>.

use std::borrow::Cow;

use super::cursor::{CursorError, Raw};

/// Why a body is no AdmissionReview.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReview {
    /// Nothing came.
    #[error("the body is empty, expected an AdmissionReview")]
    Empty,
    /// It is no text.
    #[error("the body is not UTF-8, expected an AdmissionReview as JSON")]
    NotUtf8,
    /// It is no JSON.
    #[error("the body is not JSON: expected {expected} at byte {offset}")]
    NotJson {
        /// Where reading stopped.
        offset: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// It is JSON, and something else.
    #[error("not an AdmissionReview: {0}")]
    NotReview(&'static str),
}

impl From<CursorError> for BadReview {
    fn from(CursorError { offset, expected }: CursorError) -> Self {
        Self::NotJson { offset, expected }
    }
}

/// What is done to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is deleted.
    Delete,
    /// Somebody connects to it (`exec`, `proxy`).
    Connect,
    /// Something that this version does not know.
    Other,
}

impl Operation {
    fn of(text: &str) -> Self {
        match text {
            "CREATE" => Self::Create,
            "UPDATE" => Self::Update,
            "DELETE" => Self::Delete,
            "CONNECT" => Self::Connect,
            _ => Self::Other,
        }
    }

    /// The name that the API gives it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Other => "OTHER",
        }
    }
}

/// The parts of a review that matter.
#[derive(Debug, Clone)]
pub(super) struct Review<'a> {
    /// As it stands, and as the answer has it.
    pub(super) api_version: &'static str,
    pub(super) uid: Cow<'a, str>,
    pub(super) kind: Cow<'a, str>,
    pub(super) sub_resource: Cow<'a, str>,
    pub(super) name: Cow<'a, str>,
    pub(super) namespace: Cow<'a, str>,
    pub(super) operation: Operation,
    pub(super) dry_run: bool,
    /// The text of the object; `None` where there is none, as when it is deleted.
    pub(super) object: Option<Raw<'a>>,
    /// The text of the object as it was.
    pub(super) old_object: Option<Raw<'a>>,
}

/// The last value of a key, as Go reads objects.
type Last<'a> = Option<Raw<'a>>;

fn string<'a>(value: Last<'a>) -> Option<Cow<'a, str>> {
    value.filter(|value| !value.is_null()).and_then(Raw::string)
}

impl<'a> Review<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, BadReview> {
        let text = simdutf8::basic::from_utf8(body).map_err(|_| BadReview::NotUtf8)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim_ascii().is_empty() {
            return Err(BadReview::Empty);
        }
        let whole = Raw::whole(text)?;
        if !whole.is_object() {
            return Err(BadReview::NotReview("it is no object"));
        }
        let (mut api_version, mut kind, mut request): (Last<'a>, Last<'a>, Last<'a>) = (None, None, None);
        whole.entries(|key, value| match key {
            "apiVersion" => api_version = Some(value),
            "kind" => kind = Some(value),
            "request" => request = Some(value),
            _ => {}
        })?;
        if string(kind).as_deref() != Some("AdmissionReview") {
            return Err(BadReview::NotReview("its kind is not AdmissionReview"));
        }
        let api_version = match string(api_version).as_deref() {
            Some("admission.k8s.io/v1") => "admission.k8s.io/v1",
            Some("admission.k8s.io/v1beta1") => "admission.k8s.io/v1beta1",
            _ => {
                let expected = "its apiVersion is neither admission.k8s.io/v1 nor admission.k8s.io/v1beta1";
                return Err(BadReview::NotReview(expected));
            }
        };
        let request = request
            .filter(|request| request.is_object())
            .ok_or(BadReview::NotReview("it has no request, only the API server's questions are answered"))?;
        Self::of_request(api_version, request)
    }

    fn of_request(api_version: &'static str, request: Raw<'a>) -> Result<Self, BadReview> {
        let (mut uid, mut kind, mut operation, mut dry_run): (Last<'a>, Last<'a>, Last<'a>, Last<'a>) =
            (None, None, None, None);
        let (mut sub_resource, mut name, mut namespace): (Last<'a>, Last<'a>, Last<'a>) = (None, None, None);
        let (mut object, mut old_object): (Last<'a>, Last<'a>) = (None, None);
        request.entries(|key, value| match key {
            "uid" => uid = Some(value),
            "kind" => kind = Some(value),
            "subResource" => sub_resource = Some(value),
            "name" => name = Some(value),
            "namespace" => namespace = Some(value),
            "operation" => operation = Some(value),
            "dryRun" => dry_run = Some(value),
            "object" => object = Some(value),
            "oldObject" => old_object = Some(value),
            _ => {}
        })?;
        let uid = string(uid)
            .filter(|uid| !uid.is_empty())
            .ok_or(BadReview::NotReview("its request has no uid, which the answer must repeat"))?;
        let mut kind_name: Last<'a> = None;
        if let Some(kind) = kind.filter(|kind| kind.is_object()) {
            kind.entries(|key, value| {
                if key == "kind" {
                    kind_name = Some(value);
                }
            })?;
        }
        let object = object.filter(|object| !object.is_null());
        if object.is_some_and(|object| !object.is_object()) {
            return Err(BadReview::NotReview("its request.object is no object"));
        }
        Ok(Self {
            api_version,
            uid,
            kind: string(kind_name).unwrap_or_default(),
            sub_resource: string(sub_resource).unwrap_or_default(),
            name: string(name).unwrap_or_default(),
            namespace: string(namespace).unwrap_or_default(),
            operation: string(operation).as_deref().map_or(Operation::Other, Operation::of),
            dry_run: dry_run.is_some_and(Raw::is_true),
            object,
            old_object: old_object.filter(|object| object.is_object()),
        })
    }
}
