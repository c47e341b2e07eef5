//! JSON-RPC 2.0 (<https://www.jsonrpc.org/specification>), all of it: calls, notifications and batches both ways.
//!
//! Where servers are known to bend the specification, reading is lenient unless [`JsonRpc::strict`] is chosen:
//!
//! | what comes | lenient | strict |
//! | --- | --- | --- |
//! | no `jsonrpc` member | read as 2.0 | invalid |
//! | `"error": null` beside a result, or `"result": null` beside an error | the null is ignored | invalid |
//! | an error that is no object with an integer `code` and a string `message` | answers the call: see below | invalid |
//! | `"params": null` | no parameters | invalid |
//!
//! A malformed error is kept whole in [`RpcError::data`], with the code 0 where it has none.
//!
//! Always invalid: text that is not JSON, another version, a member that comes twice, both or neither of result and
//! error, an empty batch. A result without an id, or with an id that this client cannot have sent (another type,
//! another prefix), answers nobody's call and goes to [`Client::messages`](crate::Client::messages). An invalid
//! message or element of a batch does no harm to its neighbours.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::error::{Advice, Category, Executed, Meaning, NotSent, RpcError};
use crate::frame::{Message, Text};
use crate::json::{self, Reader, Str};
use crate::payload::Payload;
use crate::protocol::{Confirmation, Inbound, Protocol, Request, RequestId, SubscribeLimits, Unmatched};
use crate::time::Instant;

mod envelope;
mod subscriptions;
#[cfg(test)]
mod tests;

pub(crate) use envelope::Extra;
use envelope::{Envelope, Wanted, read_error};
pub(crate) use subscriptions::channels;
pub use subscriptions::{Style, Subscriptions};

/// Any JSON-RPC 2.0 server.
///
/// ```
/// use steadysocket::{JsonRpc, Protocol, Request};
/// use steadysocket::protocol::RequestId;
/// use steadysocket::time::Instant;
///
/// let request = Request::with("subtract", &[42, 23])?;
/// let message = JsonRpc::new().encode(Instant::ZERO, Some(RequestId(1)), &request)?;
/// assert_eq!(message.as_text(), Some(r#"{"jsonrpc":"2.0","id":1,"method":"subtract","params":[42,23]}"#));
/// # Ok::<(), steadysocket::error::NotSent>(())
/// ```
#[derive(Clone, Debug)]
pub struct JsonRpc {
    ids: Ids,
    strict: bool,
    subscriptions: Subscriptions,
    probe: Option<Request>,
    wanted: Wanted,
}

/// The most elements of a batch that are read: each becomes something to be handed on, larger than its few bytes.
const MAX_BATCH: usize = 65_536;

/// How request ids are written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ids {
    Integers,
    /// Strings that start with this.
    Strings(Cow<'static, str>),
}

impl Default for JsonRpc {
    fn default() -> Self {
        Self::new()
    }
}

impl JsonRpc {
    /// JSON-RPC with integer ids, lenient reading, and [`Subscriptions::by_channel`].
    pub fn new() -> Self {
        let wanted = Wanted { route: "", data: "", extra: &[] };
        let subscriptions = Subscriptions::default();
        Self { ids: Ids::Integers, strict: false, subscriptions, probe: None, wanted }
            .subscriptions(Subscriptions::default())
    }

    /// Writes ids as strings that start with `prefix`. Replies must echo them so.
    #[must_use]
    pub fn string_ids(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.ids = Ids::Strings(prefix.into());
        self
    }

    /// Takes nothing from a server that the specification does not allow: see the [module](self).
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Sets how the server does subscriptions.
    #[must_use]
    pub fn subscriptions(mut self, subscriptions: Subscriptions) -> Self {
        (self.wanted.route, self.wanted.data) = subscriptions.members();
        self.subscriptions = subscriptions;
        self
    }

    /// Sets a harmless request that asks a silent peer for a sign of life, on platforms without pings. Without one, a
    /// browser does not find out that a peer is silent.
    #[must_use]
    pub fn probe(mut self, request: Request) -> Self {
        self.probe = Some(request);
        self
    }

