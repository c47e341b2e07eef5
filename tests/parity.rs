//! Both languages offer the same: whatever Rust has is in TypeScript too, or is listed here with the reason.
#![cfg(not(all(target_family = "wasm", target_os = "unknown")))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;

/// Something of Rust's that TypeScript does not have under the same name.
enum Instead {
    /// It is called so there.
    Is(&'static str),
    /// It is not there, and why.
    Nothing(&'static str),
}
use Instead::{Is, Nothing};

type Exceptions = &'static [(&'static str, Instead)];

const WEB: &str = "a browser cannot";
const RUST: &str = "a matter of Rust";
const SIZE: &str = "left out of what a page loads";
const SAME: &str = "covered by another's options";

#[test]
fn options() {
    let options = Ts::read("options.ts");
    let config = Rust::read("src/config.rs");
    let exceptions: Exceptions = &[
        ("endpoint", Nothing("the first argument of connect")),
        ("headers", Nothing(WEB)),
        ("read_buffer", Nothing("the native transport's")),
        ("recorder", Nothing(SIZE)),
    ];
    same(config.fields("Config"), options.members("interface Options"), exceptions);
    same(config.fields("Backoff"), options.members("interface Backoff"), &[]);
    same(config.fields("Heartbeat"), options.members("interface Heartbeat"), &[]);
    same(config.fields("OutboundLimit"), options.members("interface OutboundLimit"), &[]);
    same(config.fields("Queue"), options.members("interface Queue"), &[]);
    same(kebab(config.variants("Overflow")), options.words("type Overflow"), &[]);
    same(kebab(config.variants("WhenBlocked")), options.words("type WhenBlocked"), &[]);

    let exceptions: Exceptions = &[("new", Nothing(RUST))];
    same(
        Rust::read("src/jsonrpc.rs").methods("JsonRpc"),
        options.members("interface JsonRpcOptions"),
        exceptions,
    );
    let subscriptions = Rust::read("src/jsonrpc/subscriptions.rs");
    same(subscriptions.fields("Subscriptions"), options.members("interface Subscriptions"), &[]);
    same(kebab(subscriptions.variants("Style")), options.words("interface Subscriptions"), &[]);

    let limiter = Ts::read("limiter.ts");
    same(Rust::read("src/session/limiter.rs").fields("Bucket"), limiter.members("interface Bucket"), &[]);
}

#[test]
fn deribits_options() {
    let client = Ts::read("deribit/client.ts");
    let options = Rust::read("src/deribit/options.rs");
    let exceptions: Exceptions = &[
        ("production", Is("environment")),
        ("testnet", Is("environment")),
        ("local", Is("environment")),
        ("at", Is("url")),
        ("config", Nothing("they are the same object")),
        ("client", Is("program")),
        ("heartbeat", Is("server_heartbeat")),
        ("signed_credentials", Is("credentials")),
        ("signer", Is("credentials")),
        ("limiter", Nothing("an option of every client")),
        ("validate", Nothing("connecting does it")),
    ];
    same(options.methods("Options"), client.members("interface DeribitOptions"), exceptions);
    let words = client.words("interface DeribitOptions");
    same(kebab(options.variants("Environment")), words.clone(), &[]);
    same(kebab(options.variants("CancelOnDisconnect")), words, &[]);
}

#[test]
fn what_is_told() {
    let api = Rust::read("src/session/api.rs");
    let client = Ts::read("client.ts");
    let state = Ts::read("state.ts");
    let joined = |names: Names| names.iter().map(|name| name.replace('_', "")).collect();
    let exceptions: Exceptions =
        &[("answered", Nothing("it answers a ping")), ("notrecorded", Nothing(SIZE))];
    same(joined(api.variants("Event")), client.members("interface ClientEventMap"), exceptions);
    same(api.variants("State"), state.words("type State"), &[]);
    let exceptions: Exceptions = &[("round_trip", Nothing("of a ping"))];
    same(api.fields("Stats"), state.members("interface Stats"), exceptions);
    let queue = Rust::read("src/queue.rs");
    same(queue.variants("Update"), Ts::read("update.ts").words("type Update"), &[]);
    let exceptions: Exceptions = &[("message", Is("text"))];
    let protocol = Rust::read("src/protocol.rs");
    same(protocol.variants("Unmatched"), state.words("type ServerMessage"), exceptions);

    let rust = Rust::read("src/health.rs");
    let health = Ts::read("health.ts");
    let exceptions: Exceptions = &[("at", Nothing("performance.now()"))];
    same(rust.fields("Health"), health.members("interface Health"), exceptions);
    same(kebab(rust.variants("Verdict")), health.words("interface Health"), &[]);
    same(rust.fields("Credits"), health.members("interface Credits"), &[]);
    same(rust.fields("Backlog"), health.members("interface Backlog"), &[]);
    same(rust.fields("BookHealth"), health.members("interface BookHealth"), &[]);
    same(kebab(rust.variants("BookFreshness")), health.words("interface BookHealth"), &[]);

    let error = Rust::read("src/error.rs");
    let errors = Ts::read("errors.ts");
    same(error.variants("Category"), errors.words("type Category"), &[]);
    same(error.variants("Advice"), errors.words("type Advice"), &[]);
    let exceptions: Exceptions = &[("no", Is("not-sent")), ("yes", Is("answered"))];
    same(error.variants("Executed"), errors.words("type Outcome"), exceptions);
    let exceptions: Exceptions = &[("meaning", Is("outcome")), ("message", Nothing("every error has one"))];
    same(error.fields("RpcError"), errors.all_members("class RpcError"), exceptions);
}

