//! The server: a process of its own, which sends what was encoded before.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::thread;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::data::METHOD;
use crate::frames::{self, Frames};
use crate::{handshake, measure};

/// What a client asks for by [`FLOOD`].
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize)]
pub struct Flood {
    pub load: Load,
    pub frames: u64,
    /// Nanoseconds from one frame to the next; 0 for as fast as it can.
    pub gap: u64,
}

#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// Tickers, books and trades of thirty channels.
    Mixed,
    /// Tickers of so many channels in turn.
    Spread(usize),
    /// One book, a snapshot first.
    Book,
}

/// The method that starts a flood, and the parameters as JSON.
pub const FLOOD: &str = "public/flood";

impl Flood {
    pub fn fast(load: Load, frames: u64) -> Self {
        Self { load, frames, gap: 0 }
    }

    /// The request as a text.
    pub fn request(&self) -> String {
        let params = serde_json::to_string(self).unwrap_or_default();
        format!(r#"{{"jsonrpc":"2.0","id":0,"method":"{FLOOD}","params":{params}}}"#)
    }
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: &'a str,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Channels<'a> {
    #[serde(borrow)]
    channels: &'a RawValue,
}

static MIXED: LazyLock<Arc<Frames>> = LazyLock::new(|| Arc::new(frames::mixed()));
static BOOK: LazyLock<Arc<Frames>> = LazyLock::new(|| Arc::new(frames::book()));
static SPREAD: LazyLock<[(usize, Arc<Frames>); 2]> =
    LazyLock::new(|| [10, 10_000].map(|channels| (channels, Arc::new(frames::spread(channels)))));

/// Serves until its standard input ends. Says its port first.
pub fn run() -> io::Result<()> {
    // Encoded before anything is measured.
    LazyLock::force(&MIXED);
    LazyLock::force(&BOOK);
    LazyLock::force(&SPREAD);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away ends its thread.
            let serve = move || Connection::open(stream).and_then(Connection::serve);
            let _ = thread::Builder::new().stack_size(256 * 1024).spawn(serve);
        }
    });
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    output: Vec<u8>,
    orders: u64,
    flood: Option<Flood>,
}

impl Connection {
    fn open(mut stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.extend(byte);
        }
        stream.write_all(handshake::response(&String::from_utf8_lossy(&head)).as_bytes())?;
        Ok(Self { stream, input: Vec::new(), output: Vec::new(), orders: 0, flood: None })
    }

    fn serve(mut self) -> io::Result<()> {
        loop {
            self.read()?;
            if let Some(flood) = self.flood.take() {
                self.carry_out(flood)?;
            }
        }
    }

    /// Reads once and answers all that came.
    fn read(&mut self) -> io::Result<()> {
        let mut piece = [0; 64 * 1024];
        match self.stream.read(&mut piece)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            length => self.input.extend_from_slice(&piece[..length]),
        }
        let mut input = std::mem::take(&mut self.input);
        let mut read = 0;
        while let Some((opcode, payload, length)) = unmask(&mut input[read..]) {
            read += length;
            match opcode {
                1 => self.answer(payload),
                9 => self.output.extend([&[0x8a, payload.len() as u8], &*payload].concat()),
                8 => return Err(ErrorKind::ConnectionAborted.into()),
                _ => {}
            }
        }
        input.drain(..read);
        self.input = input;
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        let mut rest = &self.output[..];
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(length) => rest = &rest[length..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
                Err(error) => return Err(error),
            }
        }
        self.output.clear();
        Ok(())
    }

    fn answer(&mut self, text: &[u8]) {
        let Ok(request) = serde_json::from_slice::<Request<'_>>(text) else { return };
        let Some(id) = request.id else { return };
        let params = request.params.map_or("{}", RawValue::get);
        let result = match request.method {
            METHOD => {
                self.orders += 1;
                format!(r#"{{"order_id":{},"filled":0.5}}"#, self.orders)
            }
            FLOOD => {
                self.flood = serde_json::from_str(params).ok();
                "true".to_owned()
            }
            "public/subscribe" | "subscribe" => {
                let channels = serde_json::from_str::<Channels<'_>>(params);
                channels.map_or("[]".to_owned(), |channels| channels.channels.get().to_owned())
            }
            "public/hello" | "public/test" => r#"{"version":"1.2.26"}"#.to_owned(),
            _ => r#""ok""#.to_owned(),
        };
        let reply = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result},"testnet":true}}"#);
        self.output.extend(frames::frame(reply.as_bytes()));
    }

    fn carry_out(&mut self, flood: Flood) -> io::Result<()> {
        let frames = match flood.load {
            Load::Mixed => MIXED.clone(),
            Load::Book => BOOK.clone(),
            Load::Spread(channels) => {
                let found = SPREAD.iter().find(|(count, _)| *count == channels);
                found.map_or_else(|| Arc::new(frames::spread(channels)), |(_, frames)| frames.clone())
            }
        };
        if flood.gap > 0 {
            return self.send_paced(&frames, flood);
        }
        let mut left = flood.frames as usize;
        while left > 0 {
            let count = left.min(frames.len());
            self.stream.write_all(frames.first(count))?;
            left -= count;
        }
        Ok(())
    }

    fn send_paced(&mut self, frames: &Frames, flood: Flood) -> io::Result<()> {
        let start = measure::now();
        for number in 0..flood.frames {
            wait_until(start + number * flood.gap);
            self.stream.write_all(frames.get(number as usize % frames.len()))?;
        }
        Ok(())
    }
}

fn wait_until(time: u64) {
    while measure::now() < time {
        std::hint::spin_loop();
    }
}

/// The first frame of a client's bytes: opcode, payload, and how long the frame is. Unmasks it in place.
fn unmask(bytes: &mut [u8]) -> Option<(u8, &mut [u8], usize)> {
    let (opcode, length) = (bytes.first()? & 0x0f, bytes.get(1)? & 0x7f);
    let (length, head) = match length {
        126 => (u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into(), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize, 10),
        length => (usize::from(length), 2),
    };
    let mask: [u8; 4] = bytes.get(head..head + 4)?.try_into().ok()?;
    let payload = bytes.get_mut(head + 4..head + 4 + length)?;
    payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    Some((opcode, payload, head + 4 + length))
}
