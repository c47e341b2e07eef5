//! How a server that speaks JSON-RPC does subscriptions, which the specification leaves open.

use std::borrow::Cow;

use crate::json::{self, Malformed, Reader, Str};
use crate::payload::Payload;
use crate::protocol::{Confirmation, Request, SubscribeLimits};
use crate::table::Names;

/// The methods and the style of a server's subscriptions.
///
/// ```
/// use steadysocket::JsonRpc;
/// use steadysocket::jsonrpc::Subscriptions;
/// let deribit_like = JsonRpc::new().subscriptions(Subscriptions {
///     subscribe: "public/subscribe".into(),
///     unsubscribe: "public/unsubscribe".into(),
///     ..Subscriptions::by_channel()
/// });
/// let ethereum = JsonRpc::new().subscriptions(Subscriptions::by_id());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriptions {
    /// The method that subscribes.
    pub subscribe: Cow<'static, str>,
    /// The method that unsubscribes.
    pub unsubscribe: Cow<'static, str>,
    /// The method of the notifications that carry data.
    pub notification: Cow<'static, str>,
    /// How channels are named in these.
    pub style: Style,
}

/// How the parameters of a server's subscriptions look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Channels have names. One request `{"channels": ["a", "b"]}` subscribes to many; its result lists those that
    /// the server accepted (a result that is no list accepts all of them). Data comes as
    /// `{"channel": "a", "data": …}`.
    Channel,
    /// The server names each subscription. One request subscribes to one channel, with the parameters `["a"]`, or
    /// the channel itself where that is a JSON array such as `["logs",{"address":"0x…"}]`; its result is a string,
    /// and data comes as `{"subscription": "that string", "result": …}`.
    Id,
}

impl Default for Subscriptions {
    fn default() -> Self {
        Self::by_channel()
    }
}

impl Subscriptions {
    /// Channels that have names, with the methods `subscribe`, `unsubscribe` and `subscription`.
    pub const fn by_channel() -> Self {
        Self {
            subscribe: Cow::Borrowed("subscribe"),
            unsubscribe: Cow::Borrowed("unsubscribe"),
            notification: Cow::Borrowed("subscription"),
            style: Style::Channel,
        }
    }

    /// Subscriptions that the server names, with Ethereum's methods.
    pub const fn by_id() -> Self {
        Self {
            subscribe: Cow::Borrowed("eth_subscribe"),
            unsubscribe: Cow::Borrowed("eth_unsubscribe"),
            notification: Cow::Borrowed("eth_subscription"),
            style: Style::Id,
        }
    }

    /// The members of a notification's parameters that hold the name and the data.
    pub(super) fn members(&self) -> (&'static str, &'static str) {
        match self.style {
            Style::Channel => ("channel", "data"),
            Style::Id => ("subscription", "result"),
        }
    }

    pub(super) fn limits(&self) -> SubscribeLimits {
        match self.style {
            Style::Channel => SubscribeLimits::default(),
            Style::Id => SubscribeLimits { channels: 1, ..SubscribeLimits::default() },
        }
    }

    pub(super) fn request(&self, method: Cow<'static, str>, names: &[&str]) -> Request {
        let params = match self.style {
            Style::Channel => channels(names),
            Style::Id => match names {
                [params] if params.starts_with('[') => (*params).to_owned(),
                names => list(names),
            },
        };
        Request { method, params: Some(params) }
    }

    pub(super) fn confirmed(&self, channels: &[&str], answer: &Payload) -> Vec<Confirmation> {
        match self.style {
            Style::Channel => confirmed_channels(channels, answer),
            Style::Id => {
                let id = Str::of(answer.as_bytes()).map(|id| id.text().into_owned());
                let channel = channels.first().map(|channel| (*channel).to_owned());
                id.zip(channel).map(|(route, channel)| Confirmation { channel, route }).into_iter().collect()
            }
        }
    }
}

/// `{"channels":["a","b"]}`
pub(crate) fn channels(names: &[&str]) -> String {
    format!("{{\"channels\":{}}}", list(names))
}

fn list(names: &[&str]) -> String {
    let mut out = String::with_capacity(names.iter().map(|name| name.len() + 3).sum::<usize>() + 2);
    out.push('[');
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        json::quote(&mut out, name);
    }
    out.push(']');
    out
}

/// Those of the requested channels that the answer lists. A server may list them in another order.
fn confirmed_channels(channels: &[&str], answer: &Payload) -> Vec<Confirmation> {
    let mut marked: Vec<_> = channels.iter().map(|channel| (*channel, false)).collect();
    let is_list = mark_listed(&mut marked, answer.as_bytes()).is_ok();
    let accepted = marked.iter().filter(|(_, listed)| *listed || !is_list);
    accepted.map(|(channel, _)| Confirmation::of(*channel)).collect()
}

fn mark_listed(channels: &mut [(&str, bool)], answer: &[u8]) -> Result<(), Malformed> {
    let mut names = Names::default();
    for (number, (channel, _)) in (0..).zip(&*channels) {
        names.insert(channel, number);
    }
    let mut reader = Reader::new(answer);
    reader.array()?;
    while reader.element()? {
        let Some(name) = Str::of(reader.value()?).map(|name| name.text()) else { continue };
        for number in names.find(&name).filter_map(|number| usize::try_from(number).ok()) {
            if let Some((channel, listed)) = channels.get_mut(number) {
                *listed |= *channel == name;
            }
        }
    }
    Ok(())
}
