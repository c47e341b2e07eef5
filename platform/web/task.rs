//! A driver as a task of the page.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::timer;

/// The task of a driver, which its own socket may run at once: by way of a microtask each message would cost more.
#[derive(Clone, Default)]
pub(super) struct Task(Rc<RefCell<State>>);

#[derive(Default)]
enum State {
    /// It was not spawned: whoever polls the driver is woken.
    #[default]
    Elsewhere,
    Running(Pin<Box<dyn Future<Output = ()>>>),
    Over,
}

impl Task {
    /// Runs a driver as a task of the page.
    pub(super) fn spawn(self, driver: impl Future<Output = ()> + 'static) {
        *self.0.borrow_mut() = State::Running(Box::pin(driver));
        wasm_bindgen_futures::spawn_local(poll_fn(move |cx| self.poll(cx)));
    }

    /// Goes on at once, unless it is under way already: then it is woken.
    pub(super) fn run(&self, waker: &Waker) {
        match self.0.try_borrow().as_deref() {
            Ok(State::Running(_)) => {}
            _ => return waker.wake_by_ref(),
        }
        if self.poll(&mut Context::from_waker(waker)).is_ready() {
            // The task itself ends, too.
            waker.wake_by_ref();
        }
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let ended = match &mut *self.0.borrow_mut() {
            State::Running(driver) => timer::in_one_turn(|| driver.as_mut().poll(cx)).is_ready(),
            State::Elsewhere | State::Over => return Poll::Ready(()),
        };
        if !ended {
            return Poll::Pending;
        }
        // What it holds may want to wake it.
        let over = self.0.replace(State::Over);
        drop(over);
        Poll::Ready(())
    }
}
