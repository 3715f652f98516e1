//! The sockets: accepting, and going without losing a request.
//!
//! On the signal to stop the server says at once that it is not ready, and asks clients to connect elsewhere, but goes
//! on serving for a while: load balancers and API servers take that long to notice. Then it takes what still waits to
//! be accepted, closes, and ends when all requests are answered.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::app::App;
use super::connection::{serve_plain, serve_tls};
use super::connections::{Connections, Phase};
use super::tls::{self, TlsError};

/// How much is served at once, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many connections may be open.
    pub connections: usize,
    /// How long the head of an HTTP/1.1 request may take.
    pub head: Duration,
    /// How long a connection may be idle.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 768, head: Duration::from_secs(10), idle: Duration::from_secs(300) }
    }
}

/// Shutdown timing.
#[derive(Debug, Clone, Copy)]
pub struct Shutdown {
    /// How long it serves on.
    pub lame_duck: Duration,
    /// How long requests under way may take then.
    pub drain: Duration,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    limits: Limits,
    tls: TcpListener,
    plain: Option<TcpListener>,
}

impl Server {
    /// Listens for reviews on `tls`, and for those who measure on `plain`.
    ///
    /// # Errors
    /// An address cannot be listened on.
    pub fn bind(
        app: Arc<App>,
        limits: Limits,
        tls: SocketAddr,
        plain: Option<SocketAddr>,
    ) -> Result<Self, ServerError> {
        let tls = listen(tls)?;
        let plain = plain.map(listen).transpose()?;
        Ok(Self { app, limits, tls, plain })
    }

    /// Where it listens for reviews.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tls.local_addr()
    }

    /// Where it listens for those who measure.
    ///
    /// # Errors
    /// The system does not say.
    pub fn metrics_address(&self) -> io::Result<Option<SocketAddr>> {
        self.plain.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Serves until `stop` is ready, and then as long as `shutdown` says.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub async fn run(self, stop: impl Future<Output = ()>, shutdown: Shutdown) -> Result<(), ServerError> {
        let Self { app, limits, tls, plain } = self;
        let config = tls::server_config(Arc::clone(&app.certificate))?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (phase, phases) = watch::channel(Phase::Serving);
        let connections = Connections::new(limits.connections);
        let of_plain = Connections::new(16);
        let sweeper = tokio::spawn({
            let (connections, of_plain) = (Arc::clone(&connections), Arc::clone(&of_plain));
            async move {
                loop {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    connections.sweep(limits.head, limits.idle);
                    of_plain.sweep(limits.head, limits.idle);
                }
            }
        });
        let metrics = plain.map(|listener| {
            let (app, phases, of_plain) = (Arc::clone(&app), phases.clone(), Arc::clone(&of_plain));
            tokio::spawn(async move {
                loop {
                    let stream = accept(&listener).await;
                    let entry = of_plain.enter().await;
                    tokio::spawn(serve_plain(stream, Arc::clone(&app), entry, phases.clone()));
                }
            })
        });
        let take = async |stream| {
            let entry = connections.enter().await;
            let (app, phases) = (Arc::clone(&app), phases.clone());
            tokio::spawn(serve_tls(stream, acceptor.clone(), app, entry, phases));
        };
        let accepting = async {
            loop {
                take(accept(&tls).await).await;
            }
        };
        let going = async {
            stop.await;
            app.drain();
            phase.send_replace(Phase::LameDuck);
            tracing::info!(seconds = shutdown.lame_duck.as_secs_f64(), "shutting down, still serving");
            tokio::time::sleep(shutdown.lame_duck).await;
        };
        tokio::select! {
            () = accepting => {}
            () = going => {}
        }
        // What the system has taken in for us would be reset with the listener.
        while let Some(Ok((stream, _))) = tls.accept().now_or_never() {
            take(stream).await;
        }
        drop(tls);
        phase.send_replace(Phase::Closing);
        let open = connections.count();
        let drained = tokio::time::timeout(shutdown.drain, connections.all_ended()).await.is_ok();
        tracing::info!(open, drained, "closed");
        sweeper.abort();
        if let Some(metrics) = metrics {
            metrics.abort();
        }
        Ok(())
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    let bind = || {
        let domain = if address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(1_024)?;
        TcpListener::from_std(socket.into())
    };
    bind().map_err(|source| ServerError::Listen { address, source })
}

/// The next connection. What fails is that connection's matter, or passes (no more file descriptors).
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small, and nobody should wait for more of them.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
