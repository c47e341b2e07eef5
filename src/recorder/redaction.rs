//! Credentials, taken out of what is written.

use std::borrow::Cow;
use std::collections::VecDeque;

use data_encoding::BASE64;

use crate::config::{Config, Endpoint, Url};
use crate::secret::Secret;

/// What stands in the place of a credential.
const STARS: &str = "***";

/// Names of members whose values are secret, without regard to case, `_`, `-` and spaces.
const NAMES: [&str; 24] = [
    "accesstoken",
    "apikey",
    "apisecret",
    "authorization",
    "authtoken",
    "bearertoken",
    "clientsecret",
    "cookie",
    "idtoken",
    "jwt",
    "listenkey",
    "otp",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "refreshtoken",
    "secret",
    "secretkey",
    "sessiontoken",
    "setcookie",
    "signature",
    "token",
    "tfa",
];

/// A value of a query whose name says nothing is taken for a secret from this length on: `BTCUSDT` is none.
const LONG: usize = 16;
/// Shorter values are in many a text by chance, and are not remembered.
const SHORTEST: usize = 5;
/// What is left of a secret at the end of a text that was cut short may be so long.
const LONGEST_PART: usize = 6;
/// What was secret under its name is remembered from this length on, and so many of them.
const LEARNED: (usize, usize) = (8, 32);
/// JSON within strings of JSON is looked into this deep.
const DEEPEST: usize = 4;

/// Takes credentials out of a recording, before it reaches its [`Sink`](super::Sink).
///
/// Each becomes `***`, in frames of both directions, in commands, errors and URLs:
///
/// - the values of members with a secret name, in JSON at any depth, in JSON within strings, in URLs (`name=value`) and in
///   headers (`name: value`). The names are `access_token`, `api_key`, `api_secret`, `auth_token`, `authorization`,
///   `bearer_token`, `client_secret`, `cookie`, `id_token`, `jwt`, `listen_key`, `otp`, `passphrase`, `passwd`, `password`,
///   `private_key`, `refresh_token`, `secret`, `secret_key`, `session_token`, `set_cookie`, `signature`, `tfa` and
///   `token`, whatever their case, and with `_`, `-` or nothing between the words. [`name`](Self::name) adds others. A number is
///   written as 0, and `null`, `true` and `false` stay;
/// - wherever they are repeated: the values of the configuration's headers, the values with such names in the URLs that are dialled,
///   other values there from 16 bytes on, and what [`secret`](Self::secret) names;
/// - and the last 32 texts of 8 bytes or more that stood under a secret name, wherever they are repeated later.
///
/// What the protocol makes of a frame in a [replay](crate::replay) it makes of the redacted one.
#[derive(Clone, Debug)]
pub struct Redaction {
    names: Vec<String>,
    /// From the configuration, and from whoever made the recorder.
    secrets: Vec<Secret>,
    /// The last that stood under a secret name.
    learned: VecDeque<Secret>,
}

impl Default for Redaction {
    fn default() -> Self {
        let names = NAMES.map(str::to_owned).into();
        Self { names, secrets: Vec::new(), learned: VecDeque::new() }
    }
}

impl Redaction {
    /// Adds a name whose values are secret.
    pub fn name(mut self, name: &str) -> Self {
        self.names.push(plain(name));
        self
    }

    /// Takes a name off the list: for a venue that calls something else so, such as a currency a `token`.
    pub fn keep(mut self, name: &str) -> Self {
        let name = plain(name);
        self.names.retain(|other| *other != name);
        self
    }

