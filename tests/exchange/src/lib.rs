//! A local exchange that speaks Deribit's JSON-RPC over WebSocket, on loopback, and misbehaves on command.
//!
//! It is written from the venue's documents and shares nothing with any client, so that a mistake in one is
//! seen by the other.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use steadysocket_exchange::{Exchange, Fault, Target};
//!
//! let exchange = Exchange::builder().seed(7).start().await?;
//! println!("connect to {}", exchange.url());
//! exchange.wait_until(|journal| journal.subscribed("book.BTC-PERPETUAL.100ms")).await;
//! exchange.fault(Target::All, Fault::Reset);
//! # Ok(())
//! # }
//! ```
//!
//! ```text
//!              ┌ server/upgrade ─ door? limit? path? ─► connection ─► rpc/session ─► rpc/methods ─► reply
//! TCP ─► TLS? ─┘                                            ▲                          │        │ subscribe
//!                                                           │              orders      ▼        ▼
//!                                                           ├── outbox ◄── matcher ─► engine ─► channels
//!                                                           └──────────────────────────▲───────┘
//!                                                                     market, once a beat
//! ```

mod accounts;
mod api;
mod builder;
mod channels;
mod clock;
mod connection;
mod credits;
mod engine;
mod exchange;
mod faults;
mod journal;
mod json;
mod ledger;
mod market;
mod matcher;
mod playback;
mod rpc;
mod server;
mod state;

pub use crate::accounts::account::{Account, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET};
pub use crate::builder::Builder;
pub use crate::connection::ending::Closed;
pub use crate::credits::{Bucket, CreditPolicy, Tier};
pub use crate::exchange::Exchange;
pub use crate::faults::command::{COMMANDS, CommandError, parse_time};
pub use crate::faults::door::{Door, Span};
pub use crate::faults::orders::Cut;
pub use crate::faults::{Fault, Target};
pub use crate::journal::{ConnectionRecord, Journal, Refusal, RequestRecord};
pub use crate::ledger::{Ledger, LedgerFill, LedgerOrder, LedgerRequest};
pub use crate::market::BookView;
pub use crate::playback::{Playback, PlaybackServer};
