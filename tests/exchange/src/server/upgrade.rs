//! From TCP to a WebSocket, or to a refusal.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::http::header::RETRY_AFTER;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use super::wire::Wire;
use crate::connection;
use crate::connection::ending::{Ending, How};
use crate::connection::seat::Seat;
use crate::faults::door::Door;
use crate::faults::maintenance::Phase;
use crate::state::State;

const PATH: &str = "/ws/api/v2";
/// How long a client may take for TLS and the upgrade.
const PATIENCE: Duration = Duration::from_secs(10);
/// Beyond the venue's 32 kB, so that such a frame is answered; beyond this the connection ends.
const MAX_FRAME: usize = 1024 * 1024;

/// Deals with one accepted TCP stream until it ends.
pub(crate) async fn receive(state: Arc<State>, tcp: TcpStream, ip: IpAddr, acceptor: Option<TlsAcceptor>) {
    let _nagle = tcp.set_nodelay(true);
    let door = meet(&state);
    match door {
        Some(Door::Hangup) => state.note(|journal| journal.note_refusal(state.clock.uptime(), None)),
        Some(Door::Silent) => {
            state.note(|journal| journal.note_refusal(state.clock.uptime(), None));
            stay_silent(tcp).await;
        }
        door => {
            let mut seat = None;
            let upgrade = upgrade(&state, tcp, ip, acceptor, door.as_ref(), &mut seat);
            let socket = timeout(PATIENCE, upgrade).await.ok().flatten();
            if let (Some(socket), Some(seat)) = (socket, seat) {
                serve(socket, seat, door).await;
            }
        }
    }
}

/// What this client meets: the door that was set, or the maintenance.
fn meet(state: &State) -> Option<Door> {
    let away = state.phase() == Phase::Outage;
    let door = state.doorway().meet(Instant::now());
    door.or(away.then_some(Door::Refuse { status: 503, retry_after: None }))
}

/// Reads what the client says until it gives up, and never answers.
async fn stay_silent(mut tcp: TcpStream) {
    let mut ignored = [0; 1_024];
    while matches!(tcp.read(&mut ignored).await, Ok(1..)) {}
}

async fn serve(socket: WebSocketStream<Wire>, seat: Seat, door: Option<Door>) {
    let Some(Door::CloseAtOnce(code)) = door else {
        return connection::serve(socket, seat).await;
    };
    let ending = Ending::fault(How::Frame(code, "closed at once".into()), "close at once");
    connection::dismiss(socket, seat, ending).await;
}

async fn upgrade(
    state: &Arc<State>,
    tcp: TcpStream,
    ip: IpAddr,
    acceptor: Option<TlsAcceptor>,
    door: Option<&Door>,
    seat: &mut Option<Seat>,
) -> Option<WebSocketStream<Wire>> {
    let wire = match acceptor {
        None => Wire::Plain(tcp),
        Some(acceptor) => Wire::Tls(Box::new(handshake(state, acceptor, tcp).await?)),
    };
    let config = WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME));
    let porter = Porter { state, ip, door, seat };
    accept_hdr_async_with_config(wire, porter, Some(config)).await.ok()
}

async fn handshake(state: &State, acceptor: TlsAcceptor, tcp: TcpStream) -> Option<TlsStream<TcpStream>> {
    let accepted = acceptor.accept(tcp).await.ok();
    if accepted.is_none() {
        state.note(|journal| journal.note_refusal(state.clock.uptime(), None));
    }
    accepted
}

/// Decides over one upgrade request.
struct Porter<'a> {
    state: &'a Arc<State>,
    ip: IpAddr,
    door: Option<&'a Door>,
    seat: &'a mut Option<Seat>,
}

impl Callback for Porter<'_> {
    // The type of the refusal is the WebSocket library's.
    #[allow(clippy::result_large_err)]
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        if let Some(Door::Refuse { status, retry_after }) = self.door {
            return Err(self.refuse(*status, *retry_after));
        }
        if request.uri().path() != PATH {
            return Err(self.refuse(404, None));
        }
        *self.seat = Seat::take(self.state, self.ip);
        if self.seat.is_none() { Err(self.refuse(429, None)) } else { Ok(response) }
    }
}

impl Porter<'_> {
    fn refuse(&self, status: u16, retry_after: Option<u64>) -> ErrorResponse {
        self.state.note(|journal| journal.note_refusal(self.state.clock.uptime(), Some(status)));
        let mut response = ErrorResponse::new(None);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