    /// Has [`read_with`](Self::read_with) report more members of every object.
    pub(crate) fn extra_members(mut self, names: &'static [&'static str]) -> Self {
        self.wanted.extra = names;
        self
    }

    /// As [`Protocol::read`], with the values of the [extra members](Self::extra_members) of the object that each thing
    /// was found in.
    pub(crate) fn read_with<'m>(&self, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>, Extra<'m>)) {
        if let Err(malformed) = self.read_message(message, found) {
            found(Inbound::Invalid(malformed.to_string()), Extra::default());
        }
    }

    fn read_message<'m>(
        &self,
        message: &'m Message,
        found: &mut dyn FnMut(Inbound<'m>, Extra<'m>),
    ) -> Result<(), json::Malformed> {
        let mut reader = match message {
            Message::Text(text) => Reader::new(text.as_bytes()),
            Message::Binary(bytes) => Reader::checked(bytes)?,
        };
        match reader.peek()? {
            b'{' => {
                let envelope = Envelope::read(&mut reader, self.wanted)?;
                reader.end()?;
                found(self.judge(&envelope, message.as_bytes(), message), envelope.extra);
            }
            b'[' => {
                // A text that is not JSON as a whole has no parts: it is checked to its end before the first is given.
                let mut whole = reader.clone();
                whole.value()?;
                whole.end()?;
                self.read_batch(reader, message, found)?;
            }
            _ => {
                reader.value()?;
                reader.end()?;
                found(invalid("neither an object nor an array"), Extra::default());
            }
        }
        Ok(())
    }

    fn read_batch<'m>(
        &self,
        mut reader: Reader<'m>,
        message: &'m Message,
        found: &mut dyn FnMut(Inbound<'m>, Extra<'m>),
    ) -> Result<(), json::Malformed> {
        reader.array()?;
        let (mut elements, mut strange) = (0, 0);
        while reader.element()? {
            elements += 1;
            if elements > MAX_BATCH {
                found(invalid("a batch of too many elements"), Extra::default());
                break;
            }
            if reader.peek()? != b'{' {
                reader.value()?;
                strange += 1;
                continue;
            }
            let start = reader.position();
            let envelope = Envelope::read(&mut reader, self.wanted)?;
            found(self.judge(&envelope, reader.since(start), message), envelope.extra);
        }
        if strange > 0 {
            found(
                Inbound::Invalid(format!("{strange} elements of a batch that are no objects")),
                Extra::default(),
            );
        }
        found(if elements == 0 { invalid("an empty batch") } else { Inbound::EndOfBatch }, Extra::default());
        Ok(())
    }

    /// Says what an object is: a reply, a subscription's data, a notification or a request.
    fn judge<'m>(&self, envelope: &Envelope<'m>, part: &'m [u8], message: &'m Message) -> Inbound<'m> {
        if envelope.ambiguous {
            return invalid("a member comes twice");
        }
        match envelope.version {
            Some(version) if Str::of(version).is_some_and(|version| version == *"2.0") => {}
            None if !self.strict => {}
            _ => return invalid("not JSON-RPC 2.0"),
        }
        match (envelope.method, envelope.result, envelope.error) {
            (Some(method), None, None) => self.judge_request(method, envelope, message),
            (Some(_), _, _) => invalid("both a request and a reply"),
            (None, None, None) => self.unreadable("no method, result or error", envelope.id, part),
            (None, Some(result), None) => self.judge_result(result, envelope.id, part, message),
            (None, None, Some(error)) => self.judge_error(error, envelope.id, part, message),
            (None, Some(result), Some(b"null")) if !self.strict => {
                self.judge_result(result, envelope.id, part, message)
            }
            (None, Some(b"null"), Some(error)) if !self.strict => {
                self.judge_error(error, envelope.id, part, message)
            }
            (None, Some(_), Some(_)) => self.unreadable("both a result and an error", envelope.id, part),
        }
    }

    /// A reply that breaks the specification still ends the call whose id it bears, which may have been executed.
    fn unreadable<'m>(&self, problem: &'static str, id: Option<&[u8]>, part: &[u8]) -> Inbound<'m> {
        let Some(id) = id.and_then(|id| self.own_id(id)) else { return invalid(problem) };
        let mut error = RpcError::new(0, format!("not a valid reply: {problem}"));
        error.data = Some(String::from_utf8_lossy(part).into_owned());
        error.meaning =
            Meaning { category: Category::Protocol, advice: Advice::Reconcile, executed: Executed::Unknown };
        Inbound::Reply { id, result: Err(error) }
    }

    fn judge_request<'m>(
        &self,
        method: &'m [u8],
        envelope: &Envelope<'m>,
        message: &'m Message,
    ) -> Inbound<'m> {
        let Some(method) = Str::of(method) else { return invalid("a method that is no string") };
        let awaits_no_answer = matches!(envelope.id, None | Some(b"null"));
        if awaits_no_answer
            && method == *self.subscriptions.notification
            && let Some((route, data)) = envelope.update()
        {
            return Inbound::Data { route: route.text(), data };
        }
        let params = match envelope.params {
            Some([b'{' | b'[', ..]) => envelope.params,
            None => None,
            Some(b"null") if !self.strict => None,
            Some(_) => return invalid("parameters that are neither an object nor an array"),
        };
        let params = params.map(|params| Payload::part_of(message, params)).unwrap_or_default();
        let method = method.text().into_owned();
        Inbound::Unmatched(match envelope.id {
            None => Unmatched::Notification { method, params },
            Some(id @ ([b'"' | b'-' | b'0'..=b'9', ..] | b"null")) => {
                Unmatched::Request { id: String::from_utf8_lossy(id).into_owned(), method, params }
            }
            Some(_) => return invalid("an id that is no string, number or null"),
        })
    }

    fn judge_result<'m>(
        &self,
        result: &'m [u8],
        id: Option<&'m [u8]>,
        part: &'m [u8],
        message: &'m Message,
    ) -> Inbound<'m> {
        match id.and_then(|id| self.own_id(id)) {
            Some(id) => Inbound::Reply { id, result: Ok(result) },
            None => answers_nobody(part, message),
        }
    }

    fn judge_error<'m>(
        &self,
        error: &'m [u8],
        id: Option<&'m [u8]>,
        part: &'m [u8],
        message: &'m Message,
    ) -> Inbound<'m> {
        let (error, well_formed) = read_error(error);
        if self.strict && !well_formed {
            return self.unreadable("an error that is no object with a code and a message", id, part);
        }
        match id {
            None | Some(b"null") => Inbound::Unmatched(Unmatched::Error(error)),
            Some(id) => match self.own_id(id) {
                Some(id) => Inbound::Reply { id, result: Err(error) },
                None => answers_nobody(part, message),
            },
        }
    }

    /// The id, when it is written as ours are. A server must echo it as it was sent, type included.
    fn own_id(&self, id: &[u8]) -> Option<RequestId> {
        match &self.ids {
            Ids::Integers => json::unsigned(id).map(RequestId),
            Ids::Strings(prefix) => {
                let text = Str::of(id)?.text();
                json::unsigned(text.strip_prefix(&**prefix)?.as_bytes()).map(RequestId)
            }
        }
    }

    fn write(&self, out: &mut String, id: Option<RequestId>, request: &Request) -> Result<(), NotSent> {
        let params = request.params.as_deref().map(checked_params).transpose()?;
        out.reserve(request.size() + 64);
        out.push_str("{\"jsonrpc\":\"2.0\",");
        if let Some(id) = id {
            self.write_id(out, id);
        }
        out.push_str("\"method\":");
        json::quote(out, &request.method);
        if let Some(params) = params {
            out.push_str(",\"params\":");
            out.push_str(params);
        }
        out.push('}');
        Ok(())
    }

    fn write_id(&self, out: &mut String, RequestId(id): RequestId) {
        out.push_str("\"id\":");
        // Writing to a string does not fail.
        let _ = match &self.ids {
            Ids::Integers => write!(out, "{id}"),
            Ids::Strings(prefix) => {
                json::quote(out, &format!("{prefix}{id}"));
                Ok(())
            }
        };
        out.push(',');
    }
}

