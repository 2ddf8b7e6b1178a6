//! An HTTPS listener: a router behind TLS.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::front::{self, Opened, Tls};

/// Bytes of a request line with its header fields. House; axum has its own limit for bodies.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How long the head of a request may take, also the next one's on a connection that is kept. House.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// Where a request came from; handlers take it as an extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source(pub IpAddr);

/// Whether a request came over TLS; handlers take it as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverTls(pub bool);

/// What a request in the clear gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    /// 400, and the connection ends.
    Refused,
    /// 301 to the same address over TLS, with an empty body.
    Redirected,
    /// What it would get over TLS.
    Served,
}

/// What a request in the clear gets; asked for each connection that begins with one.
pub(crate) type OnPlain = Arc<dyn Fn() -> Plain + Send + Sync>;

/// Serves for ever; dropping the future closes all connections.
pub(crate) async fn serve(listener: TcpListener, tls: Tls, on_plain: OnPlain, router: Router) {
    front::serve_each(&listener, |stream, source| {
        let (tls, on_plain) = (tls.clone(), on_plain.clone());
        let router = router.clone().layer(Extension(Source(source)));
        async move {
            let mut plain = Plain::Served;
            let open = front::open(stream, &tls, || {
                plain = on_plain();
                plain != Plain::Refused
            });
            let Ok(opened) = open.await else { return };
            let router = router.layer(Extension(OverTls(matches!(opened, Opened::Tls(_)))));
            let router = if plain == Plain::Redirected { Router::new().fallback(to_tls) } else { router };
            let mut http = Builder::new(TokioExecutor::new()).http1_only();
            http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT).max_buf_size(MAX_HEAD_BYTES);
            let serving = http.serve_connection(TokioIo::new(opened), TowerToHyperService::new(router));
            // A client that breaks off is no event of the lab's.
            let _ = serving.await;
        }
    })
    .await;
}

/// The same address over TLS.
async fn to_tls(headers: HeaderMap, uri: Uri) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let location = format!("https://{host}{}", uri.path_and_query().map_or("/", |path| path.as_str()));
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response()
}
