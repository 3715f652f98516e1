//! The router without sockets: pages, limits, panics, and what the configuration of rules says.

use std::convert::Infallible;

use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

use super::*;
use crate::maps::{Maps, MapsText, ParseOptions};
use crate::webhook::NewRules;
use crate::webhook::admission::OnUnmapped;

const REVIEW: &str = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","kind":{"kind":"Pod"},"operation":"CREATE","object":{"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"name":"c","image":"nginx"}]}}}}"#;

fn engine() -> Engine {
    let maps = Maps::parse(&[MapsText::new("maps", "docker.io::m.io/hub")], ParseOptions::default());
    Engine { maps: maps.expect("good maps").maps.into(), ..Engine::default() }
}

/// An app with rules, but without a certificate.
fn app() -> Arc<App> {
    let app = App::new(AppOptions { pod_name: "pod-1".to_owned(), ..AppOptions::default() });
    app.rules.set(engine());
    Arc::new(app)
}

fn request(method: &str, path: &str, body: &str) -> Request<Full<Bytes>> {
    let body = Full::from(body.to_owned());
    Request::builder().method(method).uri(path).body(body).expect("a request")
}

/// The status of the answer, its head and its text.
async fn answer(page: Page) -> (u16, hyper::HeaderMap, String) {
    let (head, body) = page.into_parts();
    let body = body.collect().await.expect("bytes in memory").to_bytes();
    (head.status.as_u16(), head.headers, String::from_utf8(body.to_vec()).expect("UTF-8"))
}

/// A body that begins with `first` and then never goes on.
fn unfinished(first: Vec<u8>) -> StreamBody<impl stream::Stream<Item = Result<Frame<Bytes>, Infallible>>> {
    let first = stream::iter([Ok(Frame::data(Bytes::from(first)))]);
    StreamBody::new(first.chain(stream::pending()))
}

fn post<B>(body: B) -> Request<B> {
    Request::post("/mutate").body(body).expect("a request")
}

#[tokio::test]
async fn each_page_takes_its_methods() {
    let app = app();
    for (method, path, status) in [
        ("POST", "/", 200),
        ("POST", "/mutate", 200),
        ("POST", "/v1/mutate?timeout=5s", 200),
        ("POST", "/clone-image", 200),
        ("POST", "/audit", 200),
        ("GET", "/", 405),
        ("PUT", "/mutate", 405),
        ("DELETE", "/audit", 405),
        ("GET", "/healthz", 200),
        ("HEAD", "/livez", 200),
        ("POST", "/readyz", 405),
        ("GET", "/readyz", 503),
        ("GET", "/metrics", 404),
        ("POST", "/mutate/", 404),
        ("GET", "/mutated", 404),
        ("OPTIONS", "*", 404),
    ] {
        let (found, head, text) = answer(app.respond(request(method, path, REVIEW)).await).await;
        assert_eq!(found, status, "{method} {path}: {text}");
        assert_eq!(head.contains_key(ALLOW), status == 405, "{method} {path}");
    }
    for (method, path, status) in
        [("GET", "/metrics", 200), ("POST", "/metrics", 405), ("GET", "/livez", 200), ("POST", "/", 404)]
    {
        let (found, _, text) = answer(app.respond_plain(&request(method, path, REVIEW))).await;
        assert_eq!(found, status, "{method} {path}: {text}");
    }
}

#[tokio::test]
async fn only_json_is_read() {
    let app = app();
    for (content_type, status) in [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/yaml", 415),
        ("text/plain", 415),
        ("", 415),
    ] {
        let mut asked = request("POST", "/", REVIEW);
        asked.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        assert_eq!(answer(app.respond(asked).await).await.0, status, "{content_type}");
    }
}

#[tokio::test]
async fn says_why_it_is_not_ready() {
    let app = Arc::new(App::new(AppOptions::default()));
    let ready = async || answer(app.respond(request("GET", "/readyz", "")).await).await;
    assert!(ready().await.2.contains("the maps are not loaded"));
    let (status, _, text) = answer(app.respond(request("POST", "/", REVIEW)).await).await;
    assert!(status == 200 && text.contains("\"allowed\":false") && text.contains("not loaded"), "{text}");
    app.rules.set(engine());
    assert!(ready().await.2.contains("the certificate is not loaded"));
    app.drain();
    let (status, head, text) = ready().await;
    assert!(status == 503 && text.contains("shutting down"), "{text}");
    assert_eq!(head.get(CONNECTION).map(HeaderValue::as_bytes), Some(&b"close"[..]));
}

