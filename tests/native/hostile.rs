//! Servers that do what no exchange would, and what a network may do to a good one.

use futures::SinkExt;
use serde_json::{Value, json};
use steadysocket::config::{Heartbeat, OutboundLimit, Overflow, Queue};
use steadysocket::error::{Disconnect, Ended, Error, NotSent, OpeningError, Refusal, Unknown};
use steadysocket::{CloseCode, Event, Native, Update};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

/// The server's end of a subscribed connection, and the client's stream.
async fn subscribed(
    venue: &Venue,
    config: steadysocket::Config,
    queue: Queue,
) -> (Peer, steadysocket::Client, Raw) {
    let client = steadysocket::start(config, deribit(), Native::new()).unwrap();
    let server = async {
        let mut peer = venue.welcome().await;
        let request = peer.serve_until("public/subscribe").await;
        peer.answer(&request).await;
        peer
    };
    let (peer, stream) = futures::join!(server, soon(client.subscribe_with("data", queue)));
    (peer, client, stream.unwrap())
}

#[tokio::test]
async fn a_server_that_stops_reading_is_given_up_while_it_still_talks() {
    let venue = Venue::new().await;
    let heartbeat = Heartbeat { idle: millis(400), timeout: millis(200) };
    let outbound = OutboundLimit { messages: 64, ..OutboundLimit::default() };
    let config = venue.config().heartbeat(Some(heartbeat)).outbound(outbound);
    let (mut peer, client, mut stream) = subscribed(&venue, config, Queue::default()).await;
    let mut events = client.events();
    // Far more than all the socket's buffers take.
    let large = json!({ "text": "x".repeat(30_000) });
    let push = || async {
        let mut full = 0;
        while client.stats().connections < 2 {
            match client.notify("public/hello", &large).await {
                Ok(()) => {}
                Err(Error::NotSent(NotSent::QueueFull)) => full += 1,
                Err(Error::NotSent(NotSent::Disconnected(Disconnect::Stalled(_)))) => break,
                other => panic!("{other:?}"),
            }
            tokio::time::sleep(millis(2)).await;
        }
        full
    };
    // It never reads again, and is never silent.
    let talk = async {
        loop {
            if peer.0.send(notification("data", &json!(1))).await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(millis(20)).await;
        }
    };
    let next_server = async {
        let mut peer = venue.welcome().await;
        peer.serve().await;
    };
    let check = async {
        let call = client.call::<Value>("echo", json!({}));
        let pushed = futures::future::join_all((0..200).map(|_| push()));
        let (outcome, pushed) = futures::join!(call, pushed);
        assert!(
            matches!(outcome, Err(Error::Unknown(Unknown::Disconnected(Disconnect::Stalled(_))))),
            "{outcome:?}"
        );
        assert!(pushed.iter().sum::<usize>() > 0, "the bound of the queue was never met");
        let reason = disconnected(&mut events).await;
        assert!(matches!(reason, Disconnect::Stalled(_)), "{reason:?}");
        interrupted(&mut stream).await;
        assert_eq!(next(&mut stream).await, Update::Resumed);
        let _: Value = client.call("echo", json!({})).await.unwrap();
    };
    soon(async {
        tokio::select! {
            () = check => {}
            () = talk => {}
            () = next_server => {}
        }
    })
    .await;
}