    /// Adds a secret to be taken out wherever it stands. One of less than 5 bytes is ignored.
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.know(secret.into().expose());
        self
    }

    /// Takes the credentials out of a text.
    pub fn text<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        self.within(text, 0)
    }

    pub(super) fn learn_config(&mut self, config: &Config) {
        for (_, value) in &config.headers {
            self.know(value.expose());
            self.know(value.expose().rsplit(' ').next().unwrap_or_default());
        }
        if let Endpoint::Fixed(url) = &config.endpoint {
            self.learn_url(url);
        }
    }

    pub(super) fn learn_url(&mut self, url: &Url) {
        let query = url.as_str().split_once('?').map_or("", |(_, query)| query);
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or(("", pair));
            if self.is_secret(name) || value.len() >= LONG {
                self.know(value);
                self.know(&decoded(value));
            }
        }
    }

    /// Takes the credentials out of JSON that this library wrote, so that it stays JSON.
    pub(crate) fn json(&mut self, json: &str) -> String {
        self.tokens(json, 0).unwrap_or_else(|| json.to_owned())
    }

    fn know(&mut self, secret: &str) {
        let known = self.secrets.iter().any(|other| other.expose() == secret);
        if secret.len() >= SHORTEST && !known {
            self.secrets.push(secret.into());
            // A longer one may hold a shorter one, which would leave the rest of it.
            self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        }
    }

    fn learn(&mut self, secret: &str) {
        let (shortest, most) = LEARNED;
        if secret.len() < shortest || self.knows(secret) {
            return;
        }
        if self.learned.len() == most {
            self.learned.pop_front();
        }
        self.learned.push_back(secret.into());
    }

    fn knows(&self, secret: &str) -> bool {
        self.secrets.iter().chain(&self.learned).any(|other| other.expose() == secret)
    }

    fn is_secret(&self, name: &str) -> bool {
        // Most names are short, and none is much longer than those on the list.
        name.len() < 64 && {
            let name = plain(name);
            self.names.contains(&name)
        }
    }

    /// A text of any kind, which may be JSON itself.
    fn within<'a>(&mut self, text: &'a str, depth: usize) -> Cow<'a, str> {
        let is_json = depth < DEEPEST && text.trim_start().starts_with(['{', '[']);
        let structured = if is_json { self.tokens(text, depth + 1) } else { None };
        let mut text = structured.map_or(Cow::Borrowed(text), Cow::Owned);
        if let Some(loose) = self.loose(&text) {
            text = Cow::Owned(loose);
        }
        for secret in self.secrets.iter().chain(&self.learned) {
            if text.contains(secret.expose()) {
                text = Cow::Owned(text.replace(secret.expose(), STARS));
            }
            if let Some(cut) = cut_short(&text, secret.expose()) {
                text = Cow::Owned(format!("{}{STARS}", &text[..cut]));
            }
        }
        text
    }

    /// JSON, token by token; nothing when it is none.
    fn tokens(&mut self, json: &str, depth: usize) -> Option<String> {
        let mut out = String::with_capacity(json.len());
        let mut rest = json;
        // For each open bracket: whether what it holds is secret, and the last name in it.
        let mut open: Vec<(bool, Option<String>)> = Vec::new();
        while let Some(first) = rest.chars().next() {
            let hidden = |open: &[(bool, Option<String>)]| open.last().is_some_and(|(hidden, _)| *hidden);
            match first {
                '{' | '[' => {
                    let hide = hidden(&open) || self.is_value_secret(&open);
                    open.push((hide, None));
                    out.push(first);
                    rest = &rest[1..];
                }
                '}' | ']' => {
                    open.pop()?;
                    out.push(first);
                    rest = &rest[1..];
                }
                '"' => {
                    let end = string_end(rest)?;
                    let (literal, after) = rest.split_at(end);
                    let content = content(literal)?;
                    rest = after;
                    if after.trim_start().starts_with(':') {
                        out.push_str(literal);
                        open.last_mut()?.1 = Some(content.into_owned());
                        continue;
                    }
                    let name = open.last_mut().and_then(|(_, name)| name.take());
                    let is_payload =
                        matches!(name.as_deref(), Some("binary" | "ping" | "pong")) && depth == 0;
                    if hidden(&open) || name.is_some_and(|name| self.is_secret(&name)) {
                        self.learn(&content);
                        out.push_str("\"***\"");
                    } else if is_payload {
                        out.push('"');
                        out.push_str(&self.payload(&content));
                        out.push('"');
                    } else {
                        match self.within(&content, depth) {
                            new if new == content => out.push_str(literal),
                            new => out.push_str(&super::line::json(&new)),
                        }
                    }
                }
                '-' | '0'..='9' => {
                    let end = rest.find(|c: char| !matches!(c, '-' | '+' | '.' | 'e' | 'E' | '0'..='9'));
                    let (number, after) = rest.split_at(end.unwrap_or(rest.len()));
                    rest = after;
                    let secret = hidden(&open) || self.is_value_secret(&open) || self.knows(number);
                    if let Some((_, name)) = open.last_mut() {
                        *name = None;
                    }
                    out.push_str(if secret { "0" } else { number });
                }
                _ => {
                    let end = rest.find([
                        '{', '[', '}', ']', '"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
                    ]);
                    let (other, after) = rest.split_at(end.unwrap_or(rest.len()));
                    rest = after;
                    if let Some((_, name)) = open.last_mut()
                        && other.contains(',')
                    {
                        *name = None;
                    }
                    out.push_str(other);
                }
            }
        }
        open.is_empty().then_some(out)
    }

    /// Whether a value that begins here stands under a secret name.
    fn is_value_secret(&self, open: &[(bool, Option<String>)]) -> bool {
        open.last().and_then(|(_, name)| name.as_ref()).is_some_and(|name| self.is_secret(name))
    }

    /// A payload in Base64.
    fn payload(&mut self, base64: &str) -> String {
        let Ok(bytes) = BASE64.decode(base64.as_bytes()) else { return base64.to_owned() };
        match String::from_utf8(bytes) {
            Ok(text) => BASE64.encode(self.text(&text).as_bytes()),
            Err(error) => {
                let mut bytes = error.into_bytes();
                for secret in self.secrets.iter().chain(&self.learned) {
                    bytes = without(bytes, secret.expose().as_bytes());
                }
                BASE64.encode(&bytes)
            }
        }
    }

    /// Secret names that are followed by a value, in a text that is not JSON: `name=value`, `name: value`, `"name":"value"`
    /// with any number of backslashes. Nothing when there is no such name.
    fn loose(&mut self, text: &str) -> Option<String> {
        let mut out = None::<String>;
        let mut copied = 0;
        let mut from = 0;
        while let Some(found) = text[from..].find([':', '=']) {
            let sign = from + found;
            from = sign + 1;
            let Some(name) = name_before(&text[copied..sign]) else { continue };
            if !self.is_secret(name) {
                continue;
            }
            let (start, end) = value_after(text, sign + 1, plain(name) == "authorization");
            let value = &text[start..end];
            if value.is_empty() || value == STARS || matches!(value, "null" | "true" | "false") {
                continue;
            }
            self.learn(value);
            let out = out.get_or_insert_default();
            out.push_str(&text[copied..start]);
            out.push_str(STARS);
            (copied, from) = (end, end);
        }
        let mut out = out?;
        out.push_str(&text[copied..]);
        Some(out)
    }
}

