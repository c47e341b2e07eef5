//! What RFC 6455 asks of received bytes, checked as they arrive and before tungstenite sees them.
//!
//! tungstenite judges whole frames. Here the first wrong byte ends the connection: a header is refused before its
//! payload comes, and a text at the first byte that is not UTF-8.

use super::utf8::Utf8;
use crate::frame::{CloseCode, CloseFrame};

/// The most fragments of one message, so that empty ones come to an end too. It is enough for the largest message that
/// is allowed by default in pieces of 128 bytes.
const MAX_FRAGMENTS: usize = 128 * 1024;

const FINAL: u8 = 0x80;
const RESERVED_BITS: u8 = 0x70;
const MASKED: u8 = 0x80;
const PING: u8 = 9;

/// How the peer broke the protocol or a limit, and the close code that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) code: CloseCode,
    pub(super) problem: &'static str,
}

/// What to do with the bytes that were shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many may be passed on.
    Pass(usize),
    /// So many belong to a ping that is kept back.
    Hold(usize),
    /// The peer is to be left; none may be passed on.
    Refuse(Breach),
}

/// Follows the frames of one connection.
pub(super) struct Inspector {
    max_message: u64,
    /// The header that is being read, and how much of it is there.
    header: [u8; 10],
    have: usize,
    /// The frame whose payload is being read.
    frame: Option<Frame>,
    /// The message that the present or the next data frame belongs to.
    message: Option<Message>,
    /// The payload of the control frame that is being read.
    control: Vec<u8>,
    closed: Option<Option<CloseFrame>>,
    breach: Option<Breach>,
    /// Whether pings that begin from now on are kept back.
    hold_pings: bool,
    /// Whether the present frame is kept back.
    holding: bool,
    held: Option<Vec<u8>>,
}

#[derive(Clone, Copy)]
struct Frame {
    kind: Kind,
    is_final: bool,
    left: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

#[derive(Default)]
struct Message {
    text: Option<Utf8>,
    length: u64,
    fragments: usize,
}

impl Inspector {
    /// Messages may have this many bytes.
    pub(super) fn new(max_message: usize) -> Self {
        Self {
            max_message: max_message as u64,
            header: [0; 10],
            have: 0,
            frame: None,
            message: None,
            control: Vec::new(),
            closed: None,
            breach: None,
            hold_pings: false,
            holding: false,
            held: None,
        }
    }

    /// What the peer did wrong, once it did.
    pub(super) fn breach(&self) -> Option<Breach> {
        self.breach
    }

    /// The peer's close frame as it was sent. tungstenite changes one whose code it does not know.
    pub(super) fn closed(&self) -> Option<&Option<CloseFrame>> {
        self.closed.as_ref()
    }

    /// Keeps back pings that begin from now on, or passes them on again.
    pub(super) fn hold_pings(&mut self, hold: bool) {
        self.hold_pings = hold;
    }

    /// Whether a ping that was kept back is complete.
    pub(super) fn has_held(&self) -> bool {
        self.held.is_some()
    }

    /// The ping that was kept back, once it is complete.
    pub(super) fn take_held(&mut self) -> Option<Vec<u8>> {
        self.held.take()
    }

    /// Judges received bytes. What it passes or holds is not shown again, and it stops behind each ping, so that one
    /// can be answered before the next is passed on.
    pub(super) fn inspect(&mut self, bytes: &[u8]) -> Step {
        if self.closed.is_some() {
            // Whatever comes behind a close frame means nothing.
            return Step::Pass(bytes.len());
        }
        let mut good = 0;
        while good < bytes.len() && self.breach.is_none() {
            if self.have == 0 && self.frame.is_none() {
                let hold = self.hold_pings && bytes[good] & 0x0f == PING;
                if hold && good > 0 {
                    break;
                }
                self.holding = hold;
            }
            match self.read(&bytes[good..]) {
                Ok((length, ended)) => {
                    good += length;
                    if ended.is_some_and(|frame| matches!(frame, Kind::Ping | Kind::Close)) {
                        break;
                    }
                }
                Err((code, problem)) => self.breach = Some(Breach { code, problem }),
            }
        }
        match self.breach {
            Some(breach) if good == 0 || self.holding => Step::Refuse(breach),
            _ if self.holding => Step::Hold(good),
            _ => Step::Pass(good),
        }
    }