#[test]
fn handles() {
    let client = Ts::read("client.ts");
    let exceptions: Exceptions = &[
        ("with_platform", Nothing(RUST)),
        ("request", Is("call")),
        ("notification", Is("notify")),
        ("subscribe_as", Nothing(SAME)),
        ("subscribe_with", Nothing(SAME)),
        ("events", Is("add_event_listener")),
        ("respond_json", Is("respond")),
        ("close_with", Is("close")),
        ("now", Nothing("performance.now()")),
        ("call_timeout", Nothing("the option of this name")),
        ("endpoint", Nothing("whoever connects has it")),
        ("created", Nothing("of use to a registry, which is a Map there")),
        ("limiter", Nothing("the option of this name is made first")),
    ];
    same(Rust::read("src/client.rs").methods("Client"), client.members("class Client"), exceptions);
    let stream = Ts::read("stream.ts");
    let exceptions: Exceptions = &[("next", Is("updates"))];
    let subscription = Rust::read("src/client.rs").methods("Subscription<T>");
    same(subscription, stream.members("class Stream"), exceptions);

    let exceptions: Exceptions = &[
        ("with_platform", Nothing(RUST)),
        ("over", Nothing(RUST)),
        ("client", Nothing("it is the same object")),
        ("subscribe_raw", Is("subscribe_as")),
        ("clock", Is("server_time")),
        ("limiter", Nothing("the option of this name is made first")),
        ("close", Nothing("the client's")),
    ];
    let deribit = Rust::read("src/deribit/client.rs").methods("Deribit");
    let there = Ts::read("deribit/client.ts").members("class DeribitClient");
    same(deribit, there.clone(), exceptions);

    // What its other parts add.
    const CALL: Instead = Nothing("call by the method's name, whose error says what became of it");
    const BOT: Instead = Nothing("for bots, which are written in Rust");
    let parts: [(&str, Exceptions); 8] = [
        ("book/handle.rs", &[("grouped_book", Is("book"))]),
        ("instruments.rs", &[("instruments", BOT)]),
        ("tracker.rs", &[("track_orders", BOT), ("track_orders_of", BOT)]),
        ("outcome/calls.rs", &[]),
        ("order/place.rs", &[("close_position", CALL)]),
        ("query/quoting.rs", &[("mass_quote", CALL)]),
        ("query/trading.rs", &[("cancel_quotes", CALL)]),
        ("query/market.rs", &[("get_expirations_by_currency", CALL)]),
    ];
    for (part, exceptions) in parts {
        same(Rust::read(&format!("src/deribit/{part}")).methods("Deribit"), there.clone(), exceptions);
    }
}

/// Handles of Rust's that TypeScript has none of. The package's README says why, in these words among others.
#[test]
fn only_in_rust() {
    let readme = fs::read_to_string("pkg/README.md").unwrap();
    let section = readme.split("## ").find(|section| section.starts_with("What only Rust has")).unwrap();
    let exports = fs::read_to_string("pkg/ts/api.ts").unwrap();
    for (file, handle, why) in [
        ("src/pool/mod.rs", "Pool", "all connections share the machine, its network and the tab"),
        ("src/registry.rs", "Registry", "a `Map` does it"),
        ("src/recorder/mod.rs", "Recorder", "a third larger"),
    ] {
        assert!(!Rust::read(file).methods(handle).is_empty(), "{handle} is not in {file} any more");
        assert!(section.replace("\n ", "").contains(why), "the README does not say why {handle} is missing");
        let words = exports.split(|c: char| !c.is_alphanumeric());
        assert!(
            words.clone().count() > 100 && !words.clone().any(|word| word == handle),
            "{handle} is there"
        );
    }
}

