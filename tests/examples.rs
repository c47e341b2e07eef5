//! Runs the examples as their readers do, and holds them to what they say.
#![cfg(all(feature = "native", not(all(target_family = "wasm", target_os = "unknown"))))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Lines, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::Value;

/// The example's binary, which cargo has built beside this test's: `target/<profile>/examples/<name>`.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path: PathBuf = [profile, "examples".as_ref(), file.as_ref()].iter().collect();
    assert!(path.exists(), "{} is missing: cargo test --test examples needs --examples", path.display());
    let mut command = Command::new(path);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A ticker under way, whose lines are JSON.
struct Ticker {
    child: Child,
    /// `None` once we have closed our end.
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

impl Ticker {
    fn start(args: &[&str]) -> Self {
        let mut child = example("ticker").arg("--json").args(args).spawn().unwrap();
        let lines = child.stdout.take().map(|pipe| BufReader::new(pipe).lines());
        Self { child, lines }
    }

    /// The next line, or `None` at the end.
    fn next(&mut self) -> Option<Value> {
        let line = self.lines.as_mut()?.next()?.unwrap();
        let value: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(value["event"].is_string(), "{line}");
        Some(value)
    }

    fn wait_for(&mut self, event: &str) -> Value {
        std::iter::from_fn(|| self.next())
            .find(|line| line["event"] == event)
            .unwrap_or_else(|| panic!("ended without {event}"))
    }

    /// The rest of the lines, how it ended, and what it complained about.
    fn end(mut self) -> (Vec<Value>, ExitStatus, String) {
        let lines = std::iter::from_fn(|| self.next()).collect();
        let mut complaints = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
        (lines, self.child.wait().unwrap(), complaints)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // A failed assertion leaves nothing running behind; whoever has ended needs no end.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn count<'a>(lines: impl IntoIterator<Item = &'a Value>, event: &str) -> usize {
    lines.into_iter().filter(|line| line["event"] == event).count()
}

/// The last line, which must be the only summary.
fn summary(lines: &[Value]) -> &Value {
    assert_eq!(count(lines, "summary"), 1);
    let last = lines.last().unwrap();
    assert_eq!(last["event"], "summary");
    last
}

#[test]
fn the_ticker_survives_chaos_and_tells_the_truth_about_it() {
    let (lines, status, complaints) = Ticker::start(&["--chaos", "--seconds", "5"]).end();
    assert!(status.success(), "{status}: {complaints}");
    let summary = summary(&lines);
    assert_eq!(summary["updates"], count(&lines, "update"));
    assert!(count(&lines, "update") >= 100, "{summary}");
    assert!(summary["reconnects"].as_u64().unwrap() >= 2, "{summary}");
    assert_eq!(summary["lost_subscriptions"], 0);
    let live = lines.iter().filter(|line| line["event"] == "state" && line["state"] == "live").count();
    assert_eq!(summary["reconnects"], live);
}

#[test]
fn every_row_is_told_of_an_interruption_and_of_its_end_in_order() {
    let (lines, ..) = Ticker::start(&["--chaos", "--seconds", "3"]).end();
    let channels: std::collections::BTreeSet<_> =
        lines.iter().filter_map(|line| line["channel"].as_str()).collect();
    assert_eq!(channels.len(), 7, "{channels:?}");
    for channel in channels {
        let mut stale = false;
        let mut interruptions = 0;
        for line in lines.iter().filter(|line| line["channel"] == channel) {
            match line["event"].as_str().unwrap() {
                "interrupted" => (stale, interruptions) = (true, interruptions + 1),
                "resumed" => stale = false,
                "update" => assert!(!stale, "{channel}: data while interrupted"),
                other => panic!("{channel}: {other}"),
            }
        }
        assert!(interruptions > 0 && !stale, "{channel}");
    }
}

#[test]
fn a_venue_over_tls_is_reached_with_its_authority() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let exchange = steadysocket_exchange::Exchange::builder().tls(true);
    let exchange = runtime.block_on(exchange.start()).unwrap();
    let ca = std::env::temp_dir().join(format!("steadysocket-{}.pem", std::process::id()));
    std::fs::write(&ca, exchange.ca_pem().unwrap()).unwrap();