impl Protocol for JsonRpc {
    fn encode(
        &mut self,
        _now: Instant,
        id: Option<RequestId>,
        request: &Request,
    ) -> Result<Message, NotSent> {
        let mut text = String::new();
        self.write(&mut text, id, request)?;
        Ok(text.into())
    }

    fn encode_batch(&mut self, requests: &[(Option<RequestId>, Request)]) -> Result<Message, NotSent> {
        if requests.is_empty() {
            return Err(NotSent::Unsupported("an empty batch"));
        }
        let mut text = String::from("[");
        for (index, (id, request)) in requests.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            self.write(&mut text, *id, request)?;
        }
        text.push(']');
        Ok(text.into())
    }

    fn read<'m>(&mut self, _now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        self.read_with(message, &mut |inbound, _| found(inbound));
    }

    fn probe(&mut self) -> Option<Request> {
        self.probe.clone()
    }

    fn subscribe_limits(&self) -> SubscribeLimits {
        self.subscriptions.limits()
    }

    fn subscribe(&self, _group: u8, channels: &[&str]) -> Option<Request> {
        Some(self.subscriptions.request(self.subscriptions.subscribe.clone(), channels))
    }

    fn unsubscribe(&self, _group: u8, routes: &[&str]) -> Option<Request> {
        Some(self.subscriptions.request(self.subscriptions.unsubscribe.clone(), routes))
    }

    fn confirmed(&self, channels: &[&str], answer: &Payload) -> Vec<Confirmation> {
        self.subscriptions.confirmed(channels, answer)
    }
}

