//! Wakers that call a function of JavaScript's, at once. A promise for each wait would cost more than what is waited for.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::{Wake, Waker};

use js_sys::Function;
use wasm_bindgen::prelude::*;

thread_local! {
    /// The functions, by place: a waker may go from thread to thread, and a function may not.
    static FUNCTIONS: RefCell<Vec<Option<Function>>> = const { RefCell::new(Vec::new()) };
}

/// A function that is called when something can be taken. It must not throw, nor call what called it.
pub struct Bell {
    place: usize,
    waker: Waker,
}

impl Bell {
    /// A bell whose function is `ring`.
    pub fn new(ring: Function) -> Self {
        let place = FUNCTIONS.with_borrow_mut(|functions| {
            let free = functions.iter().position(Option::is_none);
            let place = free.unwrap_or(functions.len());
            if free.is_none() {
                functions.push(None);
            }
            functions[place] = Some(ring);
            place
        });
        Self { place, waker: Arc::new(Ring(place)).into() }
    }

    /// What rings it.
    pub fn waker(&self) -> &Waker {
        &self.waker
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        FUNCTIONS.with_borrow_mut(|functions| functions[self.place] = None);
    }
}

/// It may outlive its bell, and then rings the one that has come to its place, which finds nothing to take.
struct Ring(usize);

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let ring = FUNCTIONS.with_borrow(|functions| functions.get(self.0).cloned().flatten());
        if let Some(ring) = ring {
            let _ = ring.call0(&JsValue::UNDEFINED);
        }
    }
}
