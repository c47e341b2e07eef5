//! A client for JavaScript.

use js_sys::{Array, Promise, Uint8Array};
use steadysocket::config::Queue;
use steadysocket::deribit::Deribit;
use steadysocket::error::{ConfigError, RpcError};
use steadysocket::{Client, CloseCode, Message, Protocol, Request, start};
use wasm_bindgen::prelude::*;

use crate::limiter::SharedLimiter;
use crate::objects::{duration, in_millis, number, object, text};
use crate::promise::{Cancel, promise};
use crate::stream::Updates;
use crate::{errors, health, options, stream};

/// A handle to one connection that stays up.
#[wasm_bindgen]
pub struct Core {
    pub(crate) client: Client,
    queue: Queue,
    /// The same client, when it speaks to Deribit.
    deribit: Option<Deribit>,
}

#[wasm_bindgen]
impl Core {
    /// Starts a client.
    ///
    /// # Errors
    /// An error object for an option that cannot work.
    #[wasm_bindgen(constructor)]
    pub fn new(url: &JsValue, options: &JsValue, limiter: Option<SharedLimiter>) -> Result<Core, JsValue> {
        Self::start(url, options, limiter).map_err(errors::config)
    }

    fn start(url: &JsValue, options: &JsValue, limiter: Option<SharedLimiter>) -> Result<Core, ConfigError> {
        let mut config = options::config(url, options)?;
        let (protocol, clock) = options::protocol(options)?;
        config.limiter = limiter.map(|shared| shared.limiter(protocol.buckets())).transpose()?;
        let queue = config.queue;
        let client = start(config, protocol, options::transport(options))?;
        let deribit = clock.map(|clock| Deribit::over(client.clone(), clock));
        Ok(Self { client, queue, deribit })
    }

    /// Until it is live.
    pub fn ready(&self, cancel: Option<Cancel>) -> Promise {
        let client = self.client.clone();
        promise(cancel, async move { client.ready().await.map(|()| JsValue::UNDEFINED) })
    }

    /// Calls a method; the promise gives the result's text.
    pub fn call(
        &self,
        method: String,
        params: Option<String>,
        timeout: Option<f64>,
        cancel: Option<Cancel>,
    ) -> Promise {
        let mut call = self.client.request(Request { method: method.into(), params });
        if let Some(timeout) = timeout {
            call = call.timeout(duration(timeout));
        }
        promise(cancel, async move { call.await.map(|payload| errors::payload(&payload)) })
    }

    /// How long a call may take by default, in milliseconds.
    pub fn call_timeout(&self) -> f64 {
        in_millis(self.client.call_timeout())
    }

    /// Sends a notification.
    pub fn notify(&self, method: String, params: Option<String>, cancel: Option<Cancel>) -> Promise {
        let sent = self.client.notification(Request { method: method.into(), params });
        promise(cancel, async move { sent.await.map(|_| JsValue::UNDEFINED) })
    }

    /// Sends requests `{ method, params }` as one message; the promise gives an array of outcomes.
    pub fn batch(&self, requests: Array, cancel: Option<Cancel>) -> Promise {
        let requests: Vec<_> = requests.iter().map(|given| options::request(&given)).collect();
        let client = self.client.clone();
        promise(cancel, async move {
            let outcomes = Array::new();
            for outcome in client.batch(requests).await {
                outcomes.push(&match outcome {
                    Ok(payload) => object([("value", errors::payload(&payload))]),
                    Err(error) => object([("reason", errors::error(&error))]),
                });
            }
            Ok(outcomes.into())
        })
    }

    /// Sends a string or bytes as they are.
    pub fn send(&self, data: JsValue, cancel: Option<Cancel>) -> Promise {
        let message: Message = match data.as_string() {
            Some(text) => text.into(),
            None => Uint8Array::new(&data).to_vec().into(),
        };
        let client = self.client.clone();
        promise(cancel, async move { client.send(message).await.map(|()| JsValue::UNDEFINED) })
    }

