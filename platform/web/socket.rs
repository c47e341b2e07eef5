//! One browser `WebSocket`, from its construction to its end.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use js_sys::{Array, ArrayBuffer, Function, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, Event};

use super::js::{member, reading};
use super::task::Task;
use super::text::{self, Taken};
use super::timer::{self, Timer};
use crate::error::{ConfigError, ConnectError, Disconnect, Phase};
use crate::frame::{CloseCode, CloseFrame, Frame, Message};
use crate::transport::{Attempt, Socket};

/// The browser takes whatever it is given. Beyond this many bytes that have not left yet it gets no more.
const BUFFERED: u32 = 256 * 1024;
/// How often it is asked whether they have left; there is no event for it.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Messages that wait to be read, as a multiple of the largest message: the browser cannot be told to stop reading.
const UNREAD: usize = 4;

/// An open connection. Dropping it closes it, and the browser forgets it.
pub struct WebSocket {
    socket: web_sys::WebSocket,
    inbox: Rc<RefCell<Inbox>>,
    room: Timer,
    closing: bool,
    _handlers: Handlers,
}

/// What the browser calls. It lives as long as the socket.
struct Handlers {
    _open: Closure<dyn Fn(Event)>,
    _message: Closure<dyn Fn(JsValue)>,
    _close: Closure<dyn Fn(CloseEvent)>,
    _error: Closure<dyn Fn(Event)>,
}

/// What has happened and was not read yet.
struct Inbox {
    open: bool,
    items: VecDeque<Result<Frame, Disconnect>>,
    /// Bytes of the messages in it.
    bytes: usize,
    max_message: usize,
    /// Nothing more is taken in.
    over: bool,
    waker: Option<Waker>,
}

/// Starts to connect.
///
/// # Errors
/// A [`ConnectError::Config`] for headers, which a browser cannot send, and for a URL that the browser refuses.
pub(super) fn open(
    attempt: &Attempt,
    class: Option<&Function>,
    task: Task,
) -> Result<WebSocket, ConnectError> {
    attempt.progress.enter(Phase::Browser);
    if !attempt.config.headers.is_empty() {
        return Err(ConfigError::new("headers", "cannot be set in a browser").into());
    }
    let socket = construct(attempt, class)?;
    socket.set_binary_type(BinaryType::Arraybuffer);
    let inbox = Rc::new(RefCell::new(Inbox {
        open: false,
        items: VecDeque::new(),
        bytes: 0,
        max_message: attempt.config.max_message,
        over: false,
        waker: None,
    }));
    let handlers = Handlers::attach(&socket, &inbox, &task);
    Ok(WebSocket { socket, inbox, room: Timer::default(), closing: false, _handlers: handlers })
}

fn construct(attempt: &Attempt, class: Option<&Function>) -> Result<web_sys::WebSocket, ConnectError> {
    let missing = || ConfigError::new("runtime", "has no WebSocket; give it a class with its interface");
    let class = match class {
        Some(class) => class.clone(),
        None => member(&js_sys::global(), "WebSocket").ok_or_else(missing)?.unchecked_into(),
    };
    let arguments = Array::of1(&attempt.url.as_str().into());
    if !attempt.config.subprotocols.is_empty() {
        let names = Array::new();
        for name in &attempt.config.subprotocols {
            names.push(&name.into());
        }
        arguments.push(&names);
    }
    let socket = Reflect::construct(&class, &arguments).map_err(|error| refused(&error))?;
    Ok(socket.unchecked_into())
}

/// The browser's own text may quote the URL, which may hold a token: only the error's name is told.
fn refused(error: &JsValue) -> ConfigError {
    let name = member(error, "name").and_then(|name| name.as_string()).unwrap_or_default();
    let hint = match name.as_str() {
        "SecurityError" => ": the page's own rules forbid it, such as ws:// from an https:// page",
        _ => "",
    };
    ConfigError::new("url", format!("was refused by the browser ({name}){hint}"))
}

impl Handlers {
    fn attach(socket: &web_sys::WebSocket, inbox: &Rc<RefCell<Inbox>>, task: &Task) -> Self {
        let handlers = Self {
            _open: handler(inbox, task, |inbox, _: Event| inbox.open = true),
            _message: handler(inbox, task, |inbox, data: JsValue| inbox.message(data)),
            _close: handler(inbox, task, |inbox, event: CloseEvent| inbox.close(&event)),
            // A close event always follows, and says what there is to say. Node's `ws` wants a handler.
            _error: handler(inbox, task, |_, _: Event| {}),
        };
        socket.set_onopen(Some(handlers._open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(&reading(handlers._message.as_ref().unchecked_ref())));
        socket.set_onclose(Some(handlers._close.as_ref().unchecked_ref()));
        socket.set_onerror(Some(handlers._error.as_ref().unchecked_ref()));
        handlers
    }
}

/// A handler that notes an event in the inbox and lets its reader go on.
fn handler<E: wasm_bindgen::convert::FromWasmAbi + 'static>(
    inbox: &Rc<RefCell<Inbox>>,
    task: &Task,
    note: fn(&mut Inbox, E),
) -> Closure<dyn Fn(E)> {
    let (inbox, task) = (inbox.clone(), task.clone());
    Closure::new(move |event: E| {
        let waker = {
            let mut inbox = inbox.borrow_mut();
            note(&mut inbox, event);
            inbox.waker.take()
        };
        if let Some(waker) = waker {
            task.run(&waker);
        }
    })
}

