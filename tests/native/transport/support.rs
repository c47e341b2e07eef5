//! A server whose every byte the test decides, and the client's side of it.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::time::Duration;

use steadysocket::error::{ConnectError, Disconnect};
use steadysocket::platform::native::{Native, NativeSocket};
use steadysocket::transport::{Attempt, Platform, Progress, Socket};
use steadysocket::{Config, Frame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Turns a test that hangs into one that fails.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("the test hangs")
}

pub async fn listen() -> (TcpListener, Config) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = Config::new(format!("ws://{}/feed?x=1", listener.local_addr().unwrap())).unwrap();
    (listener, config)
}

pub fn attempt(config: Config) -> Attempt {
    let steadysocket::config::Endpoint::Fixed(url) = &config.endpoint else { panic!("no fixed URL") };
    Attempt { url: url.clone(), config: Arc::new(config), progress: Progress::default() }
}

pub async fn connect(config: Config) -> Result<NativeSocket, ConnectError> {
    Native::new().connect(attempt(config)).await
}

/// Connects to a server that answers the upgrade request with what `answer` makes of it.
pub async fn connect_to(
    configure: impl FnOnce(Config) -> Config,
    answer: impl FnOnce(&str) -> Vec<u8>,
) -> (Result<NativeSocket, ConnectError>, TcpStream) {
    let (listener, config) = listen().await;
    let server = async {
        let mut stream = accept(&listener).await;
        let request = read_request(&mut stream).await;
        stream.write_all(&answer(&request)).await.unwrap();
        stream
    };
    soon(async { tokio::join!(connect(configure(config)), server) }).await
}

/// An open connection and the server's end of it.
pub async fn open(configure: impl FnOnce(Config) -> Config) -> (NativeSocket, TcpStream) {
    let (socket, stream) = connect_to(configure, |request| accepted(request, "").into_bytes()).await;
    (socket.unwrap(), stream)
}

pub async fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

pub async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(request).unwrap()
}

pub fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

pub fn accept_key(request: &str) -> String {
    derive_accept_key(header(request, "Sec-WebSocket-Key").expect("no key").as_bytes())
}

/// A correct answer with `extra` header lines, each ending in CRLF.
pub fn accepted(request: &str, extra: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{extra}\r\n",
        accept_key(request)
    )
}

/// One unmasked frame. `first` is the byte with FIN, the reserved bits and the opcode.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(length as u8),
        length @ 126..0x10000 => {
            frame.push(126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

pub fn close_frame(code: u16) -> Vec<u8> {
    frame(CLOSE, &code.to_be_bytes())
}

/// Reads one frame of the client: its first byte and the unmasked payload.
pub async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> (u8, Vec<u8>) {
    let first = stream.read_u8().await.unwrap();
    let second = stream.read_u8().await.unwrap();
    assert!(second & 0x80 != 0, "the client did not mask");
    let length = match second & 0x7f {
        126 => u64::from(stream.read_u16().await.unwrap()),
        127 => stream.read_u64().await.unwrap(),
        length => u64::from(length),
    };
    let mut mask = [0; 4];
    stream.read_exact(&mut mask).await.unwrap();
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut payload).await.unwrap();
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    (first, payload)
}

pub async fn receive(socket: &mut NativeSocket) -> Result<Frame, Disconnect> {
    soon(poll_fn(|cx| socket.poll_receive(cx))).await
}

pub async fn send(socket: &mut NativeSocket, frame: Frame) -> Result<(), Disconnect> {
    soon(async {
        poll_fn(|cx| socket.poll_ready(cx)).await?;
        socket.send(frame)?;
        poll_fn(|cx| socket.poll_flush(cx)).await
    })
    .await
}

pub fn text(text: &str) -> Frame {
    Frame::Message(text.into())
}

pub async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: impl AsRef<[u8]>) {
    soon(stream.write_all(bytes.as_ref())).await.unwrap();
    stream.flush().await.unwrap();
}
