//! The session and its driver on virtual time, over a simulated network. Nothing here sleeps: hours pass in
//! milliseconds, and one seed decides everything that happens.

mod calls;
mod connect;
mod liveness;
mod recovery;
mod storm;
mod streams;
mod venue;
mod world;
