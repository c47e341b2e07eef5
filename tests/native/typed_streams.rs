//! Streams that are put together, against a venue that plays its part as each test wants it.

use serde_json::{Value, json};
use steadysocket::config::{Overflow, Queue};
use steadysocket::deribit::data::{Bar, Ticker};
use steadysocket::deribit::{BarUpdate, Bars, ChainUpdate, Deribit, IncrementalTicker, Options};
use steadysocket::{Native, Update};

use crate::support::*;

const MINUTE: u64 = 60_000;

/// A handle and the venue's side of its connection.
async fn connected(venue: &Venue, queue: Queue) -> (Deribit, Peer) {
    let config = venue.config().queue(queue);
    let deribit = Deribit::connect_with(Options::testnet(), config, Native::new());
    let (deribit, peer) = soon(async { futures::join!(deribit, venue.welcome()) }).await;
    (deribit.unwrap(), peer)
}

async fn expect(peer: &mut Peer, method: &str, result: &Value) -> Value {
    let request = peer.serve_until(method).await;
    peer.send(reply(&request, result)).await;
    request["params"].clone()
}

fn ticker(kind: &str, timestamp: u64, members: &Value) -> Value {
    let mut message = json!({ "type": kind, "instrument_name": "X", "timestamp": timestamp });
    message.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    message
}

