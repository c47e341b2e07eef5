//! A reader over one JSON text (RFC 8259) that borrows, validates, and neither recurses nor allocates.
//!
//! The envelope of every message is read with it, once. What lies inside a value of no interest is checked and
//! skipped; the value itself is handed on as the bytes that were received.
//!
//! The calling protocol is that of a pull parser: [`Reader::object`] enters an object, [`Reader::member`] gives the
//! next key, and then exactly one of [`Reader::value`], [`Reader::string`], [`Reader::object`] or [`Reader::array`]
//! takes its value. A caller that forgets to take it gets an error at the next key, never a wrong value.

use std::borrow::Cow;

mod number;
#[cfg(test)]
mod tests;

/// Where a text stops being JSON. Does not quote the text, which may be secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {at}")]
pub(crate) struct Malformed {
    problem: &'static str,
    at: usize,
}

/// A position in a JSON text.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// An object or array was entered and nothing of it was read: no comma is due.
    fresh: bool,
}

impl<'a> Reader<'a> {
    /// A reader over bytes that are known to be UTF-8, as those of a text message are. Other bytes do no harm: they
    /// are taken for characters and replaced by U+FFFD when a string is decoded.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, fresh: false }
    }

    /// A reader over bytes of unknown origin.
    pub(crate) fn checked(text: &'a [u8]) -> Result<Self, Malformed> {
        match std::str::from_utf8(text) {
            Ok(_) => Ok(Self::new(text)),
            Err(error) => Err(Malformed { problem: "not UTF-8", at: error.valid_up_to() }),
        }
    }

    /// The first byte of the next value or punctuation, which stays unread.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<u8, Malformed> {
        while let Some(&byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(byte);
            }
            self.at += 1;
        }
        self.fail("the text ends too early")
    }

    /// Where the next unread byte is, for [`since`](Self::since).
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The bytes from an earlier position to this one.
    pub(crate) fn since(&self, position: usize) -> &'a [u8] {
        self.text.get(position..self.at).unwrap_or_default()
    }

    /// Enters an object.
    pub(crate) fn object(&mut self) -> Result<(), Malformed> {
        self.enter(b'{', "an object was expected")
    }

    /// Enters an array.
    pub(crate) fn array(&mut self) -> Result<(), Malformed> {
        self.enter(b'[', "an array was expected")
    }

    /// The key of the object's next member, whose value is next to be read; `None` leaves the object.
    pub(crate) fn member(&mut self) -> Result<Option<Str<'a>>, Malformed> {
        if !self.advance(b'}')? {
            return Ok(None);
        }
        let key = self.string()?;
        self.colon()?;
        Ok(Some(key))
    }

    /// Whether the array has another element, which is next to be read; `false` leaves the array.
    pub(crate) fn element(&mut self) -> Result<bool, Malformed> {
        self.advance(b']')
    }

    /// Reads a string.
    pub(crate) fn string(&mut self) -> Result<Str<'a>, Malformed> {
        if self.peek()? != b'"' {
            return self.fail("a string was expected");
        }
        self.at += 1;
        let start = self.at;
        let escaped = self.finish_string()?;
        Ok(Str { raw: &self.text[start..self.at - 1], escaped })
    }

    /// Checks and skips a value of any type and gives its bytes, without the white space around it.
    pub(crate) fn value(&mut self) -> Result<&'a [u8], Malformed> {
        self.peek()?;
        let start = self.at;
        let mut open = Nesting::default();
        while !self.begin_value(&mut open)? || !self.leave_containers(&mut open)? {}
        Ok(self.since(start))
    }

    /// Succeeds when nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        match self.peek() {
            Ok(_) => self.fail("something follows the value"),
            Err(_) => Ok(()),
        }
    }

    fn enter(&mut self, bracket: u8, problem: &'static str) -> Result<(), Malformed> {
        if self.peek()? != bracket {
            return self.fail(problem);
        }
        self.at += 1;
        self.fresh = true;
        Ok(())
    }

    /// Passes the comma before the next entry, or the closing bracket; says whether there is an entry.
    fn advance(&mut self, closing: u8) -> Result<bool, Malformed> {
        let fresh = std::mem::take(&mut self.fresh);
        match self.peek()? {
            byte if byte == closing => {
                self.at += 1;
                Ok(false)
            }
            _ if fresh => Ok(true),
            b',' => {
                self.at += 1;
                Ok(true)
            }
            _ => self.fail("a comma or a closing bracket was expected"),
        }
    }

    /// Reads a scalar or an empty container whole, or steps into a container, up to its first value. Says whether a
    /// value was completed.
    #[inline]
    fn begin_value(&mut self, open: &mut Nesting) -> Result<bool, Malformed> {
        let first = self.peek()?;
        self.at += 1;
        match first {
            b'"' => self.finish_string().map(|_| true),
            b'-' | b'0'..=b'9' => self.finish_number(first).map(|()| true),
            b'{' | b'[' => self.begin_container(first, open),
            b't' => self.finish_word(b"rue"),
            b'f' => self.finish_word(b"alse"),
            b'n' => self.finish_word(b"ull"),
            _ => {
                self.at -= 1;
                self.fail("a value was expected")
            }
        }
    }

    fn begin_container(&mut self, bracket: u8, open: &mut Nesting) -> Result<bool, Malformed> {
        let is_object = bracket == b'{';
        // In ASCII both closing brackets are two after the opening one.
        if self.peek()? == bracket + 2 {
            self.at += 1;
            return Ok(true);
        }
        if !open.push(is_object) {
            return self.fail("nested too deeply");
        }
        if is_object {
            self.key()?;
        }
        Ok(false)
    }

    /// After a value: leaves the containers that end here, up to the next value. Says whether none is left open.
    #[inline]
    fn leave_containers(&mut self, open: &mut Nesting) -> Result<bool, Malformed> {
        while let Some(in_object) = open.innermost() {
            let byte = self.peek()?;
            self.at += 1;
            match (byte, in_object) {
                (b',', true) => return self.key().map(|()| false),
                (b',', false) => return Ok(false),
                (b'}', true) | (b']', false) => open.pop(),
                _ => {
                    self.at -= 1;
                    return self.fail("a comma or a closing bracket was expected");
                }
            }
        }
        Ok(true)
    }

    #[inline]
    fn key(&mut self) -> Result<(), Malformed> {
        if self.peek()? != b'"' {
            return self.fail("a member's name was expected");
        }
        self.at += 1;
        self.finish_string()?;
        self.colon()
    }

    #[inline]
    fn colon(&mut self) -> Result<(), Malformed> {
        if self.peek()? != b':' {
            return self.fail("a colon was expected");
        }
        self.at += 1;
        Ok(())
    }

    /// Passes the rest of a string, up to and with the closing quote. Says whether it holds escapes.
    #[inline]
    fn finish_string(&mut self) -> Result<bool, Malformed> {
        let mut escaped = false;
        loop {
            self.at += plain_prefix(&self.text[self.at..]);
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return self.fail("a control character in a string"),
                None => return self.fail("the text ends too early"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        let length = match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if hex4(self.text.get(self.at + 2..).unwrap_or_default()).is_some() => 6,
            _ => return self.fail("not an escape sequence"),
        };
        self.at += length;
        Ok(())
    }

    /// Passes the rest of a number whose first byte is given.
    #[inline]
    fn finish_number(&mut self, first: u8) -> Result<(), Malformed> {
        if first == b'-' {
            if self.text.get(self.at) != Some(&b'0') {
                self.digits()?;
            } else {
                self.at += 1;
            }
        } else if first != b'0' {
            self.at += digits(&self.text[self.at..]);
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Passes one digit or more.
    #[inline]
    fn digits(&mut self) -> Result<(), Malformed> {
        let count = digits(&self.text[self.at..]);
        self.at += count;
        if count == 0 { self.fail("a digit was expected") } else { Ok(()) }
    }

    fn finish_word(&mut self, rest: &[u8]) -> Result<bool, Malformed> {
        if !self.text[self.at..].starts_with(rest) {
            return self.fail("a value was expected");
        }
        self.at += rest.len();
        Ok(true)
    }

    /// Refuses what stands before the present position.
    #[cold]
    pub(crate) fn fail<T>(&self, problem: &'static str) -> Result<T, Malformed> {
        Err(Malformed { problem, at: self.at })
    }
}

/// The containers that are open around a value, one bit each. Its size is the limit: a text that nests deeper than
/// any sensible one is refused before a recursive decoder meets it.
#[derive(Default)]
struct Nesting {
    objects: u128,
    depth: u32,
}

impl Nesting {
    fn push(&mut self, is_object: bool) -> bool {
        if self.depth == u128::BITS {
            return false;
        }
        self.objects = self.objects << 1 | u128::from(is_object);
        self.depth += 1;
        true
    }

    fn pop(&mut self) {
        self.objects >>= 1;
        self.depth -= 1;
    }

    /// Whether the innermost open container is an object; `None` when none is open.
    fn innermost(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.objects & 1 == 1)
    }
}

/// A string as it stands between its quotes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Str<'a> {
    raw: &'a [u8],
    escaped: bool,
}

