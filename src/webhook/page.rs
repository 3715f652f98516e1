//! Answers that are no reviews.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

/// What is sent back.
pub(super) type Page = Response<Full<Bytes>>;

/// JSON.
pub(super) fn json(body: impl Into<Bytes>) -> Page {
    page(StatusCode::OK, "application/json", body)
}

/// A line of text.
pub(super) fn text(status: StatusCode, line: &str) -> Page {
    page(status, "text/plain; charset=utf-8", format!("{line}\n"))
}

/// The metrics.
pub(super) fn metrics(text: String) -> Page {
    page(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", text)
}

fn page(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Page {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
