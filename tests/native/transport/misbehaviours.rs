//! A list of what a server may do to a handshake and to frames, right and wrong, and what RFC 6455 and RFC 9112 make
//! of each. Every entry is played to the transport in one piece and byte by byte.

use std::fmt::Write;

use steadysocket::error::{ConnectError, Disconnect, Phase};
use steadysocket::{CloseCode, Config, Frame};
use tokio::net::TcpStream;

use super::support::*;

/// How an upgrade ends.
#[derive(Debug, PartialEq)]
enum Upgrade {
    Open,
    /// It breaks HTTP or RFC 6455.
    Invalid,
    /// Another status, and where it points.
    Status(u16, Option<&'static str>),
    /// The server hung up.
    Ended,
}
use Upgrade::{Ended, Invalid, Open, Status};

type Handshake = (u32, &'static str, &'static str, fn(&str) -> Vec<u8>, Upgrade);

/// A good answer with changes.
fn changed(request: &str, change: impl FnOnce(String) -> String) -> Vec<u8> {
    change(accepted(request, "")).into_bytes()
}

fn with(request: &str, lines: &str) -> Vec<u8> {
    accepted(request, lines).into_bytes()
}

/// A good answer whose line of this name is replaced by these.
fn instead(request: &str, name: &str, lines: &str) -> Vec<u8> {
    let answer = accepted(request, "");
    let mut changed = String::new();
    for line in answer.split_inclusive("\r\n") {
        changed += if line.starts_with(name) { lines } else { line };
    }
    assert_ne!(changed, answer, "{name} is not there");
    changed.into_bytes()
}

fn status(line: &str) -> Vec<u8> {
    format!("HTTP/1.1 {line}\r\n\r\n").into_bytes()
}

const UPGRADE: &str = "Upgrade:";
const CONNECTION: &str = "Connection:";
const ACCEPT: &str = "Sec-WebSocket-Accept:";

#[rustfmt::skip]
const HANDSHAKES: &[Handshake] = &[
    (1, "RFC 6455 4.1", "status 200", |_| status("200 OK\r\nContent-Length: 0"), Status(200, None)),
    (2, "RFC 6455 4.1", "status 401", |_| status("401 Unauthorized\r\nWWW-Authenticate: Basic"), Status(401, None)),
    (3, "RFC 9110 15.4", "a redirect is named, and not followed", |_| status("301 Moved\r\nLocation: wss://b.example/ws"), Status(301, Some("wss://b.example/ws"))),
    (4, "RFC 9110 15.4", "a redirect without a target", |_| status("307 Temporary Redirect"), Status(307, None)),
    (5, "RFC 9110 15.4", "a redirect that repeats a token", |_| status("302 Found\r\nLocation: /login?token=t"), Status(302, Some("/login?***"))),
    (6, "RFC 9110 15.5.22", "426 Upgrade Required", |_| status("426 Upgrade Required\r\nUpgrade: websocket"), Status(426, None)),
    (7, "RFC 9110 15.2", "100 Continue before the answer", |r| [status("100 Continue"), with(r, "")].concat(), Open),
    (8, "RFC 8297", "103 Early Hints with headers before the answer", |r| [status("103 Early Hints\r\nLink: </a>\r\nSec-WebSocket-Accept: x"), with(r, "")].concat(), Open),
    (9, "RFC 9110 15.2", "interim answers without end", |_| status("100 Continue").repeat(1000), Invalid),
    (10, "RFC 9110 15.2", "an interim answer, then a refusal", |_| [status("102 Processing"), status("503 Busy")].concat(), Status(503, None)),
    (11, "RFC 6455 4.1", "Upgrade in another case", |r| instead(r, UPGRADE, "UPGRADE: WebSocket\r\n"), Open),
    (12, "RFC 9110 7.8", "Upgrade as a list", |r| instead(r, UPGRADE, "Upgrade: h2c,websocket\r\n"), Open),
    (13, "RFC 9110 5.3", "Upgrade in two lines", |r| instead(r, UPGRADE, "Upgrade: h2c\r\nUpgrade: websocket\r\n"), Open),
    (14, "RFC 6455 4.1", "no Upgrade", |r| instead(r, UPGRADE, ""), Invalid),
    (15, "RFC 6455 4.1", "an empty Upgrade", |r| instead(r, UPGRADE, "Upgrade:\r\n"), Invalid),
    (16, "RFC 6455 4.1", "Upgrade to something else", |r| instead(r, UPGRADE, "Upgrade: h2c\r\n"), Invalid),
    (17, "RFC 6455 4.1", "Upgrade that only begins like it", |r| instead(r, UPGRADE, "Upgrade: websocket2\r\n"), Invalid),
    (18, "RFC 9110 7.6.1", "Connection: keep-alive, Upgrade", |r| instead(r, CONNECTION, "Connection: keep-alive, Upgrade\r\n"), Open),
    (19, "RFC 9110 5.6.1", "Connection with empty members", |r| instead(r, CONNECTION, "connection: ,, uPGRADE\t,\r\n"), Open),
    (20, "RFC 9110 5.3", "Connection in two lines", |r| instead(r, CONNECTION, "Connection: keep-alive\r\nConnection: upgrade\r\n"), Open),
    (21, "RFC 6455 4.1", "no Connection", |r| instead(r, CONNECTION, ""), Invalid),
    (22, "RFC 6455 4.1", "Connection: close", |r| instead(r, CONNECTION, "Connection: close\r\n"), Invalid),
    (23, "RFC 9110 5.6.1", "Connection without a comma", |r| instead(r, CONNECTION, "Connection: keep-alive Upgrade\r\n"), Invalid),
    (24, "RFC 6455 4.1", "no Accept", |r| instead(r, ACCEPT, ""), Invalid),
    (25, "RFC 6455 4.1", "a wrong Accept", |r| instead(r, ACCEPT, "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"), Invalid),
    (26, "RFC 6455 4.1", "Accept in lower case", |r| changed(r, |a| a.replace(&accept_key(r), &accept_key(r).to_lowercase())), Invalid),
    (27, "RFC 6455 4.1", "white space around Accept", |r| changed(r, |a| a.replace(&accept_key(r), &format!("\t {} \t", accept_key(r)))), Open),
    (28, "RFC 6455 11.3.3", "the right Accept twice", |r| with(r, &format!("{ACCEPT} {}\r\n", accept_key(r))), Invalid),
    (29, "RFC 6455 11.3.3", "a wrong Accept behind the right one", |r| with(r, "Sec-WebSocket-Accept: x\r\n"), Invalid),
    (30, "RFC 6455 4.1", "the key instead of Accept", |r| instead(r, ACCEPT, &format!("{ACCEPT} {}\r\n", header(r, "Sec-WebSocket-Key").unwrap())), Invalid),
    (31, "RFC 6455 4.1", "an extension that was not offered", |r| with(r, "Sec-WebSocket-Extensions: permessage-deflate\r\n"), Invalid),
    (32, "RFC 6455 4.1", "a subprotocol that was not offered", |r| with(r, "Sec-WebSocket-Protocol: xml\r\n"), Invalid),
    (33, "RFC 6455 4.1", "a subprotocol that was offered", |r| with(r, "Sec-WebSocket-Protocol: json\r\n"), Open),
    (34, "RFC 6455 4.1", "a subprotocol in another case", |r| with(r, "Sec-WebSocket-Protocol: JSON\r\n"), Invalid),
    (35, "RFC 6455 11.3.4", "two subprotocols", |r| with(r, "Sec-WebSocket-Protocol: json\r\nSec-WebSocket-Protocol: json\r\n"), Invalid),
    (36, "RFC 6455 4.1", "no subprotocol though one was offered", |r| with(r, ""), Open),
    (37, "RFC 9112 2.3", "HTTP/1.0", |r| changed(r, |a| a.replace("HTTP/1.1", "HTTP/1.0")), Invalid),
    (38, "RFC 9112 2.3", "HTTP/2.0", |r| changed(r, |a| a.replace("HTTP/1.1", "HTTP/2.0")), Invalid),
    (39, "RFC 9112 4", "no reason phrase", |r| changed(r, |a| a.replace("101 Switching Protocols", "101 ")), Open),
    (40, "RFC 9112 4", "a status of two digits", |r| changed(r, |a| a.replace("101 Switching", "10 Switching")), Invalid),
    (41, "RFC 9112 2.2", "lines that end in a bare LF", |r| changed(r, |a| a.replace("\r\n", "\n")), Open),
    (42, "RFC 9112 2.2", "a bare CR in a value", |r| with(r, "X: a\rb\r\n"), Invalid),
    (43, "RFC 9112 5.2", "a folded line", |r| with(r, "X: a\r\n  b\r\n"), Open),
    (44, "RFC 9112 5.2", "a folded Upgrade", |r| instead(r, UPGRADE, "Upgrade:\r\n websocket\r\n"), Open),
    (45, "RFC 9112 5.1", "white space before the colon", |r| with(r, "X : a\r\n"), Invalid),
    (46, "RFC 9112 5", "a line without a colon", |r| with(r, "nothing\r\n"), Invalid),
    (47, "RFC 9110 5.5", "NUL in a value", |r| with(r, "X: a\0b\r\n"), Invalid),
    (48, "RFC 9110 5.5", "obsolete text in a value", |r| [&with(r, "X: ")[..with(r, "X: ").len() - 2], b"\xfc\xff\r\n\r\n"].concat(), Open),
    (49, "RFC 9110 5.4", "the headers that proxies add", |r| with(r, &(0..200).fold(String::new(), |mut lines, n| { let _ = write!(lines, "X-Proxy-{n}: {}\r\n", "v".repeat(200)); lines })), Open),
    (50, "RFC 9110 5.4", "more lines than anybody needs", |r| with(r, &"X: y\r\n".repeat(1000)), Invalid),
    (51, "RFC 9110 5.4", "a head of 100 KiB", |r| with(r, &format!("X: {}\r\n", "y".repeat(100 * 1024))), Invalid),
    (52, "RFC 9112 2.2", "a head without end", |_| format!("HTTP/1.1 101 {}", "y".repeat(100 * 1024)).into_bytes(), Invalid),
    (53, "RFC 9112 4", "another protocol", |_| b"220 mail.example ESMTP\r\n".to_vec(), Invalid),
    (54, "RFC 9112 4", "noise", |_| vec![0xff, 0x00, 0x80, 0x16, 0x03], Invalid),
    (55, "RFC 9112 4", "a WebSocket frame at once", |_| frame(TEXT, b"hello"), Invalid),
    (56, "RFC 9112 2.2", "an empty line first", |r| changed(r, |a| format!("\r\n{a}")), Invalid),
    (57, "RFC 9110 8.6", "Content-Length in a 101 means nothing", |r| with(r, "Content-Length: 5\r\n"), Open),
    (58, "RFC 9110 7.8", "bytes behind the head are frames", |r| [with(r, ""), frame(TEXT, b"first")].concat(), Open),
    (59, "RFC 6455 4.1", "the server hangs up at once", |_| Vec::new(), Ended),
    (60, "RFC 6455 4.1", "the server hangs up within the head", |r| { let mut head = with(r, ""); head.truncate(head.len() - 1); head }, Ended),
];

async fn play(stream: &mut TcpStream, bytes: &[u8], size: usize) {
    use tokio::io::AsyncWriteExt;
    // Trickling what is large would only take long.
    let size = if bytes.len() > 10_000 { usize::MAX } else { size };
    for piece in bytes.chunks(size) {
        // The client may have left already.
        if stream.write_all(piece).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn handshake(answer: fn(&str) -> Vec<u8>, size: usize) -> Upgrade {
    let (listener, config) = listen().await;
    let config = config.subprotocol("json").unwrap();
    let server = async {
        let mut stream = accept(&listener).await;
        let request = read_request(&mut stream).await;
        play(&mut stream, &answer(&request), size).await;
        // The end comes behind it, so that an answer which is not complete decides something.
        let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
        stream
    };
    let (outcome, _stream) = soon(async { tokio::join!(connect(config), server) }).await;
    match outcome {
        Ok(_) => Open,
        Err(ConnectError::Upgrade(_)) => Invalid,
        Err(error @ ConnectError::Status { .. }) => {
            let told = error.to_string();
            let ConnectError::Status { status, location, .. } = error else { unreachable!() };
            let location = location.map(|place| {
                assert!(told.contains(&place), "{told}");
                &*place.leak()
            });
            Status(status, location)
        }
        Err(ConnectError::Io { phase: Phase::Upgrade, .. }) => Ended,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn handshakes() {
    let mut deviations = Vec::new();
    for (at, (number, section, name, answer, expected)) in HANDSHAKES.iter().enumerate() {
        assert_eq!(*number as usize, at + 1);
        for size in [usize::MAX, 1] {
            let found = handshake(*answer, size).await;
            if found != *expected {
                deviations.push(format!("{number} ({section}) {name}: {found:?}, not {expected:?}"));
            }
        }
    }
    assert!(deviations.is_empty(), "{deviations:#?}");
}

/// What the client makes of frames.
#[derive(Debug, PartialEq)]
enum End {
    /// It closes with this code.
    Closes(u16),
    /// It is told of this close frame, and answers it.
    Closed(Option<(u16, &'static str)>),
    /// It goes on.
    Stays,
}
use End::{Closed, Closes, Stays};

/// Number, section, name, bytes, the messages that are received before the end, and the end.
type Frames = (u32, &'static str, &'static str, fn() -> Vec<u8>, &'static [&'static [u8]], End);

fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

fn bytes<const N: usize>(pieces: [&[u8]; N]) -> Vec<u8> {
    pieces.concat()
}

const FIRST_TEXT: u8 = 0x01;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;
/// The limit on messages that the cases are played under.
const LIMIT: usize = 1000;

#[rustfmt::skip]
const FRAMES: &[Frames] = &[
    (1, "5.1", "a masked text", || masked(TEXT, b"x"), &[], Closes(1002)),
    (2, "5.1", "a masked ping", || masked(PING, b""), &[], Closes(1002)),
    (3, "5.2", "RSV1 on text", || frame(0xc1, b"x"), &[], Closes(1002)),
    (4, "5.2", "RSV2 on binary", || frame(0xa2, b"x"), &[], Closes(1002)),
    (5, "5.2", "RSV3 on a ping", || frame(0x99, b""), &[], Closes(1002)),
    (6, "5.2", "RSV1 on a continuation", || bytes([&frame(FIRST_TEXT, b"a"), &frame(0xc0, b"b")]), &[], Closes(1002)),
    (7, "5.2", "opcode 3", || frame(0x83, b""), &[], Closes(1002)),
    (8, "5.2", "opcode 7", || frame(0x87, b"x"), &[], Closes(1002)),
    (9, "5.2", "opcode 11", || frame(0x8b, b""), &[], Closes(1002)),
    (10, "5.2", "opcode 15", || frame(0x8f, b"x"), &[], Closes(1002)),
    (11, "5.2", "a reserved opcode behind a good message", || bytes([&frame(TEXT, b"good"), &frame(0x83, b"")]), &[b"good"], Closes(1002)),
    (12, "5.5", "a fragmented ping", || frame(0x09, b""), &[], Closes(1002)),
    (13, "5.5", "a fragmented pong", || frame(0x0a, b""), &[], Closes(1002)),
    (14, "5.5", "a fragmented close", || frame(0x08, &[3, 232]), &[], Closes(1002)),
    (15, "5.5", "a ping of 126 bytes", || frame(PING, &[0; 126]), &[], Closes(1002)),
    (16, "5.5", "the header of a ping of 64 KiB alone", || vec![PING, 127], &[], Closes(1002)),
    (17, "5.5", "a close of 126 bytes", || frame(CLOSE, &[3; 126]), &[], Closes(1002)),
    (18, "5.5.2", "a ping of 125 bytes", || bytes([&frame(PING, &[7; 125]), &frame(TEXT, b"x")]), &[b"x"], Stays),
    (19, "5.5.3", "a pong that nobody asked for", || bytes([&frame(PONG, b"?"), &frame(TEXT, b"x")]), &[b"x"], Stays),
    (20, "5.4", "a continuation of nothing", || frame(LAST, b"x"), &[], Closes(1002)),
    (21, "5.4", "a continuation behind a whole message", || bytes([&frame(TEXT, b"a"), &frame(MORE, b"b")]), &[b"a"], Closes(1002)),
    (22, "5.4", "text within a fragmented text", || bytes([&frame(FIRST_TEXT, b"a"), &frame(TEXT, b"b")]), &[], Closes(1002)),
    (23, "5.4", "binary within a fragmented text", || bytes([&frame(FIRST_TEXT, b"a"), &frame(BINARY, b"b")]), &[], Closes(1002)),
    (24, "5.4", "control frames within a fragmented text", || bytes([&frame(FIRST_TEXT, b"a"), &frame(PING, b"!"), &frame(MORE, b"b"), &frame(PONG, b""), &frame(LAST, b"c")]), &[b"abc"], Stays),
    (25, "5.4", "empty fragments around a text", || bytes([&frame(FIRST_TEXT, b""), &frame(MORE, b""), &frame(MORE, b"x"), &frame(LAST, b"")]), &[b"x"], Stays),
    (26, "5.4", "empty fragments without end", || [frame(FIRST_TEXT, b""), frame(MORE, b"").repeat(1 << 18)].concat(), &[], Closes(1009)),
    (27, "5.2", "7 bits of length in 16", || bytes([&[TEXT, 126, 0, 1], b"x"]), &[], Closes(1002)),
    (28, "5.2", "7 bits of length in 64", || bytes([&[BINARY, 127, 0, 0, 0, 0, 0, 0, 0, 1], b"x"]), &[], Closes(1002)),
    (29, "5.2", "16 bits of length in 64", || bytes([&[BINARY, 127, 0, 0, 0, 0, 0, 0, 2, 0], &[0; 512]]), &[], Closes(1002)),
    (30, "5.2", "a length with its top bit set", || vec![BINARY, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], &[], Closes(1002)),
    (31, "10.4", "a frame over the limit, by its header", || vec![BINARY, 126, 0x03, 0xe9], &[], Closes(1009)),
    (32, "10.4", "a frame of 2⁶³-1 bytes", || vec![BINARY, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255], &[], Closes(1009)),
    (33, "10.4", "a message over the limit in fragments", || bytes([&frame(0x02, &[0; 600]), &frame(MORE, &[0; 600])]), &[], Closes(1009)),
    (34, "10.4", "a message at the limit", || frame(TEXT, &[b'x'; LIMIT]), &[&[b'x'; LIMIT]], Stays),
    (35, "8.1", "a byte that is never UTF-8", || frame(TEXT, b"\xff"), &[], Closes(1007)),
    (36, "8.1", "an overlong character", || frame(TEXT, b"\xc0\x80"), &[], Closes(1007)),
    (37, "8.1", "half a surrogate pair", || frame(TEXT, b"\xed\xa0\x80"), &[], Closes(1007)),
    (38, "8.1", "beyond U+10FFFF", || frame(TEXT, b"\xf4\x90\x80\x80"), &[], Closes(1007)),
    (39, "8.1", "a text that ends within a character", || frame(TEXT, b"a\xe2\x82"), &[], Closes(1007)),
    (40, "5.6", "a character split between fragments", || bytes([&frame(FIRST_TEXT, b"\xe2"), &frame(MORE, b"\x82"), &frame(LAST, b"\xac")]), &["€".as_bytes()], Stays),
    (41, "8.1", "a wrong character split between fragments", || bytes([&frame(FIRST_TEXT, b"\xe2"), &frame(LAST, b"x")]), &[], Closes(1007)),
    (42, "8.1", "a wrong fragment of a message that goes on", || bytes([&frame(FIRST_TEXT, b"good"), &frame(MORE, b"\xff")]), &[], Closes(1007)),
    (43, "8.1", "a wrong byte in a frame that goes on", || bytes([&[TEXT, 100], b"good\xff"]), &[], Closes(1007)),
    (44, "5.6", "binary is not text", || frame(BINARY, b"\xff\xfe"), &[b"\xff\xfe"], Stays),
    (45, "5.5.1", "a close without a code", || frame(CLOSE, b""), &[], Closed(None)),
    (46, "5.5.1", "a close with a code and a reason", || frame(CLOSE, b"\x03\xe8bye"), &[], Closed(Some((1000, "bye")))),
    (47, "5.5.1", "a close with half a code", || frame(CLOSE, b"\x03"), &[], Closes(1002)),
    (48, "5.5.1", "a reason that is not UTF-8", || frame(CLOSE, b"\x03\xe8\xff"), &[], Closes(1007)),
    (49, "7.4.1", "close 0", || close_frame(0), &[], Closes(1002)),
    (50, "7.4.2", "close 999", || close_frame(999), &[], Closes(1002)),
    (51, "7.4.1", "close 1004", || close_frame(1004), &[], Closes(1002)),
    (52, "7.4.1", "close 1005", || close_frame(1005), &[], Closes(1002)),
    (53, "7.4.1", "close 1006", || close_frame(1006), &[], Closes(1002)),
    (54, "7.4.1", "close 1015", || close_frame(1015), &[], Closes(1002)),
    (55, "7.4.2", "close 1016", || close_frame(1016), &[], Closes(1002)),
    (56, "7.4.2", "close 2000", || close_frame(2000), &[], Closes(1002)),
    (57, "7.4.2", "close 2999", || close_frame(2999), &[], Closes(1002)),
    (58, "7.4.2", "close 5000", || close_frame(5000), &[], Closes(1002)),
    (59, "7.4.2", "close 65535", || close_frame(65535), &[], Closes(1002)),
    (60, "7.4.1", "close 1001", || close_frame(1001), &[], Closed(Some((1001, "")))),
    (61, "IANA", "close 1012", || close_frame(1012), &[], Closed(Some((1012, "")))),
    (62, "IANA", "close 1013", || close_frame(1013), &[], Closed(Some((1013, "")))),
    (63, "IANA", "close 1014 with a reason", || frame(CLOSE, b"\x03\xf6gateway"), &[], Closed(Some((1014, "gateway")))),
    (64, "7.4.2", "close 3000", || close_frame(3000), &[], Closed(Some((3000, "")))),
    (65, "7.4.2", "close 4999", || close_frame(4999), &[], Closed(Some((4999, "")))),
    (66, "5.5.1", "data behind a close means nothing", || bytes([&close_frame(1000), &frame(TEXT, b"late")]), &[], Closed(Some((1000, "")))),
    (67, "5.5.1", "a broken frame behind a close means nothing", || bytes([&close_frame(1000), &[0xff; 20]]), &[], Closed(Some((1000, "")))),
    (68, "5.5.1", "a second close means nothing", || bytes([&close_frame(1000), &close_frame(1005)]), &[], Closed(Some((1000, "")))),
    (69, "5.5.1", "a close within a fragmented message", || bytes([&frame(FIRST_TEXT, b"a"), &close_frame(1001)]), &[], Closed(Some((1001, "")))),
    (70, "5.6", "an empty text", || frame(TEXT, b""), &[b""], Stays),
];

async fn frames_end(
    mut stream: TcpStream,
    mut socket: steadysocket::platform::native::NativeSocket,
    bytes: &[u8],
    size: usize,
) -> (Vec<Vec<u8>>, End) {
    let mut messages = Vec::new();
    let read = async {
        loop {
            match receive(&mut socket).await {
                Ok(Frame::Message(message)) => messages.push(message.as_bytes().to_vec()),
                Ok(Frame::Ping(_) | Frame::Pong(_)) => {}
                Ok(Frame::Close(frame)) => break Ok(frame),
                Err(reason) => break Err(reason),
            }
            if messages.last().is_some_and(|last| last == MARK) {
                messages.pop();
                break Err(Disconnect::Requested);
            }
        }
    };
    let serve = async {
        // A good message behind it shows that the connection lives.
        play(&mut stream, bytes, size).await;
        play(&mut stream, &frame(BINARY, MARK), size).await;
        stream
    };
    let (end, mut stream) = soon(async { tokio::join!(read, serve) }).await;
    let end = match end {
        Ok(frame) => {
            let told = frame.clone().map(|frame| (frame.code.0, &*frame.reason.leak()));
            let answer = close_from(&mut stream).await;
            // tungstenite does not know 1014 and answers it with 1002.
            assert!(
                answer == frame.as_ref().map(|frame| frame.code)
                    || told.is_some_and(|(code, _)| code == 1014)
            );
            Closed(told)
        }
        Err(Disconnect::Requested) => Stays,
        Err(Disconnect::Violation { code, .. }) => {
            assert_eq!(close_from(&mut stream).await, Some(code));
            Closes(code.0)
        }
        Err(reason) => panic!("{reason:?}"),
    };
    (messages, end)
}

const MARK: &[u8] = b"still here";

/// The code of the client's close frame, which pongs may precede.
async fn close_from(stream: &mut TcpStream) -> Option<CloseCode> {
    loop {
        match soon(read_frame(stream)).await {
            (CLOSE, payload) => {
                return payload.get(..2).map(|code| CloseCode(u16::from_be_bytes([code[0], code[1]])));
            }
            (PONG, _) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn frames() {
    let mut deviations = Vec::new();
    for (at, (number, section, name, bytes, messages, expected)) in FRAMES.iter().enumerate() {
        assert_eq!(*number as usize, at + 1);
        let bytes = bytes();
        for size in [usize::MAX, 1] {
            let (socket, stream) = open(|config: Config| config.max_message(LIMIT)).await;
            let found = frames_end(stream, socket, &bytes, size).await;
            if (&found.0[..], &found.1)
                != (&messages.iter().map(|m| m.to_vec()).collect::<Vec<_>>()[..], expected)
            {
                deviations.push(format!("{number} (RFC 6455 {section}) {name}: {found:?}, not {expected:?}"));
            }
        }
    }
    assert!(deviations.is_empty(), "{deviations:#?}");
}
