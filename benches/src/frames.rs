//! What the server sends, encoded once: notifications of Deribit's shape, each a WebSocket frame.

use std::fmt::Write as _;

/// How many instruments the mixed load has; each has a ticker, a book and trades.
const INSTRUMENTS: usize = 10;
/// Frames that are encoded; longer floods repeat them.
pub const FRAMES: usize = 4000;
/// Levels of each side of the book that is maintained.
const LEVELS: u64 = 500;

/// Encoded frames, one behind the other.
pub struct Frames {
    pub bytes: Vec<u8>,
    /// Where each ends.
    pub ends: Vec<usize>,
}

impl Frames {
    fn new() -> Self {
        Self { bytes: Vec::new(), ends: Vec::new() }
    }

    fn push(&mut self, text: &str) {
        self.bytes.extend(frame(text.as_bytes()));
        self.ends.push(self.bytes.len());
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of so many frames from the first on.
    pub fn first(&self, count: usize) -> &[u8] {
        match count {
            0 => &[],
            _ => &self.bytes[..self.ends[count - 1]],
        }
    }

    pub fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }
}

/// A text frame of a server.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match payload.len() {
        length @ 0..126 => frame.push(length as u8),
        length @ 126..=0xffff => {
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

/// Numbers that look like chance and are always the same.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn price(&mut self) -> String {
        format!("{}.{}", 50_000 + self.below(20_000), ["0", "5"][self.below(2) as usize])
    }

    fn amount(&mut self) -> String {
        format!("{}.0", 10 * (1 + self.below(100_000)))
    }

    fn ratio(&mut self) -> String {
        format!("0.{:08}", self.below(100_000_000))
    }
}

pub fn instrument(index: usize) -> String {
    ["BTC-PERPETUAL", "ETH-PERPETUAL", "SOL_USDC-PERPETUAL", "BTC-27MAR26", "ETH-27MAR26"][index % 5]
        .to_owned()
        + if index >= 5 { "-B" } else { "" }
}

/// The channels of the mixed load.
pub fn channels() -> Vec<String> {
    let of = |index| {
        let name = instrument(index);
        [format!("ticker.{name}.100ms"), format!("book.{name}.100ms"), format!("trades.{name}.100ms")]
    };
    (0..INSTRUMENTS).flat_map(of).collect()
}

/// 40 % tickers, 40 % changes of books, 20 % trades.
pub fn mixed() -> Frames {
    let (mut frames, mut draw) = (Frames::new(), Draw(0x9e37_79b9_7f4a_7c15));
    for number in 0..FRAMES as u64 {
        let name = instrument(draw.below(INSTRUMENTS as u64) as usize);
        let (kind, data) = match draw.below(5) {
            0 | 1 => ("ticker", ticker(&mut draw, &name)),
            2 | 3 => ("book", change(&mut draw, &name, number)),
            _ => ("trades", trades(&mut draw, &name)),
        };
        frames.push(&notification(&format!("{kind}.{name}.100ms"), &data));
    }
    frames
}

/// Tickers of so many channels in turn.
pub fn spread(channels: usize) -> Frames {
    let (mut frames, mut draw) = (Frames::new(), Draw(7));
    for number in 0..SPREAD {
        let data = ticker(&mut draw, "BTC-PERPETUAL");
        frames.push(&notification(&spread_channel(number % channels), &data));
    }
    frames
}

/// The same data for however many channels.
const SPREAD: usize = 10_000;

pub fn spread_channel(number: usize) -> String {
    format!("ticker.BTC-{number:05}.100ms")
}

pub const BOOK: &str = "book.BTC-PERPETUAL.100ms";