    /// Answers a request of the server's with JSON text, or with an error `{ code, message, data }`.
    pub fn respond(
        &self,
        id: String,
        result: Option<String>,
        error: &JsValue,
        cancel: Option<Cancel>,
    ) -> Promise {
        let error = RpcError {
            data: text(error, "data"),
            ..RpcError::new(
                number(error, "code").unwrap_or_default() as i64,
                text(error, "message").unwrap_or_default(),
            )
        };
        let client = self.client.clone();
        promise(cancel, async move {
            let result = result.as_deref().ok_or(&error);
            client.respond_json(&id, result).await.map(|()| JsValue::UNDEFINED)
        })
    }

    /// Subscribes; the promise gives [`Updates`].
    pub fn subscribe(&self, channel: String, options: &JsValue, cancel: Option<Cancel>) -> Promise {
        let queue = options::queue(options, self.queue);
        let client = self.client.clone();
        promise(cancel, async move {
            let subscription = client.subscribe_with(channel, queue?).await?;
            Ok(Updates::of_data(subscription).into())
        })
    }

    /// Everything else that the server says.
    pub fn messages(&self) -> Updates {
        Updates::of_messages(self.client.messages())
    }

    /// What happens to the connection.
    pub fn events(&self) -> Updates {
        Updates::of_events(self.client.events())
    }

    /// Where the connection is.
    pub fn state(&self) -> JsValue {
        stream::state(&self.client.state())
    }

    /// The connection's counters.
    pub fn stats(&self) -> JsValue {
        let stats = self.client.stats();
        let count = |count: u64| JsValue::from(count as f64);
        object([
            ("received", count(stats.received)),
            ("receivedBytes", count(stats.received_bytes)),
            ("sent", count(stats.sent)),
            ("connections", count(stats.connections)),
            ("disconnects", count(stats.disconnects)),
            ("silence", stats.heard.map(|heard| in_millis(self.client.now().since(heard))).into()),
            ("question", stats.asked.map(|asked| in_millis(self.client.now().since(asked))).into()),
            ("waiting", stats.waiting.into()),
            ("inFlight", stats.in_flight.into()),
            ("desired", stats.desired.into()),
            ("confirmed", stats.confirmed.into()),
        ])
    }

    /// How the client is.
    pub fn health(&self) -> Array {
        health::health(&self.client.health())
    }

    /// What Deribit's clock says, once that is known: milliseconds since 1970, and how far off that may be.
    pub fn server_time(&self) -> JsValue {
        let time = self.deribit.as_ref().and_then(Deribit::server_time);
        time.map_or(JsValue::UNDEFINED, |time| {
            object([("time", (time.micros as f64 / 1000.0).into()), ("error", in_millis(time.error).into())])
        })
    }

    /// Logs out of Deribit and ends the client.
    pub fn logout(&self, cancel: Option<Cancel>) -> Promise {
        let deribit = self.deribit.clone();
        promise(cancel, async move {
            if let Some(deribit) = deribit {
                deribit.logout().await?;
            }
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Makes a new connection.
    pub fn reconnect(&self) {
        self.client.reconnect();
    }

    /// Takes on nothing new, and closes once everything under way has ended, or after this time.
    pub fn drain(&self, timeout: f64) -> Promise {
        let client = self.client.clone();
        promise(None, async move {
            client.drain(duration(timeout)).await;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Closes with a code and reason.
    pub fn close(&self, options: &JsValue, cancel: Option<Cancel>) -> Promise {
        let code = number(options, "code").unwrap_or(1000.0);
        let reason = text(options, "reason").unwrap_or_default();
        let client = self.client.clone();
        promise(cancel, async move {
            client.close_with(CloseCode(code as u16), &reason).await?;
            Ok(JsValue::UNDEFINED)
        })
    }
}
