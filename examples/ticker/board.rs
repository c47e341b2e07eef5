//! What is known: the rows of the table and the state of the connection. It shows nothing by itself.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use steadysocket::{Event, State, Stats, Update};
use tokio::time::Instant;

use crate::market::{LastTrade, Reading};

/// Over how long the message rate is measured.
const RATE_WINDOW: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Board {
    pub url: String,
    pub started: Instant,
    pub rows: Vec<Row>,
    /// Where the connection is, and since when.
    pub state: (State, Instant),
    pub updates: u64,
    /// How often the connection was live again after it had been lost.
    pub reconnects: u64,
    pub last_disconnect: Option<(String, Instant)>,
    received: VecDeque<(Instant, u64)>,
}

/// One subscription.
#[derive(Debug)]
pub struct Row {
    pub channel: String,
    pub reading: Option<Reading>,
    pub heard: Option<Instant>,
    pub updates: u64,
    pub health: Health,
}

/// What a reading is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Live,
    /// The connection was lost: the reading is from before.
    Stale,
    /// The server refused the channel on the new connection. The library asks for it again from time to time.
    Refused,
}

/// Something to tell.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum News {
    Update {
        channel: String,
        #[serde(flatten)]
        reading: Reading,
    },
    State {
        state: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        attempt: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        delay_ms: Option<u64>,
    },
    Disconnected {
        reason: String,
    },
    Interrupted {
        channel: String,
        reason: String,
    },
    Resumed {
        channel: String,
    },
    Lagged {
        channel: String,
        lost: u64,
    },
    Refused {
        channel: String,
        reason: String,
    },
    Invalid {
        channel: String,
        problem: String,
    },
    Summary {
        updates: u64,
        reconnects: u64,
        /// Channels that we want and that the server has not confirmed on the present connection.
        lost_subscriptions: usize,
    },
}

impl Board {
    pub fn new(url: &str, state: State, channels: Vec<String>) -> Self {
        let now = Instant::now();
        let row = |channel| Row { channel, reading: None, heard: None, updates: 0, health: Health::Live };
        Self {
            url: url.to_owned(),
            started: now,
            rows: channels.into_iter().map(row).collect(),
            state: (state, now),
            updates: 0,
            reconnects: 0,
            last_disconnect: None,
            received: VecDeque::new(),
        }
    }

    /// Takes an update of a row. Data comes in order with what happened to it, so a row always knows its worth.
    pub fn update(&mut self, row: usize, update: Update<Reading>) -> News {
        let row = &mut self.rows[row];
        let channel = row.channel.clone();
        match update {
            Update::Data(reading) => {
                self.updates += 1;
                row.updates += 1;
                row.heard = Some(Instant::now());
                row.reading = Some(reading.clone());
                News::Update { channel, reading }
            }
            Update::Interrupted(reason) => {
                row.health = Health::Stale;
                News::Interrupted { channel, reason: reason.to_string() }
            }
            Update::Resumed => {
                row.health = Health::Live;
                News::Resumed { channel }
            }
            Update::Refused(reason) => {
                row.health = Health::Refused;
                News::Refused { channel, reason: reason.to_string() }
            }
            Update::Lagged(lost) => News::Lagged { channel, lost },
            Update::Invalid(error) => News::Invalid { channel, problem: error.to_string() },
            other => News::Invalid { channel, problem: format!("{other:?}") },
        }
    }

    /// Takes an event of the connection, of which some are worth telling.
    pub fn event(&mut self, event: Event) -> Option<News> {
        match event {
            Event::State(state) => Some(self.state(state)),
            Event::Disconnected(reason) => {
                let reason = reason.to_string();
                self.last_disconnect = Some((reason.clone(), Instant::now()));
                Some(News::Disconnected { reason })
            }
            // Refused channels are told by their own streams; the rest is for the curious.
            _ => None,
        }
    }

