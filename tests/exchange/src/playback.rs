//! A recording, played to whoever connects.
//!
//! What is read is the format that `steadysocket::recorder` documents, by nothing but that document.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use data_encoding::BASE64;
use futures_util::{SinkExt, StreamExt};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// What a server said in a recording of `steadysocket::recorder`, to be said again.
///
/// The first to connect is told what the first connection of the recording was told, the second what the second was, and
/// so on. Answers come when the same method is asked for, after as long as it took then, and with the id that is asked
/// with. Everything else comes at its time, but waits up to a second for as many requests as had been made before it then.
/// Where the recorded connection ended, this one does, and attempts that failed fail.
/// Methods of which the recording has no more answers are answered with error -32601, and after the last connection so is
/// everything.
///
/// ```
/// # async fn f(text: String) -> Result<(), Box<dyn std::error::Error>> {
/// use steadysocket_exchange::Playback;
///
/// let server = Playback::read(&text)?.speed(10.0).start(0).await?;
/// println!("connect to {}", server.url());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Playback {
    visits: Arc<Vec<Visit>>,
    speed: f64,
}

/// A [`Playback`] that is being played, until it is dropped.
#[derive(Debug)]
pub struct PlaybackServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// One attempt to connect, and what came of it.
#[derive(Debug, Default)]
struct Visit {
    open: Option<u64>,
    /// In order: when, and after how many requests.
    acts: Vec<(u64, usize, Act)>,
    requests: usize,
    /// By method, in order: when the answer came after the request, and its members.
    answers: HashMap<String, VecDeque<(u64, Answer)>>,
    /// What was asked and is not answered yet: when, and by which method.
    asked: HashMap<String, (u64, String)>,
}

/// What the server did by itself.
#[derive(Clone, Debug)]
enum Act {
    Say(Message),
    End,
}

/// How long an act waits for the requests that came before it.
const PATIENCE: Duration = Duration::from_secs(1);
/// As good as never.
const DAY: Duration = Duration::from_secs(86_400);

type Answer = BTreeMap<String, Box<RawValue>>;
type Object<'a> = BTreeMap<String, &'a RawValue>;

impl Playback {
    /// Reads a recording: its first client.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut visits: Vec<Visit> = Vec::new();
        let mut session = None;
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for (index, line) in whole.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let wrong = |problem: &str| format!("line {}: {problem}", index + 1);
            let object: Object<'_> = serde_json::from_str(line).map_err(|error| wrong(&error.to_string()))?;
            if index == 0 && object.get("recording").map(|name| name.get()) != Some("\"steadysocket\"") {
                return Err(wrong("is not the header of a recording"));
            }
            let number = |name: &str| object.get(name).and_then(|raw| raw.get().parse::<u64>().ok());
            let (Some(at), Some(of), Some(visit)) = (number("at"), number("session"), number("connection"))
            else {
                // A header ends it, and what was lost is not to be had.
                if index > 0 && object.contains_key("recording") {
                    break;
                }
                continue;
            };
            if *session.get_or_insert(of) != of || visit == 0 {
                continue;
            }
            let visit = usize::try_from(visit - 1).unwrap_or(usize::MAX);
            if visit > visits.len() {
                return Err(wrong("its connection does not follow from the last"));
            }
            if visit == visits.len() {
                visits.push(Visit::default());
            }
            let note = |direction: &str| object.get(direction).map(|raw| raw.get());
            match (note("in"), note("out")) {
                (Some(what), _) => visits[visit].comes_in(at, what).map_err(|problem| wrong(&problem))?,
                (_, Some(what)) => visits[visit].goes_out(at, what),
                _ => {}
            }
        }
        Ok(Self { visits: Arc::new(visits), speed: 1.0 })
    }

    /// How many times as fast it is played. Default 1.
    pub fn speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// Serves on this port of loopback; 0 is any free one.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(self, port: u16) -> io::Result<PlaybackServer> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let next = AtomicUsize::new(0);
            while let Ok((stream, _)) = listener.accept().await {
                let (playback, visit) = (self.clone(), next.fetch_add(1, Ordering::Relaxed));
                tokio::spawn(async move {
                    // Whoever leaves in the middle has heard enough.
                    let _left = playback.serve(stream, visit).await;
                });
            }
        });
        Ok(PlaybackServer { address, task })
    }

    async fn serve(
        &self,
        stream: TcpStream,
        visit: usize,
    ) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        let nothing = Visit { open: Some(0), ..Visit::default() };
        let visit = self.visits.get(visit).unwrap_or(&nothing);
        let Some(open) = visit.open else { return Ok(()) };
        let mut socket = tokio_tungstenite::accept_async(stream).await?;
        let start = Instant::now();
        let time = |nanos: u64| {
            let seconds = Duration::from_nanos(nanos).as_secs_f64() / self.speed;
            Duration::try_from_secs_f64(seconds).unwrap_or(DAY).min(DAY)
        };
        let mut acts: VecDeque<_> = visit.acts.iter().cloned().collect();
        let mut answers = visit.answers.clone();
        let mut owed: Vec<(Instant, String)> = Vec::new();
        let mut asked = 0;
        loop {
            let act = acts.front().map(|(at, after, _)| {
                let at = start + time(at.saturating_sub(open));
                if *after <= asked { at } else { at + PATIENCE }
            });
            owed.sort_by_key(|(at, _)| *at);
            let answer = owed.first().map(|(at, _)| *at);
            let due = act.into_iter().chain(answer).min().unwrap_or(start + DAY);
            tokio::select! {
                () = sleep_until(due) => {
                    if answer == Some(due) {
                        socket.send(Message::text(owed.remove(0).1)).await?;
                    } else if let Some((_, _, act)) = acts.pop_front() {
                        let Act::Say(message) = act else { return Ok(()) };
                        socket.send(message).await?;
                    }
                }
                message = socket.next() => {
                    let Some(message) = message else { return Ok(()) };
                    let Message::Text(text) = message? else { continue };
                    asked += 1;
                    if let Some((wait, reply)) = reply(&mut answers, &text) {
                        owed.push((Instant::now() + time(wait), reply));
                    }
                }
            }
        }
    }
}

