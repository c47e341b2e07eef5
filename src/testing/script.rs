//! A JSON-RPC server that does what its test says.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::{Value, json};

use super::net::{ConnId, Net};
use super::venue::{Dial, Venue};
use super::world::World;
use crate::error::ConnectError;
use crate::frame::{CloseFrame, Frame, Message};
use crate::time::Instant;

/// A JSON-RPC 2.0 server of a [`World`], scripted by its test. Clones are handles to the same server.
///
/// Without a word of the test it accepts every connection, answers `subscribe` and `unsubscribe` with the channels that it
/// was given, also as `public/subscribe` and `private/subscribe` as Deribit calls them, pings with pongs, and everything
/// else with error -32601.
///
/// ```
/// use std::time::Duration;
///
/// use serde_json::{Value, json};
/// use steadysocket::testing::{Answer, Script, World};
/// use steadysocket::{Client, Config, Error, JsonRpc, Update};
///
/// /// What is tested: buys once when the price falls below 10, and says whether that is known to have happened.
/// async fn buy_the_dip(client: Client) -> Result<bool, Error> {
///     let mut prices = client.subscribe_as::<f64>("price").await?;
///     while let Some(update) = prices.next().await {
///         if let Update::Data(..10.0) = update {
///             return match client.call::<Value>("buy", json!({ "tag": "dip-1" })).await {
///                 Ok(_) => Ok(true),
///                 // It may have been executed: ask, and do not buy again.
///                 Err(Error::Unknown(_)) => client.call("is_bought", json!({ "tag": "dip-1" })).await,
///                 Err(other) => Err(other),
///             };
///         }
///     }
///     Ok(false)
/// }
///
/// let server = Script::new();
/// // The order is executed, and the connection is cut before the answer arrives.
/// server.on("buy", |_| Answer::Cut);
/// server.on("is_bought", |_| Answer::Result(json!(true)));
/// let world = World::new(1, server.clone());
/// let client = world.client(Config::new("wss://venue.example")?, JsonRpc::new());
///
/// let (there, inner) = (server.clone(), world.clone());
/// world.spawn(async move {
///     for price in [12.0, 11.0, 9.0] {
///         inner.sleep(Duration::from_secs(1)).await;
///         there.publish(&inner, "price", &json!(price));
///     }
/// });
/// assert_eq!(world.run(buy_the_dip(client)), Ok(true));
/// server.assert_sent(&["subscribe", "buy", "subscribe", "is_bought"]);
/// server.assert_never_twice("tag", "buy");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Script(Rc<RefCell<Inner>>);

type Rule = Box<dyn FnMut(&Received) -> Answer>;

#[derive(Default)]
struct Inner {
    rules: HashMap<String, Rule>,
    dials: Vec<Dial>,
    received: Vec<Received>,
    channels: BTreeMap<ConnId, BTreeSet<String>>,
    /// Answers to pings.
    is_deaf: bool,
}

/// A request or notification that arrived at a [`Script`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Received {
    /// When.
    pub at: Instant,
    /// On which connection.
    pub conn: ConnId,
    /// Its id; `None` for a notification.
    pub id: Option<Value>,
    /// Its method.
    pub method: String,
    /// Its parameters; null when there are none.
    pub params: Value,
}

/// What a [`Script`] makes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// This result.
    Result(Value),
    /// An error with this code and message.
    Error(i64, String),
    /// No word.
    Silence,
    /// The request was executed, and the connection drops before anything arrives.
    Cut,
    /// A close frame, and then the end.
    Close(CloseFrame),
}

impl Script {
    /// A server without rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// What becomes of requests with this method from now on, in the place of what became of them before.
    pub fn on(&self, method: impl Into<String>, rule: impl FnMut(&Received) -> Answer + 'static) {
        self.0.borrow_mut().rules.insert(method.into(), Box::new(rule));
    }

    /// The next attempts to connect fail like this, in this order; those after them are accepted.
    pub fn refuse(&self, errors: impl IntoIterator<Item = ConnectError>) {
        self.0.borrow_mut().dials.extend(errors.into_iter().map(Dial::Fail));
    }

    /// Whether pings are left without an answer from now on, as by a machine that hangs.
    pub fn deaf(&self, deaf: bool) {
        self.0.borrow_mut().is_deaf = deaf;
    }

    /// Sends data of a channel to every connection that subscribed to it.
    pub fn publish(&self, world: &World, channel: &str, data: &Value) {
        let params = json!({ "channel": channel, "data": data });
        let text = json!({ "jsonrpc": "2.0", "method": "subscription", "params": params }).to_string();
        let inner = self.0.borrow();
        let listeners = inner.channels.iter().filter(|(_, channels)| channels.contains(channel));
        world.net(|net| listeners.for_each(|(conn, _)| net.send_text(*conn, text.clone())));
    }