    // With somebody else's server chaos only asks for another connection.
    let args = ["--url", exchange.url(), "--ca", ca.to_str().unwrap(), "--seconds", "3", "--chaos"];
    let (lines, status, complaints) = Ticker::start(&args).end();
    std::fs::remove_file(&ca).unwrap();
    assert!(status.success(), "{status}: {complaints}");
    let disconnected = lines.iter().find(|line| line["event"] == "disconnected").unwrap();
    assert_eq!(disconnected["reason"], "reconnect requested");
    assert_eq!(summary(&lines)["lost_subscriptions"], 0);
    let closes = exchange.journal().connections().filter(|connection| connection.closed.is_some()).count();
    assert!(closes >= 2, "{closes}");
}

#[test]
fn what_cannot_work_is_told_in_one_line() {
    let cases: [&[&str]; 5] = [
        &["--url", "nonsense"],
        &["--url", "ws://127.0.0.1:1/"],
        &["--ca", "/no/such/file"],
        &["--seconds", "soon"],
        &["NO-SUCH-INSTRUMENT"],
    ];
    for args in cases {
        let (lines, status, complaints) = Ticker::start(args).end();
        assert_eq!(status.code(), Some(1), "{args:?}");
        assert_eq!(lines, [] as [Value; 0], "{args:?}");
        assert_eq!(complaints.lines().count(), 1, "{args:?}: {complaints}");
        assert!(complaints.starts_with("ticker: "), "{complaints}");
    }
}

#[test]
fn a_refusal_for_good_ends_the_ticker_with_its_reason_and_a_summary() {
    use steadysocket_exchange::{Door, Exchange, Fault, Span, Target};
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let exchange = runtime.block_on(Exchange::builder().start()).unwrap();
    let mut ticker = Ticker::start(&["--url", exchange.url()]);
    ticker.wait_for("update");
    exchange.door(Door::Refuse { status: 401, retry_after: None }, Span::UntilOpened);
    exchange.fault(Target::All, Fault::Drop);
    let (lines, status, complaints) = ticker.end();
    assert_eq!(status.code(), Some(1));
    assert_eq!(complaints, "ticker: the server answered HTTP 401\n");
    assert!(lines.iter().any(|line| line["state"] == "ended"));
    assert_eq!(summary(&lines)["lost_subscriptions"], 7);
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_ticker_quietly() {
    let mut ticker = Ticker::start(&[]);
    ticker.wait_for("update");
    ticker.lines = None;
    let (_, status, complaints) = ticker.end();
    assert!(status.success(), "{status}");
    assert_eq!(complaints, "");
}

#[cfg(unix)]
#[test]
fn an_interrupt_closes_cleanly_and_still_sums_up() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let exchange = runtime.block_on(steadysocket_exchange::Exchange::builder().start()).unwrap();
    let mut ticker = Ticker::start(&["--url", exchange.url()]);
    ticker.wait_for("update");
    let id = ticker.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let (lines, status, complaints) = ticker.end();
    assert!(status.success(), "{status}: {complaints}");
    assert_eq!(summary(&lines)["reconnects"], 0);
    assert_eq!(summary(&lines)["lost_subscriptions"], 0);
    let journal = exchange.journal();
    let closed = journal.connections().next().unwrap().closed.clone();
    let (_, reason) = closed.expect("the connection was closed");
    assert_eq!(reason, steadysocket_exchange::Closed::ByClient(Some(1000)));
}

#[test]
fn the_plain_output_is_for_people() {
    let output = example("ticker").args(["--seconds", "2"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.lines().any(|line| line.contains("ticker.BTC-PERPETUAL.100ms")), "{text}");
    assert!(text.lines().last().unwrap().contains("0 lost subscriptions"), "{text}");
    assert!(!text.contains('\u{1b}'), "escape sequences outside of a terminal");
}

#[test]
fn the_short_examples_hold_what_they_show() {
    for name in ["quickstart", "custom_protocol"] {
        let output = example(name).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!output.stdout.is_empty(), "{name}");
    }
}

#[test]
fn the_fleet_is_well_again_after_cuts_and_panics() {
    let output = example("fleet").args(["--clients", "30", "--seconds", "5"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let row = |kind: &str| -> Vec<u64> {
        let line = text.lines().find(|line| line.starts_with(&format!("| {kind}"))).unwrap();
        line.split('|').filter_map(|cell| cell.trim().parse().ok()).collect()
    };
    let [ordinary, panicking] = ["ordinary", "panics"].map(row);
    assert_eq!((ordinary[..2].to_vec(), panicking[..2].to_vec()), (vec![29, 29], vec![1, 1]), "{text}");
    assert!(ordinary[3] > 0 && panicking[3] > 0, "nothing went wrong: {text}");
    assert!(text.contains(" of 30 were drained in time; 0 are left in the registry"), "{text}");
}

#[test]
fn the_option_chain_has_a_quote_on_both_sides_of_a_strike() {
    let output = example("option_chain").output().unwrap();
    let (text, complaints) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{complaints}");
    let rows = text.lines().filter(|line| line.split_whitespace().all(|word| word.parse::<f64>().is_ok()));
    assert!(rows.clone().count() > 0, "{text}");
    for row in rows {
        assert_eq!(row.split_whitespace().count(), 9, "{text}");
    }
}

#[test]
fn the_book_says_that_it_is_stale_before_it_is_live_again() {
    let output = example("book").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // A lost message, then a lost connection: each time nothing is shown until the book is live again.
    let states: Vec<&str> = text.lines().filter(|line| line.starts_with(char::is_alphabetic)).collect();
    let stale = states.iter().filter(|line| line.starts_with("STALE")).count();
    assert!(stale >= 2, "{text}");
    assert!(states.last().is_some_and(|line| *line == "LIVE"), "{text}");
    let mut live = false;
    for line in text.lines() {
        match line.split(':').next() {
            Some("LIVE") => live = true,
            Some("STALE" | "RESYNCING") => live = false,
            _ => assert!(live, "levels of a book that is not live: {text}"),
        }
    }
}

#[test]
fn the_trade_whose_answer_is_lost_is_found_and_cancelled() {
    let output = example("trade").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let starts = ["placed ", "moved ", "it is cancelled", "unknown: ", "found ", "it is cancelled"];
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), starts.len(), "{text}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{text}");
    }
    assert!(!text.contains("local-secret"));
}