#[tokio::test]
async fn a_slow_consumer_of_a_flood_delays_nobody() {
    const FLOOD: u64 = 60_000;
    let venue = Venue::new().await;
    let queue = Queue { capacity: 100, overflow: Overflow::DropOldest, ..Queue::default() };
    let (mut peer, client, mut stream) = subscribed(&venue, venue.config(), queue).await;
    let flood = async {
        let test = json!({ "jsonrpc": "2.0", "method": "heartbeat", "params": { "type": "test_request" } });
        for number in 1..=FLOOD {
            peer.0.feed(notification("data", &json!(number))).await.unwrap();
            if number % 2_000 == 0 {
                peer.0.feed(Message::text(test.to_string())).await.unwrap();
                peer.0.flush().await.unwrap();
                // No more data until it has answered; calls are answered on the way.
                peer.serve_until("public/test").await;
            }
        }
        peer.serve_until("public/hello").await
    };
    let calls = async {
        for _ in 0..100 {
            let _: Value = client.call("echo", json!({})).await.unwrap();
        }
        client.notify("public/hello", json!({ "done": true })).await.unwrap();
    };
    soon(async { futures::join!(flood, calls) }).await;
    // A call is answered behind all the data.
    let last = async {
        let _: Value = client.call("echo", json!({})).await.unwrap();
    };
    let serve = async {
        let request = peer.serve_until("echo").await;
        peer.answer(&request).await;
    };
    soon(async { futures::join!(last, serve) }).await;
    assert!(stream.waiting() <= 100);
    let (mut read, mut lost) = (0, 0);
    while read + lost < FLOOD {
        match next(&mut stream).await {
            Update::Data(payload) => {
                read += 1;
                assert_eq!(payload.decode::<u64>().unwrap(), read + lost, "nothing is lost in silence");
            }
            Update::Lagged(count) => lost += count,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((stream.dropped(), stream.waiting()), (lost, 0));
    assert!(lost > 0);
    assert_eq!(client.stats().connections, 1);
}

#[tokio::test]
async fn floods_that_nobody_reads_stay_within_their_bounds() {
    let venue = Venue::new().await;
    let config =
        venue.config().queue(Queue { capacity: 50, overflow: Overflow::DropOldest, ..Queue::default() });
    let client = steadysocket::start(config, deribit(), Native::new()).unwrap();
    let (events, messages) = (client.events(), client.messages());
    let queues = [
        Queue { capacity: 10, overflow: Overflow::DropOldest, ..Queue::default() },
        Queue { capacity: 10, overflow: Overflow::DropNewest, ..Queue::default() },
        Queue { capacity: 10, overflow: Overflow::Latest, ..Queue::default() },
        Queue { capacity: 10, overflow: Overflow::Close, ..Queue::default() },
    ];
    let subscribe =
        futures::future::join_all(queues.map(|queue| client.subscribe_with::<u64>("data", queue)));
    let server = async {
        let mut peer = venue.welcome().await;
        let request = peer.serve_until("public/subscribe").await;
        peer.answer(&request).await;
        peer
    };
    let (mut peer, streams) = soon(async { futures::join!(server, subscribe) }).await;
    let mut streams: Vec<_> = streams.into_iter().map(Result::unwrap).collect();
    for number in 0..5_000 {
        peer.0.feed(notification("data", &json!(number))).await.unwrap();
        peer.0.feed(notification("nobodys", &json!(number))).await.unwrap();
        peer.0.feed(Message::text("no JSON")).await.unwrap();
        let stranger = json!({ "id": 1_u64 << 40 });
        peer.0.feed(reply(&stranger, &json!(number))).await.unwrap();
    }
    let call = async {
        let _: Value = client.call("echo", json!({})).await.unwrap();
    };
    let serve = async {
        peer.0.flush().await.unwrap();
        let request = peer.serve_until("echo").await;
        peer.answer(&request).await;
        peer
    };
    let (_peer, ()) = soon(async { futures::join!(serve, call) }).await;
    assert_eq!(streams.iter().map(|stream| stream.waiting()).collect::<Vec<_>>(), [10, 10, 1, 10]);
    assert_eq!(streams.iter().map(|stream| stream.dropped()).collect::<Vec<_>>(), [4_990, 4_990, 4_999, 1]);
    assert!(messages.dropped() >= 4_950 && events.dropped() >= 5_000);
    assert_eq!(next(&mut streams[0]).await, Update::Lagged(4_990));
    assert_eq!(next(&mut streams[0]).await, Update::Data(4_990));
    assert_eq!(next(&mut streams[1]).await, Update::Data(0));
    assert_eq!(next(&mut streams[2]).await, Update::Data(4_999));
    for number in 0..10 {
        assert_eq!(next(&mut streams[3]).await, Update::Data(number));
    }
    assert_eq!(next(&mut streams[3]).await, Update::Overflowed);
    assert_eq!(soon(streams[3].next()).await, None);
}

#[tokio::test]
async fn a_reply_that_comes_right_before_the_close_counts() {
    let venue = Venue::new().await;
    let client = steadysocket::start(venue.config(), deribit(), Native::new()).unwrap();
    let mut events = client.events();
    for round in 0..20 {
        let server = async {
            let mut peer = venue.welcome().await;
            let request = peer.serve_until("echo").await;
            peer.0.feed(answer(&request)).await.unwrap();
            if round % 2 == 0 {
                peer.0.close(None).await.unwrap();
            } else {
                peer.0.flush().await.unwrap();
            }
        };
        let params = json!({ "round": round });
        let call = client.call::<Value>("echo", &params);
        let (echo, ()) = soon(async { futures::join!(call, server) }).await;
        assert_eq!(echo.unwrap(), params);
        disconnected(&mut events).await;
    }
}

#[tokio::test]
async fn a_reply_in_many_pieces_is_one() {
    let venue = Venue::new().await;
    let client = steadysocket::start(venue.config(), deribit(), Native::new()).unwrap();
    let server = async {
        let mut peer = venue.welcome().await;
        let request = peer.serve_until("echo").await;
        let text = answer(&request).into_data();
        let tcp = peer.0.get_mut();
        let third = text.len() / 3;
        for (index, part) in [&text[..third], &text[third..2 * third], &text[2 * third..]].iter().enumerate()
        {
            // Three fragments, with a ping between them.
            let first = [0x01, 0x00, 0x80][index];
            let mut frame = vec![first, 126];
            frame.extend((part.len() as u16).to_be_bytes());
            frame.extend_from_slice(part);
            frame.extend([0x89, 0]);
            for byte in frame {
                tcp.write_all(&[byte]).await.unwrap();
                tcp.flush().await.unwrap();
                tokio::task::yield_now().await;
            }
        }
        peer
    };
    let params = json!({ "text": "é".repeat(300) });
    let (_peer, echo) = soon(async { futures::join!(server, client.call::<Value>("echo", &params)) }).await;
    assert_eq!(echo.unwrap(), params);
}

#[tokio::test]
async fn sixteen_mebibytes_are_the_limit() {
    let venue = Venue::new().await;
    let (mut peer, client, mut stream) = subscribed(&venue, venue.config(), Queue::default()).await;
    const LIMIT: usize = 16 * 1024 * 1024;
    let around = notification("data", &json!("")).len();
    let server = async {
        peer.send(notification("data", &json!("x".repeat(LIMIT - around)))).await;
        // One byte more is refused by its header.
        let mut header = vec![0x81, 127];
        header.extend((LIMIT as u64 + 1).to_be_bytes());
        peer.0.get_mut().write_all(&header).await.unwrap();
        let mut next = venue.welcome().await;
        next.serve().await;
    };
    let check = async {
        assert_eq!(only_data(&mut stream).await.as_bytes().len(), LIMIT - around + 2);
        let reason = interrupted(&mut stream).await;
        let Disconnect::Violation { code, .. } = reason else { panic!("{reason:?}") };
        assert_eq!(code, CloseCode::TOO_BIG);
        assert_eq!(next(&mut stream).await, Update::Resumed);
        client.close().await;
    };
    soon(async { futures::join!(server, check) }).await;
}

#[tokio::test]
async fn broken_frames_and_illegal_closes_end_one_connection() {
    let venue = Venue::new().await;
    let client = steadysocket::start(venue.config(), deribit(), Native::new()).unwrap();
    let mut events = client.events();
    let cases: [(&[u8], bool); 8] = [
        (&[0x88, 2, 0, 0], true),
        (&[0x88, 2, 3, 0xed], true),
        (&[0x88, 2, 3, 0xee], true),
        (&[0x88, 1, 3], true),
        (&[0xf1, 1, b'x'], true),
        (&[0x81, 2, 0xff, 0xff], true),
        (&[0x81, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9], true),
        // In the middle of a frame the server dies.
        (&[0x81, 100, b'{'], false),
    ];
    for (bytes, violates) in cases {
        let mut peer = venue.welcome().await;
        soon(client.ready()).await.unwrap();
        peer.0.get_mut().write_all(bytes).await.unwrap();
        peer.0.get_mut().shutdown().await.unwrap();
        let reason = disconnected(&mut events).await;
        let as_expected = match reason {
            Disconnect::Violation { .. } => violates,
            Disconnect::Dropped(_) => !violates,
            _ => false,
        };
        assert!(as_expected, "{bytes:x?}: {reason:?}");
    }
    venue.welcome().await;
}

#[tokio::test]
async fn a_restore_that_is_answered_partly_or_oddly() {
    let venue = Venue::new().await;
    let client = steadysocket::start(venue.config(), deribit(), Native::new()).unwrap();
    let names = ["a", "b", "c"];
    let streams = futures::future::try_join_all(names.map(|name| client.subscribe(name)));
    let server = async {
        let mut peer = venue.welcome().await;
        let request = peer.serve_until("public/subscribe").await;
        peer.answer(&request).await;
        peer
    };
    let (peer, streams) = soon(async { futures::join!(server, streams) }).await;
    let [mut a, mut b, mut c]: [Raw; 3] = streams.unwrap().try_into().unwrap();
    drop(peer);
    let server = async {
        let mut peer = venue.welcome().await;
        let request = peer.serve_until("public/subscribe").await;
        // Twice, and one that nobody asked for.
        peer.send(reply(&request, &json!(["c", "a", "c", "stranger"]))).await;
        peer.send(notification("stranger", &json!(1))).await;
        peer.send(notification("c", &json!(2))).await;
        // The refused one is asked for again by itself.
        let again = peer.serve_until("public/subscribe").await;
        assert_eq!(again["params"]["channels"], json!(["b"]));
        peer.answer(&again).await;
        peer.send(notification("b", &json!(3))).await;
        peer
    };
    let check = async {
        for stream in [&mut a, &mut b, &mut c] {
            interrupted(stream).await;
        }
        assert_eq!(next(&mut a).await, Update::Resumed);
        assert_eq!(resumed(&mut c).await.as_str(), Some("2"));
        assert_eq!(next(&mut b).await, Update::Refused(Refusal::NotConfirmed));
        assert_eq!(resumed(&mut b).await.as_str(), Some("3"));
    };
    soon(async { futures::join!(server, check) }).await;
}

#[tokio::test]
async fn an_opening_that_fails_is_tried_again_on_a_new_connection() {
    let venue = Venue::new().await;
    let config = venue.config().call_timeout(millis(1000)).retry_initial_connect(true);
    let client = steadysocket::start(config, deribit(), Native::new()).unwrap();
    let mut events = client.events();
    // Not answered.
    let mut silent = venue.accept().await;
    assert_eq!(silent.request().await["method"], "public/hello");
    let reason = disconnected(&mut events).await;
    let method = "public/hello".to_owned();
    assert_eq!(reason, Disconnect::Opening(OpeningError::TimedOut { method }));
    // Refused.
    let mut peer = venue.accept().await;
    let heartbeat = peer.serve_until("public/set_heartbeat").await;
    let error = json!({ "code": 11051, "message": "system_maintenance" });
    let text = json!({ "jsonrpc": "2.0", "id": heartbeat["id"], "error": error }).to_string();
    peer.send(Message::text(text)).await;
    let (reason, ()) = soon(async { futures::join!(disconnected(&mut events), peer.serve()) }).await;
    let Disconnect::Opening(OpeningError::Rejected { method, error }) = reason else { panic!("{reason:?}") };
    assert_eq!((&*method, error.code), ("public/set_heartbeat", 11051));
    // Cut.
    drop(venue.accept().await);
    disconnected(&mut events).await;
    let _peer = venue.welcome().await;
    soon(client.ready()).await.unwrap();
}

#[tokio::test]
async fn a_first_connection_that_fails_in_its_opening_says_why() {
    let venue = Venue::new().await;
    let server = async {
        let mut peer = venue.accept().await;
        let hello = peer.request().await;
        let error =
            json!({ "code": 11056, "message": "unauthenticated_public_requests_temporarily_disabled" });
        let text = json!({ "jsonrpc": "2.0", "id": hello["id"], "error": error }).to_string();
        peer.send(Message::text(text)).await;
        peer.serve().await;
    };
    let (outcome, ()) = soon(async { futures::join!(connect_to(venue.config()), server) }).await;
    let ended = ended(outcome);
    let Ended::Refused(Disconnect::Opening(OpeningError::Rejected { error, .. })) = ended else {
        panic!("{ended:?}")
    };
    assert_eq!(error.code, 11056);
}

#[tokio::test]
async fn a_subscription_whose_answer_is_lost_does_not_go_on_in_secret() {
    let venue = Venue::new().await;
    let client =
        steadysocket::start(venue.config().call_timeout(millis(1000)), deribit(), Native::new()).unwrap();
    let server = async {
        let mut peer = venue.welcome().await;
        peer.serve_until("public/subscribe").await;
        // It is subscribed, and the answer never comes.
        let undone = peer.request().await;
        assert_eq!(
            (&undone["method"], &undone["params"]["channels"]),
            (&json!("public/unsubscribe"), &json!(["data"]))
        );
        peer.answer(&undone).await;
        peer.serve_until("public/subscribe").await
    };
    let subscribe = async {
        let outcome = client.subscribe("data").await;
        assert!(matches!(outcome, Err(Error::Refused { reason: Refusal::TimedOut, .. })), "{outcome:?}");
        let _ = client.subscribe("data").await;
    };
    soon(async {
        tokio::select! {
            _ = server => {}
            () = subscribe => panic!("the second subscribe cannot be confirmed"),
        }
    })
    .await;
}

#[tokio::test]
async fn data_of_two_connections_is_never_joined_without_a_word() {
    let venue = Venue::new().await;
    let client = steadysocket::start(venue.config(), deribit(), Native::new()).unwrap();
    let server = async {
        let mut peer = venue.welcome().await;
        peer.serve_until("public/subscribe").await;
        // Data overtakes the answer, which never comes.
        peer.send(notification("data", &json!(1))).await;
        drop(peer);
        let mut peer = venue.welcome().await;
        let request = peer.serve_until("public/subscribe").await;
        peer.answer(&request).await;
        peer.send(notification("data", &json!(2))).await;
        peer
    };
    let (_peer, stream) = soon(async { futures::join!(server, client.subscribe("data")) }).await;
    let mut stream = stream.unwrap();
    assert_eq!(only_data(&mut stream).await.as_str(), Some("1"));
    let cut = next(&mut stream).await;
    assert!(matches!(cut, Update::Interrupted(_)), "{cut:?}");
    assert_eq!(resumed(&mut stream).await.as_str(), Some("2"));
}

#[tokio::test]
async fn the_end_of_a_connection_is_told_once() {
    let venue = Venue::new().await;
    let client = steadysocket::start(venue.config(), deribit(), Native::new()).unwrap();
    let mut events = client.events();
    let peer = venue.welcome().await;
    soon(client.ready()).await.unwrap();
    drop(peer);
    let mut peer = venue.welcome().await;
    soon(client.ready()).await.unwrap();
    let (found, ()) = soon(async {
        let call = waiting(&client, &mut events);
        let serve = async {
            let request = peer.serve_until("public/get_time").await;
            peer.answer(&request).await;
        };
        futures::join!(call, serve)
    })
    .await;
    let ends = found.iter().filter(|event| matches!(event, Event::Disconnected(_))).count();
    assert_eq!((ends, client.stats().disconnects, client.stats().connections), (1, 1, 2), "{found:?}");
}
