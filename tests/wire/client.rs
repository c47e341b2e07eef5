//! The client's process: lives, and prints what happens to it.

use std::time::Duration;

use serde_json::Value;
use steadysocket::error::{ConnectError, Disconnect, Error};
use steadysocket::{Client, Config, Event, JsonRpc, Native, State, Update};

use crate::wire::{now, say};

/// `URL [notify] [call]`: with the default options, except that plain text may leave and that the first connection is
/// retried too. `notify` sends something twenty times a second, `call` asks something as often.
pub fn run(args: &[String]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = Config::new(&args[0]).unwrap().allow_plaintext(true).retry_initial_connect(true);
        let client = steadysocket::start(config, JsonRpc::new(), Native::new()).unwrap();
        let does = |what: &str| args.iter().any(|arg| arg == what);
        if does("notify") {
            tokio::spawn(notify(client.clone()));
        }
        if does("call") {
            tokio::spawn(call(client.clone()));
        }
        tell(&client).await;
    });
}

async fn tell(client: &Client) {
    let mut events = client.events();
    while let Some(update) = events.next().await {
        match update {
            Update::Data(Event::State(State::Live)) => say("live"),
            Update::Data(Event::State(State::Waiting { delay, .. })) => {
                say(format!("waiting {}", delay.as_micros()))
            }
            Update::Data(Event::Disconnected(reason)) => say(format!("lost {}", name(&reason))),
            Update::Data(Event::Asked) => say("asked"),
            Update::Data(Event::Answered(time)) => say(format!("answered {}", time.as_micros())),
            Update::Data(Event::State(_) | Event::Unmatched) => {}
            other => say(format!("{other:?}")),
        }
    }
    say("ended");
}

/// A reason in few words.
fn name(reason: &Disconnect) -> String {
    match reason {
        Disconnect::Silent(_) => "Silent".into(),
        Disconnect::Stalled(_) => "Stalled".into(),
        Disconnect::Connect(ConnectError::Dns { .. }) => "no address".into(),
        Disconnect::Connect(error) => error.to_string(),
        Disconnect::Dropped(problem) => problem.clone(),
        other => format!("{other:?}"),
    }
}

async fn notify(client: Client) {
    loop {
        let _ = client.notify("tick", ()).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn call(client: Client) {
    loop {
        let asked = now();
        match client.call::<Value>("echo", ()).await {
            Ok(_) => say(format!("call {}", (now() - asked).as_micros())),
            Err(Error::NotSent(_)) => {}
            Err(error) => say(format!("failed {error}")),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