#[test]
fn the_trade_does_not_use_real_money_unasked() {
    let output = example("trade").arg("wss://www.deribit.com/ws/api/v2").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("real money"));
}

/// What the market maker must hold to whatever happens: it asks for quotes only while book and orders are live.
fn check_quotes(text: &str) {
    let (mut book, mut orders) = (false, false);
    for line in text.lines() {
        match line.split_once([':', ' ']).unwrap_or_default().0 {
            "book" => book = line == "book live",
            "orders" => orders = line.starts_with("orders live"),
            "quote" | "move" => assert!(book && orders, "{line}, in {text}"),
            _ => {}
        }
    }
}

#[test]
fn the_market_maker_cancels_its_quotes_while_its_book_or_its_orders_are_not_live() {
    let output = example("market_maker").args(["--seconds", "7"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    check_quotes(&text);
    // A message of the book was lost, then the connection; and it quoted before, between and after.
    let phases: Vec<&str> = text.split("book stale").collect();
    assert!(phases.len() >= 3 && phases.iter().all(|phase| phase.contains("quote: ")), "{text}");
    assert!(phases[1].contains("UserRequest"), "{text}");
    assert!(text.contains("orders stale") && text.contains("CancelOnDisconnect"), "{text}");
    assert!(text.lines().last().unwrap().starts_with("the end: 0 orders"), "{text}");
}

#[cfg(unix)]
#[test]
fn the_market_maker_keeps_to_its_bound_and_leaves_no_order_behind() {
    use steadysocket::deribit::{Deribit, Options, Order};
    use steadysocket_exchange::{Account, Exchange, Fault, LedgerOrder, Target};

    const MOST: f64 = 500.0;
    fn quotes(exchange: &Exchange) -> Vec<LedgerOrder> {
        let orders = exchange.ledger().orders;
        orders.into_iter().filter(|order| order.label.starts_with("maker.")).collect()
    }
    fn bid(exchange: &Exchange) -> Option<LedgerOrder> {
        quotes(exchange).into_iter().find(|order| order.state == "open" && order.direction == "buy")
    }
    fn position(exchange: &Exchange) -> f64 {
        let signed = |order: &LedgerOrder| match order.direction.as_str() {
            "buy" => order.filled_amount,
            _ => -order.filled_amount,
        };
        quotes(exchange).iter().map(signed).sum()
    }

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let builder = Exchange::builder().account(Account::new("taker").key("taker", "secret"));
    let exchange = runtime.block_on(builder.start()).unwrap();
    let mut command = example("market_maker");
    command.arg(exchange.url());
    command.env("DERIBIT_CLIENT_ID", "local").env("DERIBIT_CLIENT_SECRET", "local-secret");
    let mut maker = command.spawn().unwrap();
    runtime.block_on(async {
        let options = Options::at(exchange.url()).unwrap().credentials("taker", "secret");
        let taker = Deribit::connect(options).await.unwrap();
        // Sells to it whatever it bids for, until it holds what it may.
        while position(&exchange) < MOST {
            let Some(bid) = bid(&exchange) else {
                exchange.wait_for(|exchange| bid(exchange).is_some() || position(exchange) >= MOST).await;
                continue;
            };
            let order = Order::limit("BTC-PERPETUAL", 1_000_000.0, bid.price.unwrap()).immediate_or_cancel();
            let _whatever_it_met = taker.sell(order).await.unwrap();
        }
        // A book that cannot be mended: everything is cancelled, and nothing more is quoted.
        exchange.fault(Target::All, Fault::FailSubscribes(1_000));
        exchange.fault(Target::All, Fault::Gap("book.BTC-PERPETUAL.100ms".to_owned()));
        exchange.wait_for(|exchange| quotes(exchange).iter().all(|order| order.state != "open")).await;
    });
    let id = maker.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let (mut text, mut complaints) = (String::new(), String::new());
    maker.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    maker.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
    assert!(maker.wait().unwrap().success(), "{text}{complaints}");
    check_quotes(&text);
    assert_eq!(
        text.lines().last(),
        Some(&*format!("the end: 0 orders, position {}", position(&exchange))),
        "{text}"
    );

    let quotes = quotes(&exchange);
    assert!(quotes.iter().all(|order| order.state != "open"), "{quotes:?}");
    // Each was placed where the whole of it still fitted, whatever became of the other side later.
    let mut held = 0.0;
    for order in &quotes {
        assert!(order.fills.iter().all(|fill| fill.maker), "it took: {order:?}");
        held += if order.direction == "buy" { order.filled_amount } else { -order.filled_amount };
        assert!(held.abs() <= MOST, "{held}: {quotes:?}");
    }
}