    /// Drops every open connection.
    pub fn cut(&self, world: &World) {
        let open: Vec<_> = self.0.borrow().channels.keys().copied().collect();
        world.net(|net| open.into_iter().for_each(|conn| net.end(conn, "cut")));
    }

    /// Everything that arrived, in order.
    pub fn received(&self) -> Vec<Received> {
        self.0.borrow().received.clone()
    }

    /// The parameters of every request with this method, in order.
    pub fn calls(&self, method: &str) -> Vec<Value> {
        let received = self.received().into_iter();
        received.filter(|request| request.method == method).map(|request| request.params).collect()
    }

    /// Expects that requests with these methods arrived, in this order, and no others.
    ///
    /// # Panics
    /// When others did.
    #[track_caller]
    pub fn assert_sent(&self, methods: &[&str]) {
        let received = self.received();
        let sent: Vec<_> = received.iter().map(|request| request.method.as_str()).collect();
        assert_eq!(sent, methods, "what arrived at the server, and what the test expects");
    }

    /// Expects that no two requests with this method have the same value in this member of their parameters.
    ///
    /// # Panics
    /// When two have.
    #[track_caller]
    pub fn assert_never_twice(&self, member: &str, method: &str) {
        let mut seen = BTreeSet::new();
        for params in self.calls(method) {
            let value = params[member].to_string();
            assert!(seen.insert(value.clone()), "{method} was sent twice with {member} {value}");
        }
    }
}

impl Inner {
    fn answer(&mut self, request: &Received) -> Answer {
        if let Some(rule) = self.rules.get_mut(&request.method) {
            return rule(request);
        }
        let subscribed = self.channels.entry(request.conn).or_default();
        let channels = || request.params["channels"].as_array().into_iter().flatten();
        let names = channels().filter_map(Value::as_str);
        let method = request.method.as_str();
        match ["public/", "private/"].iter().find_map(|area| method.strip_prefix(area)).unwrap_or(method) {
            "subscribe" => subscribed.extend(names.map(str::to_owned)),
            "unsubscribe" => {
                let left: BTreeSet<_> = names.collect();
                subscribed.retain(|channel| !left.contains(channel.as_str()));
            }
            _ => return Answer::Error(-32601, "the script says nothing of this method".into()),
        }
        Answer::Result(request.params["channels"].clone())
    }

    fn read(&mut self, net: &mut Net, conn: ConnId, message: &Value) {
        let id = message.get("id").filter(|id| !id.is_null()).cloned();
        let method = message["method"].as_str().unwrap_or_default().to_owned();
        let request = Received { at: net.now(), conn, id, method, params: message["params"].clone() };
        let answer = self.answer(&request);
        let id = request.id.clone();
        self.received.push(request);
        let reply = match (answer, id) {
            (Answer::Result(result), Some(id)) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            (Answer::Error(code, message), Some(id)) => {
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
            }
            (Answer::Cut, _) => return net.end(conn, "cut"),
            (Answer::Close(frame), _) => {
                net.send(conn, Frame::Close(Some(frame)));
                return net.end(conn, "closed");
            }
            (Answer::Silence, _) | (_, None) => return,
        };
        net.send_text(conn, reply.to_string());
    }
}

impl Venue for Script {
    fn dial(&mut self, _: &mut Net, _: ConnId) -> Dial {
        let dials = &mut self.0.borrow_mut().dials;
        if dials.is_empty() { Dial::Accept } else { dials.remove(0) }
    }

    fn opened(&mut self, _: &mut Net, conn: ConnId) {
        self.0.borrow_mut().channels.insert(conn, BTreeSet::new());
    }

    fn frame(&mut self, net: &mut Net, conn: ConnId, frame: Frame) {
        let mut inner = self.0.borrow_mut();
        match frame {
            Frame::Ping(payload) if !inner.is_deaf => net.send(conn, Frame::Pong(payload)),
            Frame::Close(frame) => {
                net.send(conn, Frame::Close(frame));
                net.end(conn, "closed");
            }
            Frame::Message(Message::Text(text)) => match serde_json::from_str(text.as_str()) {
                Ok(Value::Array(batch)) => batch.iter().for_each(|message| inner.read(net, conn, message)),
                Ok(message) => inner.read(net, conn, &message),
                Err(error) => panic!("the client sent what is no JSON: {error}: {text:?}"),
            },
            Frame::Ping(_) | Frame::Pong(_) | Frame::Message(Message::Binary(_)) => {}
        }
    }

    fn gone(&mut self, _: &mut Net, conn: ConnId) {
        self.0.borrow_mut().channels.remove(&conn);
    }
}