/// A snapshot of a book and changes that follow each other, so that they may be repeated from the snapshot on.
pub fn book() -> Frames {
    let (mut frames, mut draw) = (Frames::new(), Draw(11));
    let side = |first: u64, up: bool| {
        let level = |step| if up { first + step } else { first - step };
        (0..LEVELS)
            .map(|step| format!("[\"new\",{}.5,{}.0]", level(step), 10 * (step + 1)))
            .collect::<Vec<_>>()
            .join(",")
    };
    let snapshot = format!(
        r#"{{"type":"snapshot","timestamp":1790133840448,"instrument_name":"BTC-PERPETUAL","change_id":1,"bids":[{}],"asks":[{}]}}"#,
        side(59_999, false),
        side(60_000, true),
    );
    frames.push(&notification(BOOK, &snapshot));
    for number in 1..FRAMES as u64 {
        let mut entries = |up: bool| {
            let count = 1 + draw.below(4);
            let mut text = String::new();
            for entry in 0..count {
                // Near the best price, as in a real book.
                let step = draw.below(20) * draw.below(5) + 1;
                let price = if up { 60_000 + step } else { 59_999 - step };
                let word = ["change", "change", "new", "delete"][draw.below(4) as usize];
                let amount = if word == "delete" { 0 } else { 10 * (1 + draw.below(10_000)) };
                let comma = if entry == 0 { "" } else { "," };
                let _ = write!(text, "{comma}[\"{word}\",{price}.5,{amount}.0]");
            }
            text
        };
        let (bids, asks) = (entries(false), entries(true));
        let data = format!(
            r#"{{"type":"change","timestamp":{},"prev_change_id":{number},"instrument_name":"BTC-PERPETUAL","change_id":{},"bids":[{bids}],"asks":[{asks}]}}"#,
            1_790_133_840_448 + number,
            number + 1,
        );
        frames.push(&notification(BOOK, &data));
    }
    frames
}

pub fn notification(channel: &str, data: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{channel}","data":{data}}}}}"#)
}

fn ticker(draw: &mut Draw, name: &str) -> String {
    format!(
        concat!(
            r#"{{"timestamp":{},"state":"open","stats":{{"high":{},"low":{},"price_change":{},"volume":{},"volume_usd":{},"#,
            r#""volume_notional":{}}},"index_price":{},"instrument_name":"{}","last_price":{},"min_price":{},"#,
            r#""max_price":{},"open_interest":{},"mark_price":{},"best_ask_price":{},"best_bid_price":{},"#,
            r#""interest_value":{},"best_ask_amount":{},"best_bid_amount":{},"estimated_delivery_price":{},"#,
            r#""settlement_price":{},"current_funding":{},"funding_8h":{}}}"#
        ),
        1_790_133_840_448 + draw.below(1_000_000),
        draw.price(),
        draw.price(),
        draw.ratio(),
        draw.ratio(),
        draw.amount(),
        draw.amount(),
        draw.price(),
        name,
        draw.price(),
        draw.price(),
        draw.price(),
        draw.amount(),
        draw.price(),
        draw.price(),
        draw.price(),
        draw.ratio(),
        draw.amount(),
        draw.amount(),
        draw.price(),
        draw.price(),
        draw.ratio(),
        draw.ratio(),
    )
}

fn change(draw: &mut Draw, name: &str, number: u64) -> String {
    let mut side = || {
        let count = 1 + draw.below(4);
        let mut entry = || {
            let word = ["new", "change", "delete"][draw.below(3) as usize];
            format!("[\"{word}\",{},{}]", draw.price(), draw.amount())
        };
        (0..count).map(|_| entry()).collect::<Vec<_>>().join(",")
    };
    let (bids, asks) = (side(), side());
    format!(
        r#"{{"type":"change","timestamp":{},"prev_change_id":{},"instrument_name":"{name}","change_id":{},"bids":[{bids}],"asks":[{asks}]}}"#,
        1_790_133_840_448 + number,
        193_809_616_665 + number,
        193_809_616_666 + number,
    )
}

fn trades(draw: &mut Draw, name: &str) -> String {
    let trade = |draw: &mut Draw| {
        format!(
            concat!(
                r#"{{"trade_seq":{},"trade_id":"{}","timestamp":{},"tick_direction":{},"price":{},"mark_price":{},"#,
                r#""instrument_name":"{}","index_price":{},"direction":"{}","contracts":{},"amount":{}}}"#
            ),
            draw.below(300_000_000),
            draw.below(400_000_000),
            1_790_133_840_448 + draw.below(1_000_000),
            draw.below(4),
            draw.price(),
            draw.price(),
            name,
            draw.price(),
            ["buy", "sell"][draw.below(2) as usize],
            draw.amount(),
            draw.amount(),
        )
    };
    let count = 1 + draw.below(2);
    format!("[{}]", (0..count).map(|_| trade(draw)).collect::<Vec<_>>().join(","))
}
