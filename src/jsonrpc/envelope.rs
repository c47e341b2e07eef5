//! The members of one JSON-RPC object, found in one pass over its text.

use crate::error::{Meaning, RpcError};
use crate::json::{self, Malformed, Reader, Str};

/// How many members a venue can ask for.
const EXTRA: usize = 3;

/// The values of the members that a venue asked for, in its order.
pub(crate) type Extra<'m> = [Option<&'m [u8]>; EXTRA];

/// Which members are wanted besides those of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// In `params`: what names the subscription.
    pub(super) route: &'static str,
    /// In `params`: what holds the subscription's data.
    pub(super) data: &'static str,
    /// In the object itself: more, at most [`EXTRA`], for a venue's own use.
    pub(super) extra: &'static [&'static str],
}

/// Each member's value as received; `None` for one that is not there.
#[derive(Clone, Debug, Default)]
pub(super) struct Envelope<'m> {
    pub(super) version: Option<&'m [u8]>,
    pub(super) id: Option<&'m [u8]>,
    pub(super) method: Option<&'m [u8]>,
    pub(super) params: Option<&'m [u8]>,
    pub(super) result: Option<&'m [u8]>,
    pub(super) error: Option<&'m [u8]>,
    pub(super) extra: Extra<'m>,
    pub(super) route: Option<&'m [u8]>,
    pub(super) data: Option<&'m [u8]>,
    /// A member of those above came twice, so that its value is anybody's guess (RFC 8259 section 4).
    pub(super) ambiguous: bool,
}

impl<'m> Envelope<'m> {
    /// Reads an object. Members may come in any order, so `params` is searched before the method is known.
    pub(super) fn read(reader: &mut Reader<'m>, wanted: Wanted) -> Result<Self, Malformed> {
        let mut envelope = Self::default();
        reader.object()?;
        while let Some(key) = reader.member()? {
            envelope.read_member(key, reader, wanted)?;
        }
        Ok(envelope)
    }

    #[inline]
    fn read_member(
        &mut self,
        key: Str<'m>,
        reader: &mut Reader<'m>,
        wanted: Wanted,
    ) -> Result<(), Malformed> {
        let slot = match &*key.bytes() {
            b"params" => return self.read_params(reader, wanted),
            b"jsonrpc" => &mut self.version,
            b"id" => &mut self.id,
            b"method" => &mut self.method,
            b"result" => &mut self.result,
            b"error" => &mut self.error,
            other => match wanted.extra.iter().position(|extra| extra.as_bytes() == other) {
                Some(place) if place < EXTRA => &mut self.extra[place],
                _ => return reader.value().map(drop),
            },
        };
        self.ambiguous |= slot.replace(reader.value()?).is_some();
        Ok(())
    }

    fn read_params(&mut self, reader: &mut Reader<'m>, wanted: Wanted) -> Result<(), Malformed> {
        let first = reader.peek()?;
        let start = reader.position();
        if first == b'{' {
            reader.object()?;
            while let Some(key) = reader.member()? {
                let value = reader.value()?;
                if key == *wanted.route {
                    self.ambiguous |= self.route.replace(value).is_some();
                } else if key == *wanted.data {
                    self.ambiguous |= self.data.replace(value).is_some();
                }
            }
        } else {
            reader.value()?;
        }
        self.ambiguous |= self.params.replace(reader.since(start)).is_some();
        Ok(())
    }

    /// A subscription's name and data, when the parameters are those of a subscription's notification.
    pub(super) fn update(&self) -> Option<(Str<'m>, &'m [u8])> {
        Some((Str::of(self.route?)?, self.data?))
    }
}

/// An error object, and whether it has the form that the specification asks for. One that has not is kept whole as
/// its own `data`, with code 0 and an empty message where those are missing, or the text that it is instead: it still
/// ends the call it answers.
pub(super) fn read_error(value: &[u8]) -> (RpcError, bool) {
    let (code, message, data) = error_members(value).unwrap_or_default();
    let well_formed = code.is_some() && message.is_some();
    let data = if well_formed { data } else { Some(value) };
    let error = RpcError {
        code: code.unwrap_or_default(),
        message: message.or_else(|| Some(Str::of(value)?.text().into_owned())).unwrap_or_default(),
        data: data.map(|data| String::from_utf8_lossy(data).into_owned()),
        meaning: Meaning::default(),
    };
    (error, well_formed)
}

type ErrorMembers<'m> = (Option<i64>, Option<String>, Option<&'m [u8]>);

fn error_members(value: &[u8]) -> Result<ErrorMembers<'_>, Malformed> {
    let mut reader = Reader::new(value);
    let (mut code, mut message, mut data) = (None, None, None);
    reader.object()?;
    while let Some(key) = reader.member()? {
        let value = reader.value()?;
        match &*key.bytes() {
            b"code" => code = json::integer(value),
            b"message" => message = Str::of(value).map(|text| text.text().into_owned()),
            b"data" => data = Some(value),
            _ => {}
        }
    }
    Ok((code, message, data))
}