    pub fn state(&mut self, state: State) -> News {
        // The board is made once the connection is live, so whenever it is live again it was lost before.
        self.reconnects += u64::from(state == State::Live);
        self.state = (state, Instant::now());
        let state = &self.state.0;
        let (attempt, delay_ms) = match state {
            State::Connecting { attempt } => (Some(*attempt), None),
            State::Waiting { attempt, delay, .. } => (Some(*attempt), u64::try_from(delay.as_millis()).ok()),
            _ => (None, None),
        };
        News::State { state: word(state), attempt, delay_ms }
    }

    /// Notes how many messages have been received by now.
    pub fn measure(&mut self, received: u64) {
        let now = Instant::now();
        self.received.push_back((now, received));
        while self.received.front().is_some_and(|(then, _)| now - *then > RATE_WINDOW) {
            self.received.pop_front();
        }
    }

    /// Messages a second.
    pub fn rate(&self) -> f64 {
        match (self.received.front(), self.received.back()) {
            (Some((start, before)), Some((end, after))) if end > start => {
                (after - before) as f64 / (*end - *start).as_secs_f64()
            }
            _ => 0.0,
        }
    }

    pub fn summary(&self, stats: &Stats) -> News {
        News::Summary {
            updates: self.updates,
            reconnects: self.reconnects,
            lost_subscriptions: stats.desired.saturating_sub(stats.confirmed),
        }
    }
}

/// A state in one word.
pub fn word(state: &State) -> &'static str {
    match state {
        State::Connecting { .. } => "connecting",
        State::Restoring => "restoring",
        State::Live => "live",
        State::Waiting { .. } => "waiting",
        State::Closing => "closing",
        State::Ended(_) => "ended",
        _ => "unknown",
    }
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Update { channel, reading } => write!(f, "{channel}  {reading}"),
            Self::State { state, attempt: Some(attempt), delay_ms: Some(delay) } => {
                write!(f, "{state} {:.1} s for attempt {attempt}", *delay as f64 / 1000.0)
            }
            Self::State { state, attempt: Some(attempt), .. } => write!(f, "{state}, attempt {attempt}"),
            Self::State { state, .. } => f.write_str(state),
            Self::Disconnected { reason } => write!(f, "disconnected: {reason}"),
            Self::Interrupted { channel, reason } => write!(f, "{channel}  interrupted: {reason}"),
            Self::Resumed { channel } => write!(f, "{channel}  resumed"),
            Self::Lagged { channel, lost } => write!(f, "{channel}  {lost} updates lost: we are too slow"),
            Self::Refused { channel, reason } => write!(f, "{channel}  refused: {reason}"),
            Self::Invalid { channel, problem } => write!(f, "{channel}  {problem}"),
            Self::Summary { updates, reconnects, lost_subscriptions } => write!(
                f,
                "{updates} updates, {reconnects} reconnects, {lost_subscriptions} lost subscriptions"
            ),
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [bid, ask, detail] = self.columns();
        match self {
            Self::Trades { .. } => f.write_str(&detail),
            _ => write!(f, "{bid} / {ask}  {detail}"),
        }
    }
}

impl Reading {
    /// The best bid and ask, and the rest in few words.
    pub fn columns(&self) -> [String; 3] {
        match self {
            Self::Ticker { bid, ask, last, change, .. } => {
                let change = change.map(|percent| format!(" {percent:+.2}%")).unwrap_or_default();
                [price(*bid), price(*ask), price(*last) + &change]
            }
            Self::Quote { bid, ask, .. } => [price(*bid), price(*ask), String::new()],
            Self::Book { bid, ask, bid_depth, ask_depth, .. } => {
                [price(*bid), price(*ask), format!("{bid_depth:.0} : {ask_depth:.0}")]
            }
            Self::Trades { last, .. } => {
                let describe = |last: &LastTrade| {
                    format!("{} {} {}", last.direction, last.amount, price(Some(last.price)))
                };
                [String::new(), String::new(), last.as_ref().map(describe).unwrap_or_default()]
            }
        }
    }
}

/// A price with as many decimals as its size asks for, so that a column of changing prices stands still.
fn price(price: Option<f64>) -> String {
    match price {
        Some(price) if price.abs() >= 10.0 => format!("{price:.2}"),
        Some(price) => format!("{price:.4}"),
        None => "–".to_owned(),
    }
}