impl Inbox {
    fn message(&mut self, data: JsValue) {
        if self.over {
            return;
        }
        let frame = self.take(data);
        match &frame {
            Ok(Frame::Message(message)) => self.bytes += message.as_bytes().len(),
            Ok(_) => {}
            Err(_) => self.over = true,
        }
        self.items.push_back(frame);
        if self.bytes > self.max_message.saturating_mul(UNREAD) {
            self.over = true;
            self.items.push_back(Err(Disconnect::Dropped("more came than was read".into())));
        }
    }

    fn take(&self, data: JsValue) -> Result<Frame, Disconnect> {
        let message = match text::take(&data, self.max_message) {
            Taken::Text(text) => Some(Message::Text(text)),
            Taken::TooLarge => None,
            Taken::NoString => {
                let array = array(data).ok_or_else(|| Disconnect::Violation {
                    code: CloseCode::UNSUPPORTED_DATA,
                    problem: "a message is neither a string nor an ArrayBuffer".into(),
                })?;
                let fits = array.length() as usize <= self.max_message;
                fits.then(|| Message::Binary(array.to_vec().into()))
            }
        };
        message.map(Frame::Message).ok_or_else(|| Disconnect::Violation {
            code: CloseCode::TOO_BIG,
            problem: format!("a message has more than {} bytes", self.max_message),
        })
    }

    /// 1005 stands for a close frame without a code, 1006 for none at all; neither is ever on the wire.
    fn close(&mut self, event: &CloseEvent) {
        if self.over {
            return;
        }
        self.over = true;
        let code = member(event, "code")
            .and_then(|code| code.as_f64())
            .map_or(CloseCode::ABNORMAL.0, |code| code as u16);
        let reason = member(event, "reason").and_then(|reason| reason.as_string()).unwrap_or_default();
        self.items.push_back(match CloseCode(code) {
            CloseCode::ABNORMAL => Err(Disconnect::Dropped("the browser does not say why".into())),
            CloseCode::NO_STATUS => Ok(Frame::Close(None)),
            code => Ok(Frame::Close(Some(CloseFrame::new(code, reason)))),
        });
    }

    fn next(&mut self) -> Option<Result<Frame, Disconnect>> {
        let item = self.items.pop_front()?;
        if let Ok(Frame::Message(message)) = &item {
            self.bytes -= message.as_bytes().len();
        }
        Some(item)
    }
}

/// A handler of the language's own that does nothing with an event, and holds nothing of ours. Node's `ws` may report an
/// error of a socket that was given up, and ends a process in which nobody handles it.
fn deaf() -> Option<Function> {
    member(&js_sys::global(), "Boolean").map(JsCast::unchecked_into)
}

/// The bytes of a binary message.
fn array(data: JsValue) -> Option<Uint8Array> {
    match data.dyn_into::<ArrayBuffer>() {
        Ok(buffer) => Some(Uint8Array::new(&buffer)),
        // Node's `ws` may give its own kind of array.
        Err(data) => data.dyn_into().ok(),
    }
}

impl WebSocket {
    /// Waits until it is open.
    pub(super) async fn opened(self) -> Result<Self, ConnectError> {
        poll_fn(|cx| {
            let mut inbox = self.inbox.borrow_mut();
            match (inbox.open, inbox.over) {
                (true, _) => Poll::Ready(Ok(())),
                (false, true) => Poll::Ready(Err(ConnectError::Browser)),
                (false, false) => {
                    inbox.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await?;
        Ok(self)
    }

    fn close(&mut self, frame: Option<&CloseFrame>) {
        self.closing = true;
        let told = frame
            .filter(|frame| frame.code.is_sendable())
            .is_some_and(|frame| self.socket.close_with_code_and_reason(frame.code.0, &frame.reason).is_ok());
        if !told {
            let _ = self.socket.close();
        }
    }

    fn is_open(&self) -> bool {
        !self.closing && self.socket.ready_state() == web_sys::WebSocket::OPEN
    }
}

impl Socket for WebSocket {
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Disconnect>> {
        let mut inbox = self.inbox.borrow_mut();
        match inbox.next() {
            Some(item) => Poll::Ready(item),
            None => {
                inbox.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Never ready on a socket that is closing: the browser would take a message and drop it.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnect>> {
        if !self.is_open() {
            return Poll::Pending;
        }
        if self.socket.buffered_amount() > BUFFERED {
            return self.room.poll(cx, timer::now() + LOOK_AGAIN).map(Ok);
        }
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, frame: Frame) -> Result<(), Disconnect> {
        let result = match frame {
            Frame::Message(Message::Text(text)) => self.socket.send_with_str(text.as_str()),
            // A copy of its own, because memory may grow and move before a class other than the browser's reads it.
            Frame::Message(Message::Binary(bytes)) => {
                self.socket.send_with_js_u8_array(&Uint8Array::from(bytes.as_ref()))
            }
            Frame::Close(frame) => {
                self.close(frame.as_ref());
                Ok(())
            }
            // The browser sends its own.
            Frame::Ping(_) | Frame::Pong(_) => Ok(()),
        };
        result.map_err(|_| Disconnect::Dropped("the browser took no message".into()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Disconnect>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for WebSocket {
    /// First nothing more is called, then it is closed; the closures go last, with the fields.
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        self.socket.set_onerror(deaf().as_ref());
        if !self.closing {
            self.close(None);
        }
        // Node's `ws` would wait 30 s for a mute peer, and keep the process alive for that; it can be told not to.
        if let Some(terminate) =
            member(&self.socket, "terminate").and_then(|it| it.dyn_into::<Function>().ok())
        {
            let _ = terminate.call0(&self.socket);
        }
    }
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").field("closing", &self.closing).finish_non_exhaustive()
    }
}