impl<'a> Str<'a> {
    /// The string of a value that [`Reader::value`] gave; `None` when it is of another type.
    pub(crate) fn of(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let string = reader.string().ok()?;
        reader.end().is_ok().then_some(string)
    }

    /// The text, without a copy unless it holds escapes. Half of a surrogate pair, which JSON's grammar allows and
    /// Unicode does not, becomes U+FFFD, as it does in browsers.
    pub(crate) fn text(&self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(unescape(self.raw)) } else { String::from_utf8_lossy(self.raw) }
    }

    /// The text's bytes; free unless it holds escapes.
    pub(crate) fn bytes(&self) -> Cow<'a, [u8]> {
        if self.escaped { Cow::Owned(unescape(self.raw).into_bytes()) } else { Cow::Borrowed(self.raw) }
    }
}

impl PartialEq<str> for Str<'_> {
    fn eq(&self, other: &str) -> bool {
        if self.escaped { unescape(self.raw) == other } else { self.raw == other.as_bytes() }
    }
}

/// Gives each member of an object, in order.
pub(crate) fn members<'a>(value: &'a [u8], mut each: impl FnMut(Str<'a>, &'a [u8])) -> Result<(), Malformed> {
    let mut reader = Reader::new(value);
    reader.object()?;
    while let Some(name) = reader.member()? {
        each(name, reader.value()?);
    }
    Ok(())
}

