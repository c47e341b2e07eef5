//! The native transport alone, against scripted servers.

mod floods;
mod frames;
mod handshake;
mod misbehaviours;
mod musts;
mod proxy;
mod silence;
mod support;
mod tls;
