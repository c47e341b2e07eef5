//! The pure state machine of one logical connection.

pub mod limiter;