    /// Reads some of the bytes: how many, and the kind of the frame that ended with them.
    fn read(&mut self, bytes: &[u8]) -> Result<(usize, Option<Kind>), Fault> {
        let Some(frame) = &mut self.frame else {
            self.read_header(bytes[0])?;
            return Ok((1, self.end_frame()?));
        };
        let length = usize::try_from(frame.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        frame.left -= length as u64;
        let payload = &bytes[..length];
        match frame.kind {
            Kind::Close | Kind::Ping | Kind::Pong => self.control.extend_from_slice(payload),
            Kind::Continuation | Kind::Text | Kind::Binary => {
                let text = self.message.as_mut().and_then(|message| message.text.as_mut());
                if text.is_some_and(|text| !text.accepts(payload)) {
                    return Err(NOT_UTF8);
                }
            }
        }
        Ok((length, self.end_frame()?))
    }

    /// Section 5.2, each rule as soon as the bytes for it are there.
    fn read_header(&mut self, byte: u8) -> Result<(), Fault> {
        self.header[self.have] = byte;
        self.have += 1;
        let [first, second, extended @ ..] = self.header;
        let (is_final, kind) = (first & FINAL != 0, kind(first)?);
        let length = match (self.have, second) {
            (1, _) => return self.check_order(kind, is_final),
            (2, MASKED..) => return protocol("a masked frame"),
            (2, 126..) if kind.is_control() => return protocol("a control frame of more than 125 bytes"),
            (2, 1) if kind == Kind::Close => return protocol("a close frame with half a status code"),
            (2, 0..126) => second.into(),
            (4, 126) => match u16::from_be_bytes([extended[0], extended[1]]) {
                0..126 => return protocol(NOT_MINIMAL),
                length => length.into(),
            },
            (10, 127) => match u64::from_be_bytes(extended) {
                0..0x1_0000 => return protocol(NOT_MINIMAL),
                0x8000_0000_0000_0000.. => return protocol("a length of more than 63 bits"),
                length => length,
            },
            _ => return Ok(()),
        };
        self.have = 0;
        self.frame = Some(Frame { kind, is_final, left: length });
        self.count(kind, length)
    }

    /// Section 5.4: which frame may come now.
    fn check_order(&self, kind: Kind, is_final: bool) -> Result<(), Fault> {
        match (kind, &self.message) {
            (Kind::Close | Kind::Ping | Kind::Pong, _) if !is_final => protocol("a fragmented control frame"),
            (Kind::Continuation, None) => protocol("a continuation of nothing"),
            (Kind::Text | Kind::Binary, Some(_)) => protocol("a new message within a fragmented one"),
            _ => Ok(()),
        }
    }

    fn count(&mut self, kind: Kind, length: u64) -> Result<(), Fault> {
        if kind.is_control() {
            self.control.clear();
            return Ok(());
        }
        let text = (kind == Kind::Text).then(Utf8::default);
        let message = self.message.get_or_insert_with(|| Message { text, ..Message::default() });
        message.length = message.length.saturating_add(length);
        message.fragments += 1;
        if message.length > self.max_message {
            return Err((CloseCode::TOO_BIG, "a message over the limit"));
        }
        if message.fragments > MAX_FRAGMENTS {
            return Err((CloseCode::TOO_BIG, "a message in too many fragments"));
        }
        Ok(())
    }

    /// Ends the present frame when all of it is there.
    fn end_frame(&mut self) -> Result<Option<Kind>, Fault> {
        let Some(Frame { kind, is_final, left: 0 }) = self.frame else { return Ok(None) };
        self.frame = None;
        match kind {
            Kind::Close => self.closed = Some(close_frame(&self.control)?),
            Kind::Ping if self.holding => self.held = Some(std::mem::take(&mut self.control)),
            Kind::Ping | Kind::Pong => {}
            Kind::Continuation | Kind::Text | Kind::Binary if is_final => {
                let text = self.message.take().and_then(|message| message.text);
                if text.is_some_and(|text| !text.is_complete()) {
                    return Err(NOT_UTF8);
                }
            }
            Kind::Continuation | Kind::Text | Kind::Binary => {}
        }
        Ok(Some(kind))
    }
}

impl Kind {
    fn is_control(self) -> bool {
        match self {
            Self::Close | Self::Ping | Self::Pong => true,
            Self::Continuation | Self::Text | Self::Binary => false,
        }
    }
}

type Fault = (CloseCode, &'static str);

const NOT_UTF8: Fault = (CloseCode::INVALID_DATA, "text that is not UTF-8");
const NOT_MINIMAL: &str = "a length in more bytes than it needs";

fn protocol<T>(problem: &'static str) -> Result<T, Fault> {
    Err((CloseCode::PROTOCOL_ERROR, problem))
}

/// What the first byte of a frame says.
fn kind(first: u8) -> Result<Kind, Fault> {
    if first & RESERVED_BITS != 0 {
        return protocol("a reserved bit is set");
    }
    match first & 0x0f {
        0 => Ok(Kind::Continuation),
        1 => Ok(Kind::Text),
        2 => Ok(Kind::Binary),
        8 => Ok(Kind::Close),
        PING => Ok(Kind::Ping),
        10 => Ok(Kind::Pong),
        _ => protocol("an unknown opcode"),
    }
}

/// Section 5.5.1. That the payload is not a single byte is known from its header.
fn close_frame(payload: &[u8]) -> Result<Option<CloseFrame>, Fault> {
    let [high, low, reason @ ..] = payload else { return Ok(None) };
    let code = CloseCode(u16::from_be_bytes([*high, *low]));
    if !code.is_legal_on_the_wire() {
        return protocol("a close frame with a code that must not be sent");
    }
    let reason = std::str::from_utf8(reason).map_err(|_| NOT_UTF8)?;
    Ok(Some(CloseFrame::new(code, reason)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 1000;

    /// How many bytes are passed on of these, and what is wrong with the next; the same in one piece and byte by byte.
    fn judge(bytes: &[u8]) -> (usize, Option<Breach>) {
        let (whole, trickled) = (judge_in(bytes, bytes.len().max(1)), judge_in(bytes, 1));
        assert_eq!(whole.1, trickled.1, "{bytes:x?}");
        (whole.0, whole.1)
    }

    fn judge_in(bytes: &[u8], size: usize) -> (usize, Option<Breach>) {
        let mut inspector = Inspector::new(LIMIT);
        let mut passed = 0;
        while passed < bytes.len() {
            match inspector.inspect(&bytes[passed..(passed + size).min(bytes.len())]) {
                Step::Pass(length) => passed += length,
                Step::Hold(_) => panic!("nothing is to be held"),
                Step::Refuse(breach) => return (passed, Some(breach)),
            }
        }
        (passed, inspector.breach())
    }

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        match payload.len() {
            length @ 0..126 => [&[first, length as u8], payload].concat(),
            length => [&[first, 126][..], &(length as u16).to_be_bytes(), payload].concat(),
        }
    }

    #[test]
    fn good_frames_pass() {
        let close = |code: u16| frame(0x88, &[&code.to_be_bytes()[..], b"why"].concat());
        let frames = [
            frame(0x81, "grüß".as_bytes()),
            frame(0x82, &[0xff; LIMIT]),
            frame(0x89, &[0xff; 125]),
            frame(0x8a, b""),
            [frame(0x01, b"\xc3"), frame(0x89, b"?"), frame(0x00, b""), frame(0x80, b"\xbc")].concat(),
            [frame(0x02, b""), frame(0x80, &[0xff; LIMIT])].concat(),
            close(1014),
            close(3000),
            frame(0x88, b""),
        ];
        for bytes in frames {
            assert_eq!(judge(&bytes), (bytes.len(), None), "{bytes:x?}");
        }
    }

    #[test]
    fn the_first_wrong_byte_is_refused() {
        let text = [0x81, 1, b'x'];
        let protocol: [&[u8]; 17] = [
            &[0xc1],
            &[0xa1],
            &[0x91],
            &[0x83],
            &[0x87],
            &[0x8b],
            &[0x8f],
            &[0x09],
            &[0x08],
            &[0x80],
            &[0x01, 1, b'x', 0x81],
            &[0x81, 0x80],
            &[0x89, 126],
            &[0x88, 1],
            &[0x82, 126, 0, 125],
            &[0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
            &[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ];
        let too_big: [&[u8]; 3] = [
            &[0x82, 126, 0x03, 0xe9],
            &[0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[&[0x02, 126, 0x03, 0xe8][..], &[0; LIMIT], &[0x00, 1]].concat(),
        ];
        let data: [&[u8]; 4] = [
            &[0x81, 20, b'a', 0xff],
            &[0x01, 1, 0xc3, 0x80, 0],
            &[0x01, 1, 0xed, 0x00, 9, 0xa0],
            &[0x88, 3, 0x03, 0xe8, 0xff],
        ];
        let cases = [
            (CloseCode::PROTOCOL_ERROR, &protocol[..]),
            (CloseCode::TOO_BIG, &too_big[..]),
            (CloseCode::INVALID_DATA, &data[..]),
        ];
        for (code, cases) in cases {
            for wrong in cases {
                let bytes = [&text[..], wrong].concat();
                let (passed, breach) = judge(&bytes);
                assert_eq!(breach.map(|breach| breach.code), Some(code), "{wrong:x?}");
                assert!((3..bytes.len()).contains(&passed), "{wrong:x?}");
                assert_eq!(judge(&bytes[..bytes.len() - 1]).1, None, "{wrong:x?} one byte earlier");
            }
        }
    }

    #[test]
    fn every_close_code() {
        for code in 0..=u16::MAX {
            let legal = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            let [high, low] = code.to_be_bytes();
            let (_, breach) = judge_in(&[0x88, 2, high, low], 4);
            assert_eq!(breach.is_none(), legal, "{code}");
        }
    }

    #[test]
    fn fragments_come_to_an_end() {
        for payload in [&b""[..], b"x"] {
            let mut inspector = Inspector::new(usize::MAX);
            assert_eq!(inspector.inspect(&frame(0x01, payload)), Step::Pass(2 + payload.len()));
            let next = frame(0x00, payload);
            let mut fragments = 1;
            while inspector.inspect(&next) == Step::Pass(next.len()) {
                fragments += 1;
            }
            let breach = inspector.breach().unwrap();
            assert_eq!((fragments, breach.code), (MAX_FRAGMENTS, CloseCode::TOO_BIG));
        }
    }

    #[test]
    fn pings_are_shown_one_at_a_time_and_held_on_demand() {
        let mut inspector = Inspector::new(LIMIT);
        let (one, two, text) = (frame(0x89, b"one"), frame(0x89, b"two"), frame(0x81, b"text"));
        let bytes = [&one[..], &two, &text].concat();
        assert_eq!(inspector.inspect(&bytes), Step::Pass(5));
        inspector.hold_pings(true);
        assert_eq!((inspector.inspect(&bytes[5..7]), inspector.take_held()), (Step::Hold(2), None));
        assert_eq!(inspector.inspect(&bytes[7..]), Step::Hold(3));
        assert_eq!(inspector.take_held(), Some(b"two".to_vec()));
        // What is not a ping passes, up to the next ping.
        let bytes = [&text[..], &two].concat();
        assert_eq!(inspector.inspect(&bytes), Step::Pass(6));
        inspector.hold_pings(false);
        assert_eq!((inspector.inspect(&bytes[6..]), inspector.take_held()), (Step::Pass(5), None));
    }

    #[test]
    fn the_close_frame_is_kept_as_it_was_sent() {
        let mut inspector = Inspector::new(LIMIT);
        let bytes = [&frame(0x88, b"\x03\xf6bad gateway")[..], &[0xff; 10]].concat();
        assert_eq!(inspector.inspect(&bytes), Step::Pass(15));
        assert_eq!(inspector.closed(), Some(&Some(CloseFrame::new(CloseCode(1014), "bad gateway"))));
        assert_eq!(inspector.inspect(&bytes[15..]), Step::Pass(10));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_depend_on_the_split(
            frames in prop::collection::vec(
                prop_oneof![
                    Just(frame(0x89, b"ping")),
                    Just(frame(0x01, b"\xc3")),
                    Just(frame(0x80, b"\xbc")),
                    Just(frame(0x88, b"\x03\xe8")),
                    Just(frame(0x82, &[0; 200])),
                    prop::collection::vec(any::<u8>(), 0..20),
                ],
                0..8,
            ),
        ) {
            judge(&frames.concat());
        }
    }
}
