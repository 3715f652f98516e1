//! One connection: TLS, then HTTP/1.1 or HTTP/2 until it ends, is told to, or the server goes.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::app::App;
use super::connections::{Activity, OpenConnection, Phase};

/// How long a TLS handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// A stream that says when bytes come.
struct Metered<S> {
    inner: S,
    activity: Arc<Activity>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.read();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

/// Serves a connection that was accepted on the TLS port.
pub(super) async fn serve_tls(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    app: Arc<App>,
    entry: OpenConnection,
    phase: watch::Receiver<Phase>,
) {
    let activity = Arc::clone(&entry.activity);
    let handshake = tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream));
    let stream = tokio::select! {
        () = activity.end.notified() => return,
        shaken = handshake => match shaken {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::debug!(%error, "TLS handshake failed");
                return;
            }
            Err(_) => return,
        },
    };
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let io = TokioIo::new(Metered { inner: stream, activity: Arc::clone(&activity) });
    let of_requests = Arc::clone(&activity);
    let service = service_fn(move |request: Request<Incoming>| {
        let (app, activity) = (Arc::clone(&app), Arc::clone(&of_requests));
        async move {
            let _under_way = activity.request();
            Ok::<_, Infallible>(app.respond(request).await)
        }
    });
    if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(128)
            .initial_stream_window_size(128 * 1024)
            .initial_connection_window_size(512 * 1024)
            .max_header_list_size(16 * 1024)
            .keep_alive_interval(Duration::from_secs(60))
            .keep_alive_timeout(Duration::from_secs(20));
        let connection = std::pin::pin!(builder.serve_connection(io, service));
        run(connection, &activity, phase, true, http2::Connection::graceful_shutdown).await;
    } else {
        let mut builder = http1::Builder::new();
        builder.header_read_timeout(None).max_buf_size(64 * 1024);
        let connection = std::pin::pin!(builder.serve_connection(io, service));
        run(connection, &activity, phase, false, http1::Connection::graceful_shutdown).await;
    }
}

/// Serves a connection that was accepted on the plain port.
pub(super) async fn serve_plain(
    stream: TcpStream,
    app: Arc<App>,
    entry: OpenConnection,
    phase: watch::Receiver<Phase>,
) {
    let activity = Arc::clone(&entry.activity);
    let io = TokioIo::new(Metered { inner: stream, activity: Arc::clone(&activity) });
    let of_requests = Arc::clone(&activity);
    let service = service_fn(move |request: Request<Incoming>| {
        let _under_way = of_requests.request();
        let page = app.respond_plain(&request);
        async move { Ok::<_, Infallible>(page) }
    });
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None).max_buf_size(16 * 1024);
    let connection = std::pin::pin!(builder.serve_connection(io, service));
    run(connection, &activity, phase, false, http1::Connection::graceful_shutdown).await;
}

/// Drives a connection. One that speaks HTTP/2 is told at the first sign of a shutdown to send nothing new; one that
/// came later, and HTTP/1.1, where that is said with each answer, only when the server closes.
async fn run<C>(
    mut connection: Pin<&mut C>,
    activity: &Activity,
    mut phase: watch::Receiver<Phase>,
    tells_early: bool,
    graceful: fn(Pin<&mut C>),
) where
    C: Future<Output = hyper::Result<()>>,
{
    let from =
        if tells_early && *phase.borrow() == Phase::Serving { Phase::LameDuck } else { Phase::Closing };
    let mut told = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            () = activity.end.notified() => return,
            reached = phase.wait_for(|phase| *phase >= from), if !told => {
                drop(reached);
                told = true;
                graceful(connection.as_mut());
            }
        }
    }
}