/// Where a secret begins that goes on behind the end of the text, as in a reason that is cut to what fits into a close frame.
fn cut_short(text: &str, secret: &str) -> Option<usize> {
    let first = secret.get(..LONGEST_PART)?;
    let tail =
        (text.len().saturating_sub(secret.len())..=text.len()).find(|at| text.is_char_boundary(*at))?;
    let at = tail + text[tail..].rfind(first)?;
    secret.starts_with(&text[at..]).then_some(at)
}

/// A name as it is on the list.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

/// Where a string literal ends, after its closing quote.
fn string_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// What a string literal says.
fn content(literal: &str) -> Option<Cow<'_, str>> {
    if literal.contains('\\') {
        // A lone half of a pair of surrogates is no text; such a literal is looked at as it is.
        let decoded = serde_json::from_str::<String>(literal);
        return Some(decoded.map_or_else(|_| Cow::Borrowed(literal), Cow::Owned));
    }
    literal.get(1..literal.len() - 1).map(Cow::Borrowed)
}

/// The name that ends here, without its quotes.
fn name_before(text: &str) -> Option<&str> {
    let text = text.trim_end_matches([' ', '\t']).trim_end_matches(['"', '\'', '\\']);
    let start = text.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
    let start = start.map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    text.get(start..).filter(|name| !name.is_empty())
}

