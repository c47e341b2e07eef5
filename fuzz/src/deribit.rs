//! A session that speaks with Deribit: it logs in, renews its login, answers heartbeats and pays credits.

use serde_json::{Value, json};
use steadysocket::deribit::{Access, Adapter, CancelOnDisconnect, Options};

use crate::life::{self, Venue};

/// The first byte chooses how it logs in, and what else it asks for.
pub fn run(data: &[u8]) {
    let (choice, data) = data.split_first().unwrap_or((&0, data));
    let options = Options::testnet();
    let options = match choice % 4 {
        0 => options,
        1 => options.credentials("id", "secret"),
        2 => options.signed_credentials("id", "secret"),
        _ => options.credentials("id", "secret").attach_token(true).scope("trade:read_write"),
    };
    // Without a login it cannot be had.
    let options = match choice & 16 {
        0 => options,
        _ => options.cancel_on_disconnect(CancelOnDisconnect::Connection),
    };
    let config = options.config().expect("the venue's own address");
    life::run(data, Deribit { options, has_login: choice % 4 != 0 }, config);
}

struct Deribit {
    options: Options,
    has_login: bool,
}

impl Venue for Deribit {
    type Protocol = Adapter;
    const CHANNELS: &'static [&'static str] = &[
        "ticker.BTC-PERPETUAL.100ms",
        "book.BTC-PERPETUAL.100ms",
        "book.BTC-PERPETUAL.raw",
        "user.orders.any.any.raw",
        "quote.ETH-PERPETUAL",
    ];
    const METHODS: &'static [&'static str] = &[
        "public/test",
        "private/buy",
        "private/cancel",
        "private/get_positions",
        "public/get_instruments",
        "public/auth",
        "private/logout",
    ];

    fn protocol(&self) -> Adapter {
        Adapter::new(self.options.clone())
    }

    fn result(&self, method: &str, params: &Value) -> Value {
        match method.split_once('/').map_or(method, |(_, name)| name) {
            "hello" | "test" => json!({ "version": "1.2.26" }),
            "get_time" => json!(1_790_000_000_000_u64),
            "auth" => json!({
                "access_token": "token", "refresh_token": "refresh", "expires_in": 900, "token_type": "bearer",
                "scope": "connection mainaccount trade:read_write",
            }),
            "subscribe" | "unsubscribe" => params["channels"].clone(),
            "get_account_summary" => {
                json!({ "limits": { "non_matching_engine": { "burst": 100, "rate": 20 } } })
            }
            _ => json!("ok"),
        }
    }

    fn grants(&self, channel: &str) -> bool {
        self.has_login || Access::of(channel) == Access::Public
    }
}