/// The answer to a request, and what it takes in nanoseconds; nothing for what needs none.
fn reply(answers: &mut HashMap<String, VecDeque<(u64, Answer)>>, request: &str) -> Option<(u64, String)> {
    let request: Value = serde_json::from_str(request).ok()?;
    let (method, id) = (request.get("method")?.as_str()?, request.get("id")?);
    if let Some((wait, mut answer)) = answers.get_mut(method).and_then(VecDeque::pop_front) {
        answer.insert("id".into(), RawValue::from_string(id.to_string()).ok()?);
        return Some((wait, serde_json::to_string(&answer).ok()?));
    }
    let message = format!("the recording has no more answers to {method}");
    let error = json!({ "code": -32601, "message": message });
    Some((0, json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string()))
}

impl Visit {
    fn comes_in(&mut self, at: u64, what: &str) -> Result<(), String> {
        if what == "\"connected\"" {
            self.open = Some(at);
            return Ok(());
        }
        let Ok(what) = serde_json::from_str::<Object<'_>>(what) else { return Ok(()) };
        if what.contains_key("disconnected") {
            self.acts.push((at, self.requests, Act::End));
        }
        let Some(frame) = what.get("frame") else { return Ok(()) };
        let frame: Object<'_> = serde_json::from_str(frame.get()).map_err(|error| error.to_string())?;
        if let Some(raw) = frame.get("json")
            && let Ok(answer) = serde_json::from_str::<Answer>(raw.get())
            && let Some(id) = answer.get("id")
            && let Some((asked, method)) = self.asked.remove(id.get())
        {
            let wait = at.saturating_sub(asked);
            self.answers.entry(method).or_default().push_back((wait, answer));
            return Ok(());
        }
        if let Some(message) = message(&frame)? {
            self.acts.push((at, self.requests, Act::Say(message)));
        }
        Ok(())
    }

    fn goes_out(&mut self, at: u64, what: &str) {
        let what: Value = serde_json::from_str(what).unwrap_or_default();
        let request = &what["frame"]["json"];
        self.requests += usize::from(!request.is_null());
        if let (Some(id), Some(method)) = (request.get("id"), request["method"].as_str()) {
            self.asked.insert(id.to_string(), (at, method.to_owned()));
        }
    }
}

/// A frame as the format shows it. A pong answers a ping of the client's, and is made by our own end.
fn message(frame: &Object<'_>) -> Result<Option<Message>, String> {
    let Some((kind, raw)) = frame.first_key_value() else { return Err("a frame of no kind".into()) };
    let text = || serde_json::from_str::<String>(raw.get()).map_err(|error| error.to_string());
    let bytes = || BASE64.decode(text()?.as_bytes()).map_err(|error| error.to_string());
    Ok(match kind.as_str() {
        "json" => Some(Message::text(raw.get())),
        "text" => Some(Message::text(text()?)),
        "binary" => Some(Message::binary(bytes()?)),
        "ping" => Some(Message::Ping(bytes()?.into())),
        "close" => {
            let close: Value = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
            let code = close["code"].as_u64().and_then(|code| u16::try_from(code).ok());
            let reason = close["reason"].as_str().unwrap_or_default().to_owned();
            let frame = code.map(|code| CloseFrame { code: code.into(), reason: reason.into() });
            Some(Message::Close(frame))
        }
        _ => None,
    })
}

impl PlaybackServer {
    /// Where it listens.
    pub fn url(&self) -> String {
        format!("ws://{}/", self.address)
    }
}

impl Drop for PlaybackServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
