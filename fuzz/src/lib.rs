//! What the fuzzer's targets do with their bytes. Each is an ordinary function, so that `cargo test` can run the corpora
//! without a fuzzer.
//!
//! | target | what it feeds | what must hold |
//! | --- | --- | --- |
//! | `json` | the JSON reader | it takes and refuses what `serde_json` does, with the same values |
//! | `classify` | messages to `JsonRpc` | each is what the specification says of it, judged from `serde_json`'s values |
//! | `upgrade` | the response to an upgrade, in pieces | how it is cut changes nothing; `Retry-After` is read right |
//! | `url` | URLs | it takes none that the `url` crate refuses, and reads the same parts |
//! | `channel` | names of channels | text and type convert into each other without loss |
//! | `book` | book messages | the levels are those of a plain map; no message is applied by half |
//! | `recording` | recordings to the reader and the replay | nothing panics, and a second replay is as the first |
//! | `session` | a whole life of a `Session` | see [`life`] |
//! | `deribit` | the same with Deribit's login, renewal and credits | see [`life`] |

pub mod book;
pub mod channel;
pub mod classify;
pub mod deribit;
pub mod json;
pub mod life;
pub mod recording;
pub mod session;
pub mod upgrade;
pub mod url;

// What the sources below call `crate::config` and `crate::error`.
use steadysocket::{config, error};

/// The reader, which the library keeps to itself.
#[allow(dead_code, reason = "not all of it is of use here")]
#[path = "../../src"]
mod reader {
    pub(crate) mod json;
}

/// The client's half of the handshake, which the library keeps to itself.
#[allow(dead_code, reason = "not all of it is of use here")]
#[path = "../../platform/native/upgrade.rs"]
mod handshake;
