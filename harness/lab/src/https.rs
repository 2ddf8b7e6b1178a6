//! An HTTPS listener: a router behind TLS.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::front;

/// Bytes of a request line with its header fields. House; axum has its own limit for bodies.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How long the head of a request may take, also the next one's on a connection that is kept. House.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// Where a request came from; handlers take it as an extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source(pub IpAddr);

/// Whether a request in the clear is served; asked for each connection that begins with one.
pub(crate) type ServePlain = Arc<dyn Fn() -> bool + Send + Sync>;

/// Serves for ever; dropping the future closes all connections.
pub(crate) async fn serve(listener: TcpListener, tls: Arc<ServerConfig>, serve_plain: ServePlain, router: Router) {
    let tls = TlsAcceptor::from(tls);
    front::serve_each(listener, |stream, source| {
        let (tls, serve_plain) = (tls.clone(), serve_plain.clone());
        let router = router.clone().layer(Extension(Source(source)));
        async move {
            let Ok(opened) = front::open(stream, &tls, || serve_plain()).await else { return };
            let mut http = Builder::new(TokioExecutor::new()).http1_only();
            http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT).max_buf_size(MAX_HEAD_BYTES);
            let serving = http.serve_connection(TokioIo::new(opened), TowerToHyperService::new(router));
            // A client that breaks off is no event of the lab's.
            let _ = serving.await;
        }
    })
    .await;
}