/// The value as an unsigned integer, when it is written as one: no sign, fraction or exponent.
pub(crate) fn unsigned(value: &[u8]) -> Option<u64> {
    if value.is_empty() || (value.len() > 1 && value[0] == b'0') {
        return None;
    }
    value.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then_some(sum)?.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// The value as an integer, when it is written as one: no fraction or exponent.
pub(crate) fn integer(value: &[u8]) -> Option<i64> {
    match value.strip_prefix(b"-") {
        Some(digits) => 0i64.checked_sub_unsigned(unsigned(digits)?),
        None => unsigned(value)?.try_into().ok(),
    }
}

/// Appends a text as a JSON string.
pub(crate) fn quote(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| is_special(*byte)) {
        out.push_str(&text[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            control => {
                out.push_str(if control < 0x10 { "\\u000" } else { "\\u001" });
                out.extend(char::from_digit(u32::from(control & 0xf), 16));
            }
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

/// Whether a byte cannot stand for itself in a string.
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// How many bytes come before the first that cannot stand for itself in a string. Looks at eight at a time.
#[inline]
fn plain_prefix(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return bytes.len() - rest.len() + special.trailing_zeros() as usize / 8;
        }
        rest = after;
    }
    let tail = rest.iter().position(|&byte| is_special(byte)).unwrap_or(rest.len());
    bytes.len() - rest.len() + tail
}

/// How many digits come first.
#[inline]
fn digits(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len())
}

/// Sets the high bit of bytes that are special. Bits above the lowest set one may be wrong: a borrow runs upwards.
fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (controls | zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\'))))
        & (ONES * 0x80)
}

/// Decodes a string whose escapes were checked. What is no escape after all stays as it is.
fn unescape(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        out.push_str(&String::from_utf8_lossy(&rest[..at]));
        rest = &rest[at + 1..];
        rest = &rest[push_escape(&mut out, rest).min(rest.len())..];
    }
    out.push_str(&String::from_utf8_lossy(rest));
    out
}

/// Appends the character that an escape stands for, given what follows the backslash. Returns how much that took.
fn push_escape(out: &mut String, rest: &[u8]) -> usize {
    match rest.first() {
        Some(b'b') => out.push('\u{8}'),
        Some(b'f') => out.push('\u{c}'),
        Some(b'n') => out.push('\n'),
        Some(b'r') => out.push('\r'),
        Some(b't') => out.push('\t'),
        Some(b'u') => return 1 + push_unicode(out, &rest[1..]),
        Some(&other) => out.push(char::from(other)),
        None => {}
    }
    1
}

fn push_unicode(out: &mut String, rest: &[u8]) -> usize {
    let Some(unit) = hex4(rest) else { return 0 };
    let second = || hex4(rest.get(4..)?.strip_prefix(b"\\u")?);
    let pair = [unit, second().unwrap_or_default()];
    match char::decode_utf16(pair).next() {
        Some(Ok(char)) => {
            out.push(char);
            if char.len_utf16() == 2 { 10 } else { 4 }
        }
        Some(Err(_)) | None => {
            out.push(char::REPLACEMENT_CHARACTER);
            4
        }
    }
}

/// Four hexadecimal digits at the start of `bytes`.
fn hex4(bytes: &[u8]) -> Option<u16> {
    bytes.get(..4)?.iter().try_fold(0u16, |sum, &byte| {
        let digit = char::from(byte).to_digit(16)?;
        Some(sum << 4 | u16::try_from(digit).ok()?)
    })
}
