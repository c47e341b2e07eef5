//! Options from JavaScript: camelCase names, milliseconds.

use js_sys::{Array, Function, Promise};
use steadysocket::config::{Backoff, Heartbeat, OutboundLimit, Overflow, Queue, WhenBlocked};
use steadysocket::deribit::{Adapter, Environment, Options};
use steadysocket::error::ConfigError;
use steadysocket::{Config, JsonRpc, Protocol, Request, Web};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::objects::{member, millis, number, text};

/// A URL, or a function that gives one or a promise of one.
pub fn config(url: &JsValue, options: &JsValue) -> Result<Config, ConfigError> {
    let mut config = match url.dyn_ref::<Function>() {
        Some(provider) => {
            let provider = provider.clone();
            Config::with_provider(move || ask(provider.clone()))
        }
        None => Config::new(url.as_string().unwrap_or_default())?,
    };
    if let Some(names) = member(options, "subprotocols") {
        for name in Array::from(&names) {
            config = config.subprotocol(name.as_string().unwrap_or_default())?;
        }
    }
    let flag =
        |name, value: &mut bool| *value = member(options, name).map_or(*value, |given| given.is_truthy());
    let time = |name, value: &mut _| *value = millis(options, name).unwrap_or(*value);
    flag("allowPlaintext", &mut config.allow_plaintext);
    flag("retryInitialConnect", &mut config.retry_initial_connect);
    flag("retryIdempotent", &mut config.retry_idempotent);
    time("connectTimeout", &mut config.connect_timeout);
    time("closeTimeout", &mut config.close_timeout);
    time("callTimeout", &mut config.call_timeout);
    config.when_offline = when(options, "whenOffline")?.unwrap_or(config.when_offline);
    config.when_limited = when(options, "whenLimited")?.unwrap_or(config.when_limited);
    config.max_message = size(options, "maxMessage").unwrap_or(config.max_message);
    if let Some(given) = member(options, "backoff") {
        config.backoff = backoff(&given, config.backoff);
    }
    if let Some(given) = member(options, "heartbeat") {
        config.heartbeat = given.is_truthy().then(|| heartbeat(&given));
    }
    if let Some(given) = member(options, "outbound") {
        let OutboundLimit { messages, bytes } = config.outbound;
        let (messages, bytes) =
            (size(&given, "messages").unwrap_or(messages), size(&given, "bytes").unwrap_or(bytes));
        config.outbound = OutboundLimit { messages, bytes };
    }
    if let Some(given) = member(options, "queue") {
        config.queue = queue(&given, config.queue)?;
    }
    Ok(config)
}

/// The transport, with another `WebSocket` class when one is given.
pub fn transport(options: &JsValue) -> Web {
    match member(options, "WebSocket") {
        Some(class) => Web::with_class(class.unchecked_into()),
        None => Web::new(),
    }
}

/// Deribit when it is asked for, else JSON-RPC with the probe that is given.
pub fn protocol(options: &JsValue) -> Result<Box<dyn Protocol>, ConfigError> {
    let Some(given) = member(options, "deribit") else {
        let rpc = JsonRpc::new();
        return Ok(Box::new(match member(options, "probe") {
            Some(given) => rpc.probe(request(&given)),
            None => rpc,
        }));
    };
    let environment = match text(&given, "environment").as_deref() {
        Some("production") => Environment::Production,
        Some("testnet") => Environment::Testnet,
        None | Some("other") => Environment::Other,
        Some(_) => return Err(wrong("environment", "must be production, testnet or other")),
    };
    let mut deribit = Options::local().environment(environment);
    if let (Some(name), Some(version)) = (text(&given, "name"), text(&given, "version")) {
        deribit = deribit.client(name, version);
    }
    if let Some(interval) = millis(&given, "heartbeat") {
        deribit = deribit.heartbeat(interval);
    }
    Ok(Box::new(Adapter::new(deribit)))
}

/// `{ method, params }`, the parameters as JSON text.
pub fn request(given: &JsValue) -> Request {
    Request { method: text(given, "method").unwrap_or_default().into(), params: text(given, "params") }
}

/// A queue's policy; what is not given is as in `default`.
pub fn queue(given: &JsValue, default: Queue) -> Result<Queue, ConfigError> {
    let overflow = match text(given, "overflow").as_deref() {
        None => default.overflow,
        Some("drop-oldest") => Overflow::DropOldest,
        Some("drop-newest") => Overflow::DropNewest,
        Some("latest") => Overflow::Latest,
        Some("close") => Overflow::Close,
        Some(_) => return Err(wrong("queue.overflow", "must be drop-oldest, drop-newest, latest or close")),
    };
    Ok(Queue {
        capacity: size(given, "capacity").unwrap_or(default.capacity),
        bytes: size(given, "bytes").unwrap_or(default.bytes),
        overflow,
    })
}

async fn ask(provider: Function) -> Result<String, String> {
    let failed = |error: JsValue| text(&error, "message").or(error.as_string()).unwrap_or("failed".into());
    let given = provider.call0(&JsValue::UNDEFINED).map_err(failed)?;
    let url = JsFuture::from(Promise::resolve(&given)).await.map_err(failed)?;
    url.as_string().ok_or_else(|| "the URL is not a string".into())
}

fn backoff(given: &JsValue, default: Backoff) -> Backoff {
    Backoff {
        base: millis(given, "base").unwrap_or(default.base),
        factor: number(given, "factor").map_or(default.factor, |factor| factor as u32),
        cap: millis(given, "cap").unwrap_or(default.cap),
        max_attempts: number(given, "maxAttempts").filter(|most| most.is_finite()).map(|most| most as u32),
        min_uptime: millis(given, "minUptime").unwrap_or(default.min_uptime),
    }
}

fn heartbeat(given: &JsValue) -> Heartbeat {
    let default = Heartbeat::default();
    Heartbeat {
        idle: millis(given, "idle").unwrap_or(default.idle),
        timeout: millis(given, "timeout").unwrap_or(default.timeout),
    }
}

fn when(options: &JsValue, name: &'static str) -> Result<Option<WhenBlocked>, ConfigError> {
    match text(options, name).as_deref() {
        None => Ok(None),
        Some("wait") => Ok(Some(WhenBlocked::Wait)),
        Some("refuse") => Ok(Some(WhenBlocked::Refuse)),
        Some(_) => Err(wrong(name, "must be wait or refuse")),
    }
}

fn size(object: &JsValue, name: &str) -> Option<usize> {
    number(object, name).map(|size| size as usize)
}

fn wrong(field: &'static str, problem: &str) -> ConfigError {
    ConfigError { field, problem: problem.into() }
}
