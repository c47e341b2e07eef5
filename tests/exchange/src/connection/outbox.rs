//! What waits to be written to a connection: bounded, and a reader that lets it fill up is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::ending::Ending;
use crate::faults::Fault;
use crate::faults::command::Command;

/// Orders that may wait for one connection.
const ORDERS: usize = 64;

/// Something to write, or to do once everything before it is written.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// A frame of a channel.
    Update { channel: Arc<str>, opens: bool, text: Utf8Bytes },
    /// An answer of the matching engine, and the number of its request in the ledger.
    Answer { text: String, number: u64 },
    /// Any other text frame.
    Text(Utf8Bytes),
    /// An order that must not overtake the frames before it.
    Then(Order),
}

/// Something to do at once.
#[derive(Debug, Clone)]
pub(crate) enum Order {
    Misbehave(Fault),
    Run(Command),
    End(Ending),
}

#[derive(Debug)]
struct Shared {
    number: u64,
    items: mpsc::Sender<Item>,
    orders: mpsc::Sender<Order>,
    overflowed: AtomicBool,
}

/// The side of a connection that everybody else holds.
#[derive(Debug, Clone)]
pub(crate) struct Handle(Arc<Shared>);

/// The side that the connection itself holds.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) items: mpsc::Receiver<Item>,
    pub(crate) orders: mpsc::Receiver<Order>,
    /// An order taken from the items before its turn.
    pub(crate) postponed: Option<Order>,
}

/// Makes both sides. `capacity` frames may wait.
pub(crate) fn outbox(number: u64, capacity: usize) -> (Handle, Inbox) {
    let (items, item_queue) = mpsc::channel(capacity);
    let (orders, order_queue) = mpsc::channel(ORDERS);
    let shared = Shared { number, items, orders, overflowed: AtomicBool::new(false) };
    (Handle(Arc::new(shared)), Inbox { items: item_queue, orders: order_queue, postponed: None })
}

impl Handle {
    pub(crate) fn number(&self) -> u64 {
        self.0.number
    }

    /// Queues an item. At the limit the item is lost, and so is the connection.
    pub(crate) fn send(&self, item: Item) {
        let full = matches!(self.0.items.try_send(item), Err(mpsc::error::TrySendError::Full(_)));
        if full && !self.0.overflowed.swap(true, Ordering::Relaxed) {
            self.order(Order::End(Ending::too_slow()));
        }
    }

    pub(crate) fn send_text(&self, text: String) {
        self.send(Item::Text(text.into()));
    }

    /// Gives an order; false when the connection is gone or has too many.
    pub(crate) fn order(&self, order: Order) -> bool {
        self.0.orders.try_send(order).is_ok()
    }
}