#[tokio::test]
async fn a_panic_ends_its_review_alone() {
    let app = app();
    let rules = app.rules.current().expect("rules");
    for size in [10, 2 * LARGE] {
        let body = Bytes::from(vec![b' '; size]);
        let panicked = on_rules(&rules, &body, |_, _, _| -> () { panic!("a bad review") }).await;
        assert_eq!(panicked, None, "{size} bytes");
        assert_eq!(on_rules(&rules, &body, |_, body, _| body.len()).await, Some(size));
    }
    let ask = app.ask(false, Some(&rules));
    let answer = app.fail(REVIEW.as_bytes(), &ask, "an internal error").expect("a review");
    assert!(String::from_utf8_lossy(&answer.body).contains("\"allowed\":false"));
}

#[tokio::test]
async fn too_many_reviews_are_told_to_come_again() {
    let app = app();
    let mut waiting: Vec<_> =
        (0..REVIEWS_MAX).map(|_| Box::pin(app.respond(post(unfinished(vec![b'{']))))).collect();
    for review in &mut waiting {
        assert!(review.as_mut().now_or_never().is_none());
    }
    let (status, head, text) = answer(app.respond(request("POST", "/", REVIEW)).await).await;
    assert_eq!((status, text.as_str()), (503, "too many reviews at once\n"));
    assert_eq!(head.get(RETRY_AFTER).map(HeaderValue::as_bytes), Some(&b"1"[..]));
    assert_eq!(answer(app.respond(request("GET", "/livez", "")).await).await.0, 200, "it lives");
    waiting.pop();
    assert_eq!(answer(app.respond(request("POST", "/", REVIEW)).await).await.0, 200);
}

#[tokio::test]
async fn large_bodies_keep_small_ones_in() {
    let app = app();
    let mut held = Vec::new();
    let refused = loop {
        let mut review = Box::pin(app.respond(post(unfinished(vec![b' '; 3 << 20]))));
        match review.as_mut().now_or_never() {
            Some(page) => break page,
            None => held.push(review),
        }
        assert!(held.len() < 100, "they take all memory");
    };
    assert_eq!(answer(refused).await.0, 503);
    assert_eq!(answer(app.respond(request("POST", "/", REVIEW)).await).await.0, 200);
    drop(held);
    let large = format!("{REVIEW}{}", " ".repeat(3 << 20));
    assert_eq!(answer(app.respond(request("POST", "/", &large)).await).await.0, 200);
    let too_large = format!("{REVIEW}{}", " ".repeat(BODY_MAX));
    assert_eq!(answer(app.respond(request("POST", "/", &too_large)).await).await.0, 413);
}

#[tokio::test]
async fn whose_client_goes_away_is_not_in_flight() {
    let app = app();
    let large = format!("{REVIEW}{}", " ".repeat(2 * LARGE));
    for _ in 0..3 {
        let mut asked = Box::pin(app.respond(request("POST", "/", &large)));
        let _ = asked.as_mut().now_or_never();
        drop(asked);
    }
    assert_eq!(app.metrics.in_flight.get(), 0);
    assert_eq!(answer(app.respond(request("POST", "/", &large)).await).await.0, 200);
    assert_eq!(app.metrics.in_flight.get(), 0);
}

#[tokio::test]
async fn the_configuration_of_the_rules_counts() {
    let app = app();
    let ask = async |image: &str| {
        let review = REVIEW.replace("nginx", image);
        let (status, _, text) = answer(app.respond(request("POST", "/", &review)).await).await;
        assert_eq!(status, 200);
        text
    };
    assert!(ask("nginx").await.contains("\"patch\":"));
    assert!(ask("quay.io/a").await.contains("\"allowed\":true"));
    app.rules.set(NewRules { engine: engine(), on_unmapped: OnUnmapped::Deny, validate: true });
    let refused = ask("nginx").await;
    assert!(
        refused.contains("\"allowed\":false") && refused.contains("nginx must be m.io/hub/nginx"),
        "{refused}"
    );
    assert!(ask("quay.io/a").await.contains("no rule of imageswap covers quay.io/a"));
    assert!(ask("m.io/hub/nginx").await.contains("\"allowed\":true"));
}
