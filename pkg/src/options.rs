//! Options from JavaScript: camelCase names, milliseconds.

use std::borrow::Cow;

use js_sys::{Array, Function, Promise};
use steadysocket::config::{Backoff, Heartbeat, OutboundLimit, Overflow, Queue, WhenBlocked};
use steadysocket::deribit::{Adapter, CancelOnDisconnect, Clock, Environment, Matching, Options, SignError};
use steadysocket::error::ConfigError;
use steadysocket::jsonrpc::Subscriptions;
use steadysocket::platform::BoxFuture;
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

/// How the server speaks, and its clock where the protocol knows it.
pub fn protocol(options: &JsValue) -> Result<(Box<dyn Protocol>, Option<Clock>), ConfigError> {
    match member(options, "deribit") {
        Some(given) => {
            let adapter = Adapter::new(deribit(&given)?);
            let clock = adapter.clock();
            Ok((Box::new(adapter), Some(clock)))
        }
        None => Ok((Box::new(json_rpc(options)?), None)),
    }
}

fn json_rpc(options: &JsValue) -> Result<JsonRpc, ConfigError> {
    let mut rpc = JsonRpc::new();
    if member(options, "strict").is_some_and(|strict| strict.is_truthy()) {
        rpc = rpc.strict();
    }
    if let Some(prefix) = text(options, "stringIds") {
        rpc = rpc.string_ids(prefix);
    }
    if let Some(given) = member(options, "probe") {
        rpc = rpc.probe(request(&given));
    }
    if let Some(given) = member(options, "subscriptions") {
        let mut subscriptions = match text(&given, "style").as_deref() {
            None | Some("channel") => Subscriptions::by_channel(),
            Some("id") => Subscriptions::by_id(),
            Some(_) => return Err(wrong("subscriptions.style", "must be channel or id")),
        };
        let method = |name, value: &mut Cow<'static, str>| {
            if let Some(method) = text(&given, name) {
                *value = method.into();
            }
        };
        method("subscribe", &mut subscriptions.subscribe);
        method("unsubscribe", &mut subscriptions.unsubscribe);
        method("notification", &mut subscriptions.notification);
        rpc = rpc.subscriptions(subscriptions);
    }
    Ok(rpc)
}

fn deribit(given: &JsValue) -> Result<Options, ConfigError> {
    let mut options = Options::local().environment(match text(given, "environment").as_deref() {
        Some("production") => Environment::Production,
        Some("testnet") => Environment::Testnet,
        None | Some("other") => Environment::Other,
        Some(_) => return Err(wrong("environment", "must be production, testnet or other")),
    });
    if let (Some(name), Some(version)) = (text(given, "name"), text(given, "version")) {
        options = options.client(name, version);
    }
    if let Some(interval) = millis(given, "heartbeat") {
        options = options.heartbeat(interval);
    }
    if let Some(key) = member(given, "credentials") {
        let id = text(&key, "id").unwrap_or_default();
        options = match member(&key, "sign") {
            Some(sign) => options.signer(id, signer(sign.unchecked_into())),
            None => options.credentials(id, text(&key, "secret").unwrap_or_default()),
        };
    }
    if let Some(scope) = text(given, "scope") {
        options = options.scope(scope);
    }
    options = options
        .attach_token(member(given, "attachToken").is_some_and(|attach| attach.is_truthy()))
        .cancel_on_disconnect(match text(given, "cancelOnDisconnect").as_deref() {
            None | Some("as-account") => CancelOnDisconnect::AsAccount,
            Some("off") => CancelOnDisconnect::Off,
            Some("connection") => CancelOnDisconnect::Connection,
            Some("account") => CancelOnDisconnect::Account,
            Some(_) => {
                return Err(wrong("cancelOnDisconnect", "must be as-account, off, connection or account"));
            }
        });
    if let Some(matching) = member(given, "matching") {
        let credits = |name, default| number(&matching, name).map_or(default, |credits| credits as u64);
        let Matching { rate, burst } = Matching::TIER_4;
        options = options.matching(Matching { rate: credits("rate", rate), burst: credits("burst", burst) });
    }
    options.validate()?;
    Ok(options)
}

/// Asks a function for signatures. It refuses by an error named `NotAllowedError`, as browsers do.
fn signer(sign: Function) -> impl Fn(String) -> BoxFuture<Result<String, SignError>> {
    move |to_sign| {
        let sign = sign.clone();
        Box::pin(async move {
            let signature = call(&sign, &to_sign.into()).await.map_err(|error| {
                match text(&error, "name").as_deref() {
                    Some("NotAllowedError") => SignError::Refused(message(&error)),
                    _ => SignError::Unavailable(message(&error)),
                }
            })?;
            signature
                .as_string()
                .ok_or_else(|| SignError::Unavailable("the signature is not a string".into()))
        })
    }
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
    let url = call(&provider, &JsValue::UNDEFINED).await.map_err(|error| message(&error))?;
    url.as_string().ok_or_else(|| "the URL is not a string".into())
}

/// What a function gives, or what the promise gives that it gives.
async fn call(function: &Function, argument: &JsValue) -> Result<JsValue, JsValue> {
    let given = function.call1(&JsValue::UNDEFINED, argument)?;
    JsFuture::from(Promise::resolve(&given)).await
}

fn message(error: &JsValue) -> String {
    text(error, "message").or(error.as_string()).unwrap_or("failed".into())
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

/// A value that cannot be used.
pub fn wrong(field: &'static str, problem: &str) -> ConfigError {
    ConfigError { field, problem: problem.into() }
}