/// Where the value begins and ends. That of the header `Authorization` has two words.
fn value_after(text: &str, from: usize, is_header: bool) -> (usize, usize) {
    let rest = &text[from..];
    let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let rest = &rest[spaces..];
    let slashes = rest.len() - rest.trim_start_matches('\\').len();
    let start = from + spaces;
    if let Some(quote @ ('"' | '\'')) = rest[slashes..].chars().next() {
        let start = start + slashes + 1;
        let closing = format!("{}{quote}", &rest[..slashes]);
        // A quote with more backslashes than its opening belongs to the value.
        let mut at = start;
        while let Some(found) = text[at..].find(&closing) {
            let end = at + found;
            if !text[start..end].ends_with('\\') {
                return (start, end);
            }
            at = end + closing.len();
        }
        return (start, text.len());
    }
    let ends = |c: char| {
        let is_space = c.is_whitespace() && !(is_header && c == ' ');
        is_space || matches!(c, '&' | ',' | ';' | ')' | '}' | ']' | '"' | '\'' | '\\' | '#')
    };
    (start, start + rest.find(ends).unwrap_or(rest.len()))
}

/// A value of a query without its percent signs.
fn decoded(value: &str) -> String {
    let (mut out, mut rest) = (Vec::with_capacity(value.len()), value.as_bytes());
    while let [byte, after @ ..] = rest {
        let hex = after.get(..2).filter(|_| *byte == b'%');
        let decoded = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        out.push(decoded.unwrap_or(*byte));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Bytes without those of a secret.
fn without(bytes: Vec<u8>, secret: &[u8]) -> Vec<u8> {
    if secret.is_empty() || !bytes.windows(secret.len()).any(|part| part == secret) {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(secret) {
            Some(after) => {
                out.extend_from_slice(STARS.as_bytes());
                rest = after;
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "hunter2-canary";

    fn json(text: &str) -> String {
        Redaction::default().json(text)
    }

    fn text(text: &str) -> String {
        Redaction::default().text(text).into_owned()
    }

    #[test]
    fn a_secret_name_hides_its_value_and_nothing_else() {
        for (before, after) in [
            (r#"{"access_token":"abc","x":"abc"}"#, r#"{"access_token":"***","x":"abc"}"#),
            (r#"{ "clientSecret" : "a\"b" , "x":1}"#, r#"{ "clientSecret" : "***" , "x":1}"#),
            (r#"{"Refresh-Token":"abc"}"#, r#"{"Refresh-Token":"***"}"#),
            (r#"{"access\u005ftoken":"abc"}"#, r#"{"access\u005ftoken":"***"}"#),
            (r#"{"password":12345678,"x":-1.5e3}"#, r#"{"password":0,"x":-1.5e3}"#),
            (r#"{"token":null,"secret":true,"x":"y"}"#, r#"{"token":null,"secret":true,"x":"y"}"#),
            (
                r#"{"secret":{"a":["b",1,{"c":"d"}]},"x":"b"}"#,
                r#"{"secret":{"a":["***",0,{"c":"***"}]},"x":"b"}"#,
            ),
            (r#"["token","abc"]"#, r#"["token","abc"]"#),
            (r#"{"tokens":"abc","token_type":"bearer"}"#, r#"{"tokens":"abc","token_type":"bearer"}"#),
            (r#"{"a":"token","b":"abc"}"#, r#"{"a":"token","b":"abc"}"#),
        ] {
            assert_eq!(json(before), after, "{before}");
        }
    }

    #[test]
    fn json_within_strings_is_looked_into() {
        let mut inner = format!(r#"{{"client_secret":"{CANARY}","n":1}}"#);
        for _ in 0..6 {
            let outer = serde_json::json!({ "params": inner }).to_string();
            assert!(outer.contains(CANARY));
            let redacted = json(&outer);
            assert!(!redacted.contains(CANARY), "{redacted}");
            assert!(serde_json::from_str::<serde_json::Value>(&redacted).is_ok(), "{redacted}");
            inner = outer;
        }
    }

    #[test]
    fn urls_headers_and_prose_are_read_too() {
        for (before, after) in [
            ("GET /ws?token=abc&x=1", "GET /ws?token=***&x=1"),
            ("Authorization: Bearer abc.def\r\nHost: h", "Authorization: ***\r\nHost: h"),
            ("it said {\"access_token\": \"a b\"} and left", "it said {\"access_token\": \"***\"} and left"),
            (r#"it said {\"api_key\":\"a\\\"b\"}"#, r#"it said {\"api_key\":\"***\"}"#),
            ("password = abc; x", "password = ***; x"),
            ("token: null", "token: null"),
            ("größe: 1, tökenß=2", "größe: 1, tökenß=2"),
            ("token=", "token="),
        ] {
            assert_eq!(text(before), after);
            assert_eq!(text(after), after, "twice is as once");
        }
    }

    #[test]
    fn what_is_repeated_is_hidden_wherever_it_is() {
        let mut redaction = Redaction::default().secret("s3cret-of-ours").name("pin code").keep("token");
        let mut json = |text: &str| redaction.json(text);
        assert_eq!(json(r#"{"token":"BTC","pinCode":"12345678"}"#), r#"{"token":"BTC","pinCode":"***"}"#);
        // As a number, as text, in Base64, escaped, and beside what is no text.
        assert_eq!(json(r#"{"n":12345678,"m":123456789}"#), r#"{"n":0,"m":123456789}"#);
        assert_eq!(json(r#"{"text":"you said 12345678"}"#), r#"{"text":"you said ***"}"#);
        assert_eq!(json(r#"{"text":"you said s\u0033cret-of-ours"}"#), r#"{"text":"you said ***"}"#);
        let line = |bytes: &[u8]| format!(r#"{{"frame":{{"binary":"{}"}}}}"#, BASE64.encode(bytes));
        assert_eq!(json(&line(b"key s3cret-of-ours")), line(b"key ***"));
        assert_eq!(json(&line(b"\xff s3cret-of-ours \xff")), line(b"\xff *** \xff"));
        assert_eq!(json(&line(br#"{"password":"x"}"#)), line(br#"{"password":"***"}"#));
    }

    #[test]
    fn the_configuration_is_known() {
        let url = "wss://h/p?symbol=BTCUSDT&listenKey=short&k=0123456789%2Babcdef";
        let config = Config::new(url).unwrap().header("Authorization", "Bearer abcdef").unwrap();
        let mut redaction = Redaction::default();
        redaction.learn_config(&config);
        let text = redaction.text("BTCUSDT abcdef short 0123456789%2Babcdef 0123456789+abcdef");
        assert_eq!(text, "BTCUSDT *** *** *** ***");
        assert!(!format!("{redaction:?}").contains("abcdef"));
        // Cut short at the end of a text.
        assert_eq!(redaction.text("it was 0123456789%2B"), "it was ***");
        assert_eq!(redaction.text("ü0123456"), "ü***");
        assert_eq!(redaction.text("it was 01234 or so"), "it was 01234 or so");
    }

    #[test]
    fn what_is_learned_is_bounded() {
        let mut redaction = Redaction::default();
        for n in 0..1000 {
            redaction.json(&format!(r#"{{"token":"token-{n:05}"}}"#));
        }
        assert_eq!(redaction.learned.len(), LEARNED.1);
        assert_eq!(redaction.text("token-00999"), "***");
    }

    #[test]
    fn what_is_no_json_stays() {
        for text in ["{", "]", "{\"a", "{\"a\":", "[}", "\"", "\"\\", "{\"token\":"] {
            assert_eq!(Redaction::default().text(text), text);
        }
    }
}
