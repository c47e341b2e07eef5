//! What happens inside a connection, told to an [`Observer`] while it happens: feature `telemetry`, a default one.
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use steadysocket::Config;
//! use steadysocket::telemetry::Observation;
//!
//! let lost = Arc::new(AtomicU64::new(0));
//! let count = lost.clone();
//! let config = Config::new("wss://example.com/feed")?.observer(Arc::new(move |what: &Observation<'_>| {
//!     if let Observation::Delivered { lost, .. } = what {
//!         count.fetch_add(*lost, Ordering::Relaxed);
//!     }
//! }));
//! # Ok::<(), steadysocket::error::ConfigError>(())
//! ```
//!
//! Without an observer nothing is computed: each place asks whether there is one, and that is all. `make telemetry-cost`
//! counts what that takes. Without the feature not even that is in the build.

mod calls;
mod observation;

use std::fmt;
#[cfg(feature = "telemetry")]
use std::sync::Arc;

pub use observation::{FrameKind, Observation, Outcome};

pub(crate) use calls::Calls;

/// Somebody who wants to know what happens inside connections: [`Config::observer`](crate::Config::observer).
///
/// It is called where things happen, in the connection's task for the most part: it must be quick and must not wait.
/// What panics in it panics there: see [`Client::supervised`](crate::Client::supervised). A closure will do.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn observe(&self, what: &Observation<'_>);
}

impl<F: Fn(&Observation<'_>) + Send + Sync> Observer for F {
    fn observe(&self, what: &Observation<'_>) {
        self(what);
    }
}

/// Who observes a client, if anybody does.
#[derive(Clone, Default)]
pub(crate) struct Observed(#[cfg(feature = "telemetry")] Option<Arc<dyn Observer>>);

impl Observed {
    /// Tells what is only made up when somebody hears it.
    #[inline]
    pub(crate) fn tell<'a>(&self, what: impl FnOnce() -> Observation<'a>) {
        #[cfg(feature = "telemetry")]
        if let Some(observer) = &self.0 {
            observer.observe(&what());
        }
        #[cfg(not(feature = "telemetry"))]
        drop(what);
    }

    /// Whether anybody hears.
    #[inline]
    pub(crate) fn is_heard(&self) -> bool {
        #[cfg(feature = "telemetry")]
        return self.0.is_some();
        #[cfg(not(feature = "telemetry"))]
        return false;
    }

    /// The same, and another observer after those that are there.
    #[cfg(feature = "telemetry")]
    pub(crate) fn and(self, observer: Arc<dyn Observer>) -> Self {
        Self(Some(match self.0 {
            Some(first) => Arc::new(Both(first, observer)),
            None => observer,
        }))
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_heard() { "observer" } else { "none" })
    }
}

#[cfg(feature = "telemetry")]
struct Both(Arc<dyn Observer>, Arc<dyn Observer>);

#[cfg(feature = "telemetry")]
impl Observer for Both {
    fn observe(&self, what: &Observation<'_>) {
        self.0.observe(what);
        self.1.observe(what);
    }
}