#[test]
fn deribits_codes() {
    let table = fs::read_to_string("src/deribit/errors/table.rs").unwrap();
    let codes = fs::read_to_string("pkg/ts/deribit/codes.ts").unwrap();
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let number: i64 = words.next()?.parse().ok()?;
        Some(format!("  {}: {number},", words.next()?))
    };
    same(table.lines().filter_map(row).collect(), codes.lines().map(str::to_owned).collect(), &[]);
}

/// How an order is looked for is written in both languages. They wait equally long before they are sure.
#[test]
fn deribits_searches() {
    let rust = fs::read_to_string("src/deribit/outcome/search.rs").unwrap();
    let pages = fs::read_to_string("src/deribit/outcome/pending.rs").unwrap();
    let ts = fs::read_to_string("pkg/ts/deribit/outcome.ts").unwrap();
    for (name, in_rust, in_ts) in [
        ("SETTLING", "Duration::from_secs(6)", "6_000"),
        ("RECENT", "Duration::from_secs(25 * 60)", "25 * 60_000"),
        ("INDEXED", "Duration::from_secs(60 * 60)", "60 * 60_000"),
        ("FIRST_PAUSE", "Duration::from_millis(500)", "500"),
        ("LONGEST_PAUSE", "Duration::from_secs(15)", "15_000"),
    ] {
        assert!(rust.contains(&format!("const {name}: Duration = {in_rust};")), "{name}");
        assert!(ts.contains(&format!("const {name} = {in_ts}\n")), "{name}");
    }
    for (name, value) in [("PAGE", "1000"), ("SLACK", "60_000")] {
        assert!(pages.contains(&format!("const {name}: u64 = {value};")), "{name}");
        assert!(ts.contains(&format!("const {name} = {value}\n")), "{name}");
    }
}

/// Options are described in the same words, but for how each language writes names and times.
#[test]
fn descriptions() {
    let options = Ts::read("options.ts");
    let config = Rust::read("src/config.rs");
    for (name, kind) in [
        ("Config", "Options"),
        ("Backoff", "Backoff"),
        ("Heartbeat", "Heartbeat"),
        ("OutboundLimit", "OutboundLimit"),
        ("Queue", "Queue"),
    ] {
        let there = options.descriptions(&format!("interface {kind}"));
        for (field, text) in config.descriptions(name) {
            let Some((_, other)) = there.iter().find(|(member, _)| *member == field) else { continue };
            let text = in_typescript(&text);
            assert_eq!(text, *other, "{name}.{field} is described in two ways");
        }
    }
}

/// What is different by nature.
const WORDS: [(&str, &str); 6] = [
    (
        ", and natively one that takes nothing from us.",
        ". Where it cannot be asked (see `probe`), silence proves nothing.",
    ),
    ("`None` trusts", "`false` trusts"),
    ("`None`, the default, for no limit", "by default there is no limit"),
    (
        "with close code 1009, or without a code in a browser, which may not send that",
        "without a close code, because a browser may not send 1009",
    ),
    ("[`Overflow::Latest`]", "`latest`"),
    ("[`Config::max_message`]", "`maxMessage`"),
];

fn in_typescript(text: &str) -> String {
    WORDS.iter().fold(text.to_owned(), |text, (rust, typescript)| text.replace(rust, typescript))
}

type Names = BTreeSet<String>;

/// Every name of Rust's is among TypeScript's, or is an exception that is still needed.
fn same(rust: Names, ts: Names, exceptions: Exceptions) {
    assert!(!rust.is_empty() && !ts.is_empty(), "nothing was found: {rust:?}, {ts:?}");
    for name in &rust {
        let there = ts.contains(name);
        match exceptions.iter().find(|(exception, _)| exception == name) {
            None => assert!(there, "{name} is missing among {ts:?}"),
            Some((_, Is(other))) => assert!(ts.contains(*other), "{name} should be {other} among {ts:?}"),
            Some((_, Nothing(why))) => assert!(!there, "{name} is there in spite of: {why}"),
        }
    }
    for (name, _) in exceptions {
        assert!(rust.contains(*name), "the exception {name} is none any more");
    }
}

