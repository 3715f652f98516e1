//! What no data file says: bodies that are no reviews.

use super::*;
use crate::rewrite::Engine;

#[test]
fn tells_what_is_no_review() {
    let engine = Engine::default();
    for (body, want) in [
        (&b""[..], "the body is empty"),
        (b" \n", "the body is empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"hello", "not JSON"),
        (b"{\"kind\":\"AdmissionReview\"", "not JSON"),
        (b"[]", "it is no object"),
        (b"{}", "its kind"),
        (b"{\"kind\":\"AdmissionReview\",\"apiVersion\":\"v1\"}", "its apiVersion"),
        (b"{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\"}", "it has no request"),
        (
            b"{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{}}",
            "its request has no uid",
        ),
        (
            b"{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":\"1\",\"object\":[]}}",
            "request.object is no object",
        ),
    ] {
        let error = admit(body, &engine, &Ask::default()).expect_err(want);
        assert!(error.to_string().contains(want), "{error} / {want}");
    }
}

#[test]
fn fails_open_or_closed() {
    let body = br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"7","operation":"CREATE","object":{}}}"#;
    let closed = failed(body, &Ask::default(), "a\nreason").expect("a review");
    let text = String::from_utf8(closed.body).expect("JSON");
    assert!(
        text.contains("\"allowed\":false") && text.contains("a reason") && text.contains("\"code\":500"),
        "{text}"
    );
    let settings = Settings { on_error: OnError::Allow, ..Settings::default() };
    let open = failed(body, &Ask { settings, ..Ask::default() }, "a reason").expect("a review");
    let text = String::from_utf8(open.body).expect("JSON");
    assert!(text.contains("\"allowed\":true") && text.contains("a reason"), "{text}");
}
