//! A recording, played by the local exchange to a real client.

use std::time::Duration;

use serde_json::Value;
use steadysocket::error::{Error, Unknown};
use steadysocket::{Config, Update};
use steadysocket_exchange::Playback;

const CUT: &str = include_str!("../recordings/cut.jsonl");

#[tokio::test]
async fn an_incident_happens_again_over_real_sockets() {
    let server = Playback::read(CUT).unwrap().speed(20.0).start(0).await.unwrap();
    let client = steadysocket::connect(Config::new(server.url()).unwrap()).await.unwrap();
    let mut prices = client.subscribe_as::<f64>("price").await.unwrap();
    let sum: i64 = client.call("add", (1,)).await.unwrap();
    assert_eq!(sum, 2);
    assert_eq!(prices.next().await, Some(Update::Data(1.5)));
    // Cut before the answer, as it was.
    let outcome = client.call::<Value>("buy", ()).await;
    assert!(matches!(outcome, Err(Error::Unknown(Unknown::Disconnected(_)))), "{outcome:?}");
    assert!(matches!(prices.next().await, Some(Update::Interrupted(_))));
    // Two attempts failed.
    assert_eq!(prices.next().await, Some(Update::Resumed));
    assert_eq!(client.stats().disconnects, 3);
    assert_eq!(prices.next().await, Some(Update::Data(2.5)));
    // There was no such call.
    let outcome = client.request(steadysocket::Request::new("add")).timeout(Duration::from_secs(5)).await;
    assert!(matches!(outcome, Err(Error::Rejected(error)) if error.code == -32601));
    client.close().await;
}

#[test]
fn what_is_no_recording_is_refused() {
    for (text, problem) in [
        ("{}\n", "line 1: is not the header of a recording"),
        ("nonsense\n", "line 1: expected ident at line 1 column 2"),
    ] {
        assert_eq!(Playback::read(text).unwrap_err(), problem);
    }
    let skips = CUT.replace("\"connection\":1,", "\"connection\":9,");
    assert!(Playback::read(&skips).unwrap_err().contains("connection"));
}
