//! The outline of an AdmissionReview.
//!
//! See <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request>.

use std::borrow::Cow;

use super::cursor::{Cursor, CursorError, Raw};
use super::object::Metadata;

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
    /// What it says of itself.
    pub(super) metadata: Metadata<'a>,
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
        let mut cursor = Cursor::new(text);
        if !cursor.is_at_object() {
            cursor.value()?;
            cursor.end()?;
            return Err(BadReview::NotReview("it is no object"));
        }
        let (mut api_version, mut kind): (Last<'a>, Last<'a>) = (None, None);
        let mut request = None;
        cursor.entries(|key, cursor| {
            match key {
                "apiVersion" => api_version = Some(cursor.value()?),
                "kind" => kind = Some(cursor.value()?),
                "request" if cursor.is_at_object() => request = Some(Request::read(cursor)?),
                "request" => request = None,
                _ => {}
            }
            Ok(())
        })?;
        cursor.end()?;
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
            .ok_or(BadReview::NotReview("it has no request, only the API server's questions are answered"))?;
        request.review(api_version)
    }
}

/// The entries of a request that matter, as they stand.
#[derive(Debug, Clone, Copy, Default)]
struct Request<'a> {
    uid: Last<'a>,
    kind: Last<'a>,
    operation: Last<'a>,
    dry_run: Last<'a>,
    sub_resource: Last<'a>,
    name: Last<'a>,
    namespace: Last<'a>,
    object: Last<'a>,
    metadata: Metadata<'a>,
    old_object: Last<'a>,
}

impl<'a> Request<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, CursorError> {
        let mut request = Self::default();
        cursor.entries(|key, cursor| {
            match key {
                "uid" => request.uid = Some(cursor.value()?),
                "kind" => request.kind = kind_name(cursor)?,
                "subResource" => request.sub_resource = Some(cursor.value()?),
                "name" => request.name = Some(cursor.value()?),
                "namespace" => request.namespace = Some(cursor.value()?),
                "operation" => request.operation = Some(cursor.value()?),
                "dryRun" => request.dry_run = Some(cursor.value()?),
                "object" if cursor.is_at_object() => {
                    let (object, metadata) = Metadata::of_object(cursor)?;
                    (request.object, request.metadata) = (Some(object), metadata);
                }
                "object" => {
                    (request.object, request.metadata) = (Some(cursor.value()?), Metadata::default());
                }
                "oldObject" => request.old_object = Some(cursor.value()?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(request)
    }

    fn review(self, api_version: &'static str) -> Result<Review<'a>, BadReview> {
        let uid = string(self.uid)
            .filter(|uid| !uid.is_empty())
            .ok_or(BadReview::NotReview("its request has no uid, which the answer must repeat"))?;
        let object = self.object.filter(|object| !object.is_null());
        if object.is_some_and(|object| !object.is_object()) {
            return Err(BadReview::NotReview("its request.object is no object"));
        }
        Ok(Review {
            api_version,
            uid,
            kind: string(self.kind).unwrap_or_default(),
            sub_resource: string(self.sub_resource).unwrap_or_default(),
            name: string(self.name).unwrap_or_default(),
            namespace: string(self.namespace).unwrap_or_default(),
            operation: string(self.operation).as_deref().map_or(Operation::Other, Operation::of),
            dry_run: self.dry_run.is_some_and(Raw::is_true),
            object,
            metadata: self.metadata,
            old_object: self.old_object.filter(|object| object.is_object()),
        })
    }
}

/// The `kind` of a `GroupVersionKind`.
fn kind_name<'a>(cursor: &mut Cursor<'a>) -> Result<Last<'a>, CursorError> {
    let mut name = None;
    if cursor.is_at_object() {
        cursor.entries(|key, cursor| {
            if key == "kind" {
                name = Some(cursor.value()?);
            }
            Ok(())
        })?;
    }
    Ok(name)
}