/// The answer to a server's request, given the request's id and the result as JSON texts. Both are checked, so that
/// neither can break out of the message.
pub(crate) fn response(id: &str, outcome: Result<&str, &RpcError>) -> Result<String, NotSent> {
    let is_id = |text: &str| text.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit());
    if !(is_json(id) && (is_id(id) || id == "null")) {
        return Err(NotSent::Params("the id is no JSON string, number or null".into()));
    }
    let value = match outcome {
        Ok(result) => Some(result),
        Err(error) => error.data.as_deref(),
    };
    if !value.is_none_or(is_json) {
        return Err(NotSent::Params("the result or the error's data is no JSON text".into()));
    }
    let mut out = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},");
    match outcome {
        Ok(result) => {
            out.push_str("\"result\":");
            out.push_str(result);
        }
        Err(error) => {
            // Writing to a string does not fail.
            let _ = write!(out, "\"error\":{{\"code\":{},\"message\":", error.code);
            json::quote(&mut out, &error.message);
            if let Some(data) = &error.data {
                out.push_str(",\"data\":");
                out.push_str(data);
            }
            out.push('}');
        }
    }
    out.push('}');
    Ok(out)
}

fn is_json(text: &str) -> bool {
    let mut reader = Reader::new(text.as_bytes());
    reader.value().and_then(|_| reader.end()).is_ok()
}

/// Checks that parameters are one JSON object or array, so that they cannot break out of the request.
fn checked_params(params: &str) -> Result<&str, NotSent> {
    let mut reader = Reader::new(params.as_bytes());
    let read = reader.value().and_then(|value| reader.end().map(|()| value));
    match read {
        Ok([b'{' | b'[', ..]) => Ok(params),
        Ok(_) => Err(NotSent::Params("neither an object nor an array".to_owned())),
        Err(malformed) => Err(NotSent::Params(malformed.to_string())),
    }
}

fn invalid(problem: &'static str) -> Inbound<'static> {
    Inbound::Invalid(problem.to_owned())
}

/// A well-formed reply to something that this client did not ask, or not as it was asked.
fn answers_nobody<'m>(part: &[u8], message: &Message) -> Inbound<'m> {
    let bytes = Payload::part_of(message, part).into_bytes();
    let part = match message {
        Message::Text(_) => Text::try_from(bytes).map_or_else(|_| message.clone(), Message::Text),
        Message::Binary(_) => Message::Binary(bytes),
    };
    Inbound::Unmatched(Unmatched::Message(part))
}
