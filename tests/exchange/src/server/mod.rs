//! The server: listens, lets clients in or not, and keeps the market going.

mod tls;
mod upgrade;
pub(crate) mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_rustls::TlsAcceptor;

use crate::matcher;
use crate::state::State;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A server that runs.
pub(crate) struct Started {
    pub(crate) address: SocketAddr,
    pub(crate) ca_pem: Option<String>,
    pub(crate) tasks: JoinSet<()>,
}

/// Starts listening and trading.
pub(crate) async fn start(state: Arc<State>) -> io::Result<Started> {
    let identity = if state.settings.tls { Some(tls::Identity::generate()?) } else { None };
    let (acceptor, ca_pem) = identity.map(|identity| (identity.acceptor, identity.ca_pem)).unzip();
    let listener = listen(&state)?;
    let address = listener.local_addr()?;
    let mut tasks = JoinSet::new();
    tasks.spawn(accept_all(state.clone(), listener, acceptor));
    tasks.spawn(trade(state.clone()));
    tasks.spawn(matcher::run(state));
    Ok(Started { address, ca_pem, tasks })
}

fn listen(state: &State) -> io::Result<TcpListener> {
    let address = state.settings.address;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    if let Some(bytes) = state.settings.send_buffer {
        // Accepted sockets inherit it.
        socket.set_send_buffer_size(bytes)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept_all(state: Arc<State>, listener: TcpListener, acceptor: Option<TlsAcceptor>) {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, peer)) => {
                    clients.spawn(upgrade::receive(state.clone(), tcp, peer.ip(), acceptor.clone()));
                }
                // Out of descriptors, most likely: trying again at once would only burn time.
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = clients.join_next() => {}
        }
    }
}

async fn trade(state: Arc<State>) {
    let mut beats = interval(state.settings.pace);
    beats.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        beats.tick().await;
        state.beat();
    }
}
