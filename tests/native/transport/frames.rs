//! Frames both ways, and what ends a connection.

use bytes::Bytes;
use futures::future::join;
use steadysocket::error::Disconnect;
use steadysocket::{CloseCode, CloseFrame, Config, Frame, Message};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::support::*;

/// What ends a connection on which the server sends these bytes, and the server's end.
async fn ends(configure: impl FnOnce(Config) -> Config, bytes: Vec<u8>) -> (Disconnect, TcpStream) {
    let (mut socket, mut stream) = open(configure).await;
    write(&mut stream, bytes).await;
    loop {
        if let Err(reason) = receive(&mut socket).await {
            return (reason, stream);
        }
    }
}

async fn assert_violation(configure: impl FnOnce(Config) -> Config, bytes: Vec<u8>, expected: CloseCode) {
    let shown = format!("{:02x?}", &bytes[..bytes.len().min(16)]);
    let (reason, mut stream) = ends(configure, bytes).await;
    let Disconnect::Violation { code, problem } = reason else { panic!("{shown}: {reason:?}") };
    assert_eq!(code, expected, "{shown}: {problem}");
    let (first, payload) = soon(read_frame(&mut stream)).await;
    assert_eq!((first, &payload[..2]), (CLOSE, &expected.0.to_be_bytes()[..]), "{shown}");
}

#[tokio::test]
async fn frames_of_every_kind_go_both_ways() {
    let (mut socket, mut stream) = open(|config| config).await;
    let large = vec![7; 100_000];
    for bytes in [frame(TEXT, "grüß".as_bytes()), frame(BINARY, &large), frame(PONG, b"p")] {
        write(&mut stream, bytes).await;
    }
    assert_eq!(receive(&mut socket).await.unwrap(), text("grüß"));
    assert_eq!(receive(&mut socket).await.unwrap(), Frame::Message(large.clone().into()));
    assert_eq!(receive(&mut socket).await.unwrap(), Frame::Pong(Bytes::from_static(b"p")));

    let (sent, ()) = join(
        async {
            send(&mut socket, text("grüß")).await?;
            send(&mut socket, Frame::Message(large.clone().into())).await?;
            send(&mut socket, Frame::Ping(Bytes::from_static(b"?"))).await?;
            send(&mut socket, Frame::Pong(Bytes::from_static(b"!"))).await
        },
        async {
            assert_eq!(read_frame(&mut stream).await, (TEXT, "grüß".into()));
            assert_eq!(read_frame(&mut stream).await, (BINARY, large.clone()));
            assert_eq!(read_frame(&mut stream).await, (PING, b"?".into()));
            assert_eq!(read_frame(&mut stream).await, (PONG, b"!".into()));
        },
    )
    .await;
    sent.unwrap();
}

#[tokio::test]
async fn fragments_are_joined_around_control_frames() {
    let (mut socket, mut stream) = open(|config| config).await;
    let pieces = [frame(0x01, &[0xc3]), frame(PONG, b""), frame(0x00, &[0xbc]), frame(0x80, b"!")];
    write(&mut stream, pieces.concat()).await;
    assert_eq!(receive(&mut socket).await.unwrap(), Frame::Pong(Bytes::new()));
    assert_eq!(receive(&mut socket).await.unwrap(), text("ü!"));
}

#[tokio::test]
async fn trickled_bytes_make_the_same_frames() {
    let (mut socket, mut stream) = open(|config| config).await;
    let bytes = [frame(TEXT, b"one"), frame(BINARY, &[0; 300]), close_frame(1000)].concat();
    let trickle = async {
        for byte in bytes {
            write(&mut stream, [byte]).await;
            tokio::task::yield_now().await;
        }
    };
    let (frames, ()) = join(
        async { [receive(&mut socket).await, receive(&mut socket).await, receive(&mut socket).await] },
        trickle,
    )
    .await;
    let [one, two, three] = frames.map(Result::unwrap);
    assert_eq!(one, text("one"));
    assert_eq!(two, Frame::Message(Message::from(vec![0; 300])));
    assert_eq!(three, Frame::Close(Some(CloseFrame::new(CloseCode::NORMAL, ""))));
}

#[tokio::test]
async fn pings_are_answered_while_the_user_only_receives() {
    let (mut socket, mut stream) = open(|config| config).await;
    for payload in [&b"a"[..], b"", &[9; 125]] {
        write(&mut stream, frame(PING, payload)).await;
        assert_eq!(receive(&mut socket).await.unwrap(), Frame::Ping(Bytes::copy_from_slice(payload)));
        // The answer leaves while the next frame is awaited.
        tokio::select! {
            biased;
            ended = receive(&mut socket) => panic!("{ended:?}"),
            answer = soon(read_frame(&mut stream)) => assert_eq!(answer, (PONG, payload.to_vec())),
        }
    }
}

#[tokio::test]
async fn the_servers_close_is_answered_and_told() {
    for (bytes, expected) in [
        (frame(CLOSE, b""), None),
        (close_frame(1000), Some(CloseFrame::new(CloseCode::NORMAL, ""))),
        (frame(CLOSE, b"\x03\xf0full"), Some(CloseFrame::new(CloseCode::POLICY_VIOLATION, "full"))),
        // A peer that complains in the words that tungstenite puts in place of an illegal code.
        (
            frame(CLOSE, b"\x03\xeaProtocol violation"),
            Some(CloseFrame::new(CloseCode::PROTOCOL_ERROR, "Protocol violation")),
        ),
        (close_frame(4321), Some(CloseFrame::new(CloseCode(4321), ""))),
    ] {
        let (mut socket, mut stream) = open(|config| config).await;
        write(&mut stream, &bytes).await;
        assert_eq!(receive(&mut socket).await.unwrap(), Frame::Close(expected.clone()));
        assert_eq!(soon(read_frame(&mut stream)).await, (CLOSE, bytes[2..].to_vec()));
        assert_eq!(send(&mut socket, Frame::Close(None)).await, Ok(()), "answering again");
        drop(stream);
        assert_eq!(receive(&mut socket).await, Err(Disconnect::Closed(expected)));
    }
}

