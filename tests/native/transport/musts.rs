//! What RFC 6455 says a client must do, by the section that says it.

use std::collections::HashSet;

use steadysocket::{CloseCode, CloseFrame, Config, Frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::*;

/// The request that a client makes.
async fn request_of(configure: impl FnOnce(Config) -> Config) -> String {
    let mut seen = String::new();
    let (socket, _) = connect_to(configure, |request| {
        seen = request.to_owned();
        accepted(request, "").into_bytes()
    })
    .await;
    socket.unwrap();
    seen
}

fn values(request: &str, name: &str) -> Vec<String> {
    let of_name = |line: &str| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    request.lines().filter_map(of_name).collect()
}

#[tokio::test]
async fn section_4_1_the_request_is_a_get_of_http_1_1() {
    let request = request_of(|config| config).await;
    assert!(request.starts_with("GET /feed?x=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n"));
    for name in ["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"] {
        assert_eq!(values(&request, name).len(), 1, "{name}");
    }
    assert_eq!(values(&request, "Upgrade"), ["websocket"]);
    assert_eq!(values(&request, "Connection"), ["Upgrade"]);
    assert_eq!(values(&request, "Sec-WebSocket-Version"), ["13"]);
    for name in ["Origin", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"] {
        assert_eq!(values(&request, name), [""; 0], "{name}");
    }
}

#[tokio::test]
async fn section_4_1_the_key_is_sixteen_random_bytes() {
    let mut keys = HashSet::new();
    for _ in 0..8 {
        let [key] = values(&request_of(|config| config).await, "Sec-WebSocket-Key").try_into().unwrap();
        // Sixteen bytes in base64: 22 characters and two of padding.
        assert!(key.len() == 24 && key.ends_with("==") && !key[..22].contains('='), "{key}");
        assert!(keys.insert(key));
    }
}

#[tokio::test]
async fn section_4_1_subprotocols_are_offered_once_each() {
    let request = request_of(|config| config.subprotocol("a").unwrap().subprotocol("b").unwrap()).await;
    assert_eq!(values(&request, "Sec-WebSocket-Protocol"), ["a, b"]);
}

#[tokio::test]
async fn section_5_3_every_frame_is_masked_with_a_fresh_key() {
    let (mut socket, mut stream) = open(|config| config).await;
    let mut masks = HashSet::new();
    for _ in 0..16 {
        send(&mut socket, text("same")).await.unwrap();
        let mut bytes = [0; 10];
        stream.read_exact(&mut bytes).await.unwrap();
        assert_eq!(bytes[..2], [TEXT, 0x84]);
        let [_, _, a, b, c, d, ref payload @ ..] = bytes;
        let unmasked: Vec<u8> = payload.iter().zip([a, b, c, d]).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(unmasked, b"same");
        masks.insert([a, b, c, d]);
    }
    assert!(masks.len() > 14, "{masks:?}");
}

#[tokio::test]
async fn section_5_2_lengths_are_minimal() {
    let (mut socket, mut stream) = open(|config| config).await;
    for (length, header) in [
        (0, vec![BINARY, 0x80]),
        (125, vec![BINARY, 0xfd]),
        (126, vec![BINARY, 0xfe, 0, 126]),
        (65_535, vec![BINARY, 0xfe, 0xff, 0xff]),
        (65_536, vec![BINARY, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        let sent = send(&mut socket, Frame::Message(vec![1; length].into()));
        let mut bytes = vec![0; header.len() + 4 + length];
        let (sent, read) = tokio::join!(sent, stream.read_exact(&mut bytes));
        sent.unwrap();
        read.unwrap();
        assert_eq!(bytes[..header.len()], header, "{length}");
    }
}

#[tokio::test]
async fn section_5_5_1_a_close_is_answered_with_its_code_and_nothing_follows() {
    let (mut socket, mut stream) = open(|config| config).await;
    write(&mut stream, frame(CLOSE, b"\x0f\xa0why")).await;
    assert_eq!(
        receive(&mut socket).await.unwrap(),
        Frame::Close(Some(CloseFrame::new(CloseCode(4000), "why")))
    );
    assert_eq!(soon(read_frame(&mut stream)).await, (CLOSE, b"\x0f\xa0why".to_vec()));
    assert!(send(&mut socket, text("late")).await.is_err());
    drop(socket);
    assert_eq!(soon(stream.read(&mut [0; 1])).await.unwrap(), 0);
}

#[tokio::test]
async fn section_5_5_2_a_pong_has_the_payload_of_its_ping() {
    let (mut socket, mut stream) = open(|config| config).await;
    for length in [0, 1, 125] {
        let payload = vec![0xff; length];
        write(&mut stream, frame(PING, &payload)).await;
        assert!(matches!(receive(&mut socket).await.unwrap(), Frame::Ping(_)));
        assert_eq!(soon(read_frame(&mut stream)).await, (PONG, payload));
    }
}

#[tokio::test]
async fn section_7_1_7_a_failed_connection_tells_why_and_ends() {
    let (mut socket, mut stream) = open(|config| config).await;
    write(&mut stream, [0xff]).await;
    assert!(receive(&mut socket).await.is_err());
    assert_eq!(soon(read_frame(&mut stream)).await, (CLOSE, vec![0x03, 0xea]));
    drop(socket);
    assert_eq!(soon(stream.read(&mut [0; 1])).await.unwrap(), 0);
    let _ = stream.shutdown().await;
}