fn kebab(names: Names) -> Names {
    names.iter().map(|name| name.replace('_', "-")).collect()
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The lines of the block that begins with `start`, less one step of indentation.
fn block<'t>(text: &'t str, start: &str, step: &'t str) -> impl Iterator<Item = &'t str> {
    let begins = |line: &&str| {
        line.strip_prefix("export ")
            .unwrap_or(line)
            .strip_prefix(start)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    let found: Vec<_> = text.lines().skip_while(|line| !begins(line)).collect();
    assert!(!found.is_empty(), "no {start}");
    let inside = move |line: &&str| line.is_empty() || line.starts_with(step);
    found.into_iter().skip(1).take_while(inside).map(move |line| line.strip_prefix(step).unwrap_or(line))
}

/// Each line that `name` finds something in, with the comment above it as one line.
fn described<'t>(
    lines: impl Iterator<Item = &'t str>,
    name: impl Fn(&str) -> Option<String>,
) -> Vec<(String, String)> {
    let (mut found, mut comment) = (Vec::new(), String::new());
    for line in lines {
        let words = line.trim().trim_end_matches("*/").trim_start_matches(['/', '*']).trim();
        if line.trim().starts_with(['/', '*']) {
            comment = format!("{comment} {words}").trim().to_owned();
        } else {
            found.extend(name(line).map(|name| (name, comment.clone())));
            comment.clear();
        }
    }
    found
}

struct Rust(String);

impl Rust {
    fn read(path: &str) -> Self {
        Self(fs::read_to_string(path).unwrap())
    }

    fn descriptions(&self, of: &str) -> Vec<(String, String)> {
        described(block(&self.0, &format!("pub struct {of}"), "    "), |line| {
            Some(line.strip_prefix("pub ")?.split_once(':')?.0.to_owned())
        })
    }

    fn fields(&self, of: &str) -> Names {
        self.descriptions(of).into_iter().map(|(name, _)| name).collect()
    }

    fn variants(&self, of: &str) -> Names {
        let name = |line: &str| {
            let name: String = line.chars().take_while(|c| c.is_alphanumeric()).collect();
            name.starts_with(char::is_uppercase).then(|| snake(&name))
        };
        block(&self.0, &format!("pub enum {of}"), "    ").filter_map(name).collect()
    }

    /// The public functions of all plain `impl` blocks.
    fn methods(&self, of: &str) -> Names {
        let mut names = Names::new();
        let mut inside = false;
        for line in self.0.lines() {
            if line.starts_with("impl") || line.starts_with('}') {
                inside = line.starts_with("impl") && line.ends_with(&format!(" {of} {{"));
                inside &= !line.contains(" for ");
            }
            let Some(rest) = line.strip_prefix("    pub ").filter(|_| inside) else { continue };
            let rest = rest.trim_start_matches("async ").trim_start_matches("const ");
            let Some(rest) = rest.strip_prefix("fn ") else { continue };
            names.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
        names
    }
}

struct Ts(String);

impl Ts {
    fn read(path: &str) -> Self {
        Self(fs::read_to_string(format!("pkg/ts/{path}")).unwrap())
    }

    fn descriptions(&self, of: &str) -> Vec<(String, String)> {
        described(block(&self.0, of, "  "), member)
    }

    /// What an interface or a class has, in snake case.
    fn members(&self, of: &str) -> Names {
        self.descriptions(of).into_iter().map(|(name, _)| name).collect()
    }

    /// The same, with those of the class before it in the file, which it extends.
    fn all_members(&self, of: &str) -> Names {
        let mut names = self.members(of);
        names.extend(self.members("class SteadyError"));
        names
    }

    /// The words in quotes of a type.
    fn words(&self, of: &str) -> Names {
        let start = self.0.find(of).unwrap_or_else(|| panic!("no {of}"));
        let text = &self.0[start..];
        let end = text[1..].find("\n/**").or(text[1..].find("\nexport")).unwrap_or(text.len() - 1);
        let code = text[..=end].split("/**").map(|part| part.split_once("*/").map_or(part, |(_, code)| code));
        code.collect::<String>().split('\'').skip(1).step_by(2).map(str::to_owned).collect()
    }
}

/// The name of a property or method, unless the line goes on with something.
fn member(line: &str) -> Option<String> {
    let words = ["async ", "override ", "readonly ", "protected ", "get ", "static "];
    let mut rest = line;
    while let Some(next) = words.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = next;
    }
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
    let after = &rest[name.len()..];
    (!name.is_empty() && after.starts_with(['?', ':', '(', '<'])).then(|| snake(&name))
}
