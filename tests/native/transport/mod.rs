//! The native transport alone, against scripted servers.

mod floods;
mod frames;
mod handshake;
mod misbehaviours;
mod proxy;
mod support;
mod tls;
