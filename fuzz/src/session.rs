//! A session that speaks plain JSON-RPC.

use serde_json::{Value, json};
use steadysocket::{Config, JsonRpc};

use crate::life::{self, Venue};

pub fn run(data: &[u8]) {
    life::run(data, Plain, Config::new("wss://example.com").expect("a URL"));
}

struct Plain;

impl Venue for Plain {
    type Protocol = JsonRpc;
    const CHANNELS: &'static [&'static str] = &["a", "b", "c", "\"", ""];
    const METHODS: &'static [&'static str] = &["get", "put"];

    fn protocol(&self) -> JsonRpc {
        JsonRpc::new()
    }

    fn result(&self, method: &str, params: &Value) -> Value {
        match method {
            "subscribe" | "unsubscribe" => params["channels"].clone(),
            _ => json!("ok"),
        }
    }
}