async fn whole(tickers: &mut IncrementalTicker) -> Ticker {
    match soon(tickers.next()).await.unwrap() {
        Update::Data(ticker) => ticker,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_incremental_ticker_is_whole_or_not_there() {
    let venue = Venue::new().await;
    let (deribit, mut peer) = connected(&venue, Queue::default()).await;
    let send = |kind, timestamp, members: Value| {
        notification("incremental_ticker.X", &ticker(kind, timestamp, &members))
    };
    let subscribing = deribit.incremental_ticker("X");
    let subscribed = async {
        let request = peer.serve_until("public/subscribe").await;
        // The data may come before the answer does.
        peer.send(send("snapshot", 1, json!({"mark_price": 1, "stats": {"high": 9, "low": 1}}))).await;
        peer.answer(&request).await;
        peer.send(send("change", 2, json!({"stats": {"high": 10}}))).await;
        peer
    };
    let (tickers, peer) = soon(async { futures::join!(subscribing, subscribed) }).await;
    let mut tickers = tickers.unwrap();
    whole(&mut tickers).await;
    let second = whole(&mut tickers).await;
    assert_eq!((second.mark_price, second.stats.high, second.stats.low), (Some(1.0), Some(10.0), Some(1.0)));

    // A cut: changes mean nothing until all of it comes again.
    drop(peer.0);
    let mut peer = venue.welcome().await;
    assert!(matches!(soon(tickers.next()).await, Some(Update::Interrupted(_))));
    assert!(!tickers.is_fresh());
    let request = peer.serve_until("public/subscribe").await;
    peer.answer(&request).await;
    assert_eq!(soon(tickers.next()).await, Some(Update::Resumed));
    // The venue forgets the snapshot: the channel is made to begin anew.
    peer.send(send("change", 3, json!({"mark_price": 3}))).await;
    let renewing = async {
        let request = peer.serve_until("public/unsubscribe").await;
        peer.answer(&request).await;
        let request = peer.serve_until("public/subscribe").await;
        peer.answer(&request).await;
        peer.send(send("snapshot", 4, json!({"mark_price": 4}))).await;
    };
    let reading = async {
        assert_eq!(tickers.next().await, Some(Update::Renewing));
        assert_eq!(tickers.next().await, Some(Update::Resumed));
        whole(&mut tickers).await
    };
    let ((), renewed) = soon(async { futures::join!(renewing, reading) }).await;
    assert_eq!((renewed.timestamp, renewed.mark_price, renewed.stats.high), (4, Some(4.0), None));
}

fn bar(tick: u64, volume: u64) -> Value {
    json!({"tick": tick, "open": 1, "high": 1, "low": 1, "close": 1, "volume": volume, "cost": 1})
}

fn chart(bars: &[(u64, u64)]) -> Value {
    let column = |value: fn(&(u64, u64)) -> u64| bars.iter().map(value).collect::<Vec<_>>();
    let ones = column(|_| 1);
    json!({"status": "ok", "ticks": column(|bar| bar.0), "volume": column(|bar| bar.1), "open": ones, "high": ones,
        "low": ones, "close": ones, "cost": ones})
}

/// Answers for the history: the time, then the bars; what was asked for.
async fn serve_history(peer: &mut Peer, now: u64, bars: &[(u64, u64)]) -> (u64, u64) {
    expect(peer, "public/get_time", &json!(now)).await;
    let asked = expect(peer, "public/get_tradingview_chart_data", &chart(bars)).await;
    (asked["start_timestamp"].as_u64().unwrap(), asked["end_timestamp"].as_u64().unwrap())
}

fn closed(bar: &Bar) -> (u64, f64) {
    (bar.tick, bar.volume)
}

async fn next_closed(bars: &mut Bars) -> (u64, f64) {
    loop {
        match soon(bars.next()).await.unwrap() {
            BarUpdate::Closed(bar) => return closed(&bar),
            BarUpdate::Current(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn bars_without_a_hole_through_a_cut() {
    let venue = Venue::new().await;
    let (deribit, mut peer) = connected(&venue, Queue::default()).await;
    let send = |tick, volume| notification("chart.trades.X.1", &bar(tick, volume));
    let opening = deribit.bars("X", "1", 10 * MINUTE);
    let served = async {
        let request = peer.serve_until("public/subscribe").await;
        peer.answer(&request).await;
        // In two pages, as of a long time the venue sends the newest bars.
        let asked = serve_history(&mut peer, 13 * MINUTE + 5, &[(12 * MINUTE, 3), (13 * MINUTE, 1)]).await;
        assert_eq!(asked, (9 * MINUTE + 1, 13 * MINUTE + 5));
        let page = chart(&[(10 * MINUTE, 7), (11 * MINUTE, 0)]);
        let asked = expect(&mut peer, "public/get_tradingview_chart_data", &page).await;
        assert_eq!(asked["end_timestamp"], 12 * MINUTE - 1);
        peer.send(send(13 * MINUTE, 4)).await;
        peer.send(send(14 * MINUTE, 1)).await;
        peer
    };
    let (bars, peer) = soon(async { futures::join!(opening, served) }).await;
    let mut bars = bars.unwrap();
    for expected in [(10, 7.0), (11, 0.0), (12, 3.0), (13, 4.0)] {
        let (tick, volume) = next_closed(&mut bars).await;
        assert_eq!((tick / MINUTE, volume), expected);
    }

    // Two bars pass while there is no connection, and the one under way grows before that.
    drop(peer.0);
    let mut peer = venue.welcome().await;
    let reading = async {
        assert!(matches!(bars.next().await, Some(BarUpdate::Current(_))));
        assert_eq!(bars.next().await, Some(BarUpdate::Interrupted));
        assert_eq!(bars.next().await, Some(BarUpdate::Resumed));
        let mut all = Vec::new();
        for _ in 0..3 {
            all.push(next_closed(&mut bars).await);
        }
        all
    };
    let served = async {
        let request = peer.serve_until("public/subscribe").await;
        peer.answer(&request).await;
        let history = [(14 * MINUTE, 9), (15 * MINUTE, 2), (16 * MINUTE, 2), (17 * MINUTE, 1)];
        let asked = serve_history(&mut peer, 17 * MINUTE, &history).await;
        assert_eq!(asked.0, 14 * MINUTE, "from the bar that may have grown");
        peer
    };
    let (all, mut peer) = soon(async { futures::join!(reading, served) }).await;
    assert_eq!(all, [(14 * MINUTE, 9.0), (15 * MINUTE, 2.0), (16 * MINUTE, 2.0)]);

    // A refused history is told, and asked for again at the next sign of life.
    peer.send(send(20 * MINUTE, 1)).await;
    let reading = async {
        assert!(matches!(bars.next().await, Some(BarUpdate::Current(_))));
        assert!(matches!(bars.next().await, Some(BarUpdate::Failed(_))));
        (next_closed(&mut bars).await, next_closed(&mut bars).await)
    };
    let served = async {
        let request = peer.serve_until("public/get_time").await;
        let error =
            json!({"jsonrpc": "2.0", "id": request["id"], "error": {"code": 13028, "message": "busy"}});
        peer.send(tokio_tungstenite::tungstenite::Message::text(error.to_string())).await;
        peer.send(send(20 * MINUTE, 2)).await;
        serve_history(&mut peer, 20 * MINUTE, &[(17 * MINUTE, 5), (18 * MINUTE, 6), (20 * MINUTE, 2)]).await;
    };
    let (all, ()) = soon(async { futures::join!(reading, served) }).await;
    assert_eq!(all, ((17 * MINUTE, 5.0), (18 * MINUTE, 6.0)));
}

#[tokio::test]
async fn bars_that_were_read_too_slowly_are_fetched() {
    let venue = Venue::new().await;
    let queue = Queue { capacity: 1, overflow: Overflow::DropOldest, ..Queue::default() };
    let (deribit, mut peer) = connected(&venue, queue).await;
    let opening = deribit.bars("X", "1", 10 * MINUTE);
    let served = async {
        let request = peer.serve_until("public/subscribe").await;
        peer.answer(&request).await;
        serve_history(&mut peer, 10 * MINUTE, &[(10 * MINUTE, 1)]).await;
        for minute in 10..13 {
            peer.send(notification("chart.trades.X.1", &bar(minute * MINUTE, 5))).await;
        }
        // An answer after them says that they have arrived.
        let request = peer.serve_until("echo").await;
        peer.answer(&request).await;
        peer
    };
    let opening = async {
        let bars = opening.await.unwrap();
        let _echo: Value = deribit.call("echo", json!({})).await.unwrap();
        bars
    };
    let (mut bars, mut peer) = soon(async { futures::join!(opening, served) }).await;
    let reading = async { (next_closed(&mut bars).await, next_closed(&mut bars).await) };
    let history = [(10 * MINUTE, 5), (11 * MINUTE, 5), (12 * MINUTE, 5)];
    let (all, _) =
        soon(async { futures::join!(reading, serve_history(&mut peer, 12 * MINUTE, &history)) }).await;
    assert_eq!(all, ((10 * MINUTE, 5.0), (11 * MINUTE, 5.0)));
}

fn option(name: &str, strike: f64, kind: &str) -> Value {
    json!({"instrument_name": name, "kind": "option", "base_currency": "BTC", "tick_size": 0.0001, "contract_size": 1,
        "min_trade_amount": 0.1, "price_index": "btc_usd", "strike": strike, "option_type": kind,
        "expiration_timestamp": 1000, "is_active": true})
}

#[tokio::test]
async fn an_option_chain_shows_what_is_fresh() {
    let venue = Venue::new().await;
    let (deribit, mut peer) = connected(&venue, Queue::default()).await;
    let opening = deribit.option_chain("BTC");
    let served = async {
        let options = json!([
            option("O-2-P", 2.0, "put"),
            option("O-10-C", 10.0, "call"),
            option("O-2-C", 2.0, "call")
        ]);
        expect(&mut peer, "public/get_instruments", &options).await;
        // The news of instruments is asked for, too, before or after.
        loop {
            let request = peer.serve_until("public/subscribe").await;
            peer.answer(&request).await;
            if request["params"]["channels"] == json!(["markprice.options.btc_usd"]) {
                break peer;
            }
        }
    };
    let served = async {
        let peer = soon(served).await;
        let mark = json!([{"instrument_name": "O-2-C", "mark_price": 0.5, "iv": 0.6, "timestamp": 1}]);
        (peer, notification("markprice.options.btc_usd", &mark))
    };
    let (chain, (mut peer, marks)) = soon(async { futures::join!(opening, served) }).await;
    let mut chain = chain.unwrap();
    let strikes = |chain: &steadysocket::deribit::OptionChain| -> Vec<(f64, bool, bool)> {
        let strikes = chain.expiry(1000).unwrap().strikes();
        strikes.map(|strike| (strike.strike, strike.call.is_some(), strike.put.is_some())).collect()
    };
    assert_eq!(strikes(&chain), [(2.0, true, true), (10.0, true, false)]);

    peer.send(marks).await;
    assert_eq!(soon(chain.next()).await, Some(ChainUpdate::Marks(1)));
    assert_eq!(chain.option("O-2-C").unwrap().mark_price(), Some(0.5));
    assert_eq!(chain.option("O-2-P").unwrap().mark_price(), None);

    let watched = async {
        let request = peer.serve_until("public/subscribe").await;
        peer.answer(&request).await;
        // All of them in one request.
        request
    };
    let (done, request) = soon(async { futures::join!(chain.watch(1000), watched) }).await;
    done.unwrap();
    assert_eq!(request["params"]["channels"].as_array().unwrap().len(), 3);
    let quote =
        json!({"instrument_name": "O-10-C", "timestamp": 1, "best_bid_price": 0.1, "best_bid_amount": 1});
    peer.send(notification("ticker.O-10-C.100ms", &quote)).await;
    assert_eq!(soon(chain.next()).await, Some(ChainUpdate::Ticker("O-10-C".into())));
    assert!(chain.option("O-10-C").unwrap().ticker.as_ref().unwrap().best_bid().is_some());

    // What a cut made stale is gone.
    drop(peer.0);
    let stale = async {
        while chain.option("O-2-C").unwrap().mark.is_some()
            || chain.option("O-10-C").unwrap().ticker.is_some()
        {
            assert!(chain.next().await.is_some());
        }
    };
    soon(stale).await;
}

#[tokio::test]
async fn an_instrument_that_changed_is_asked_for_again() {
    let venue = Venue::new().await;
    let (deribit, mut peer) = connected(&venue, Queue::default()).await;
    let mut answer = option("O-2-C", 2.0, "call");
    for tick in [0.0001, 0.0005] {
        answer["tick_size"] = tick.into();
        let finding = deribit.instruments().find("O-2-C");
        let served = async {
            let first = peer.request().await;
            let result = |request: &Value| match request["method"].as_str() {
                Some("public/get_instrument") => reply(request, &answer),
                _ => crate::support::answer(request),
            };
            peer.send(result(&first)).await;
            if tick < 0.0002 {
                let second = peer.request().await;
                peer.send(result(&second)).await;
            }
        };
        let (found, ()) = soon(async { futures::join!(finding, served) }).await;
        assert_eq!(found.unwrap().unwrap().tick_size, tick);
        let change = json!({"instrument_name": "O-2-C", "state": "open", "timestamp": 1});
        peer.send(notification("instrument.state.any.any", &change)).await;
        // An answer after it says that it has arrived.
        let echo = deribit.call::<Value>("echo", json!({}));
        let served = async {
            let request = peer.serve_until("echo").await;
            peer.answer(&request).await;
        };
        soon(async { futures::join!(echo, served) }).await.0.unwrap();
        assert!(deribit.instruments().get("O-2-C").is_none());
    }
}
