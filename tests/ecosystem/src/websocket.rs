//! WebSockets on connections that `executor::http` has served, by tokio-tungstenite.
//!
//! hyper hands the connection over once its answer is sent; tungstenite does the rest, over any stream with tokio's I/O traits.

use std::future::Future;

use executor::http::on_upgrade;
use executor::hyper::TokioIo;
use hyper::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper::{Request, Response, StatusCode};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// A WebSocket whose HTTP is over.
pub type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// The answer to a request for a WebSocket. `callback` has it when the answer is sent, in the task of the connection; a shutdown of the server asks it to end, see
/// [`on_upgrade`]. `None` if the request is for something else.
pub fn accept<B, T, C, F>(request: &mut Request<B>, callback: C) -> Option<Response<T>>
where
    T: Default,
    C: FnOnce(WebSocket) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let upgrade = request.headers().get(UPGRADE)?;
    if !upgrade.as_bytes().eq_ignore_ascii_case(b"websocket") {
        return None;
    }
    let key = request.headers().get(SEC_WEBSOCKET_KEY)?;
    let accept = derive_accept_key(key.as_bytes());

    let mut response = Response::new(T::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let accept = HeaderValue::try_from(accept).expect("base64 is a header's value");
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);

    on_upgrade(request, |upgraded| async {
        let stream = TokioIo::new(upgraded);
        callback(WebSocketStream::from_raw_socket(stream, Role::Server, None).await).await;
    });
    Some(response)
}