#[tokio::test]
async fn a_bad_gateway_is_told_as_such() {
    let (mut socket, mut stream) = open(|config| config).await;
    write(&mut stream, [frame(TEXT, b"last words"), close_frame(1014)].concat()).await;
    assert_eq!(receive(&mut socket).await.unwrap(), text("last words"));
    let expected = Frame::Close(Some(CloseFrame::new(CloseCode(1014), "")));
    assert_eq!(receive(&mut socket).await.unwrap(), expected);

    // The same with the frame glued to the upgrade.
    let glue = |request: &str| [accepted(request, "").into_bytes(), close_frame(1014)].concat();
    let (socket, _stream) = connect_to(|config| config, glue).await;
    assert_eq!(receive(&mut socket.unwrap()).await.unwrap(), expected);
}

#[tokio::test]
async fn our_close_is_sent_and_its_answer_told() {
    let (mut socket, mut stream) = open(|config| config).await;
    let bye = CloseFrame::new(CloseCode::NORMAL, "bye");
    send(&mut socket, Frame::Close(Some(bye.clone()))).await.unwrap();
    assert_eq!(soon(read_frame(&mut stream)).await, (CLOSE, b"\x03\xe8bye".to_vec()));
    // What was on its way still arrives.
    write(&mut stream, [frame(TEXT, b"late"), frame(CLOSE, b"\x03\xe8bye")].concat()).await;
    assert_eq!(receive(&mut socket).await.unwrap(), text("late"));
    assert_eq!(receive(&mut socket).await.unwrap(), Frame::Close(Some(bye)));
}

#[tokio::test]
async fn an_overlong_close_reason_is_cut() {
    let (mut socket, mut stream) = open(|config| config).await;
    let frame = CloseFrame { code: CloseCode::NORMAL, reason: "x".repeat(200) };
    send(&mut socket, Frame::Close(Some(frame))).await.unwrap();
    assert_eq!(soon(read_frame(&mut stream)).await.1.len(), 125);
}

#[tokio::test]
async fn an_end_without_a_close_frame_is_a_drop() {
    for bytes in [vec![], frame(TEXT, b"x"), vec![TEXT], vec![TEXT, 5, b'h']] {
        let (mut socket, mut stream) = open(|config| config).await;
        write(&mut stream, &bytes).await;
        drop(stream);
        let reason = loop {
            if let Err(reason) = receive(&mut socket).await {
                break reason;
            }
        };
        assert!(matches!(reason, Disconnect::Dropped(_)), "{bytes:?}: {reason:?}");
    }
}

#[tokio::test]
async fn close_codes_that_must_not_travel_are_violations() {
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, u16::MAX] {
        assert_violation(|config| config, close_frame(code), CloseCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn an_illegal_code_in_the_answer_to_our_close_is_a_violation() {
    let (mut socket, mut stream) = open(|config| config).await;
    send(&mut socket, Frame::Close(None)).await.unwrap();
    write(&mut stream, close_frame(1005)).await;
    let reason = receive(&mut socket).await.unwrap_err();
    assert!(matches!(reason, Disconnect::Violation { code: CloseCode::PROTOCOL_ERROR, .. }), "{reason:?}");
}

#[tokio::test]
async fn broken_frames_are_violations() {
    let mut masked = vec![TEXT, 0x81, 1, 2, 3, 4];
    masked.push(b'x' ^ 1);
    for bytes in [
        masked,
        frame(0xc1, b"reserved bit"),
        frame(0x83, b"reserved opcode"),
        frame(0x8b, b"reserved control opcode"),
        frame(0x09, b"fragmented ping"),
        frame(PING, &[0; 126]),
        frame(0x80, b"nothing to continue"),
        [frame(0x01, b"first"), frame(TEXT, b"not a continuation")].concat(),
        frame(CLOSE, b"1"),
    ] {
        assert_violation(|config| config, bytes, CloseCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_is_a_violation() {
    for bytes in [
        frame(TEXT, b"\xff"),
        frame(TEXT, b"\xed\xa0\x80"),
        [frame(0x01, b"\xc3"), frame(0x80, b"x")].concat(),
        frame(CLOSE, b"\x03\xe8\xff"),
    ] {
        assert_violation(|config| config, bytes, CloseCode::INVALID_DATA).await;
    }
}

#[tokio::test]
async fn messages_over_the_limit_are_violations() {
    let limit = |config: Config| config.max_message(1000);
    let (mut socket, mut stream) = open(limit).await;
    write(&mut stream, frame(BINARY, &[0; 1000])).await;
    assert_eq!(receive(&mut socket).await.unwrap(), Frame::Message(vec![0; 1000].into()));

    let claims_much = [&[BINARY, 127][..], &(u64::MAX >> 1).to_be_bytes()].concat();
    for bytes in [
        frame(BINARY, &[0; 1001]),
        [frame(0x02, &[0; 600]), frame(0x80, &[0; 600])].concat(),
        [frame(0x01, &[b'x'; 600]), frame(0x80, &[b'x'; 600])].concat(),
        claims_much,
    ] {
        assert_violation(limit, bytes, CloseCode::TOO_BIG).await;
    }
}

#[tokio::test]
async fn dropping_the_socket_closes_the_connection() {
    let (socket, mut stream) = open(|config| config).await;
    drop(socket);
    assert_eq!(soon(stream.read(&mut [0; 16])).await.unwrap(), 0);
}
