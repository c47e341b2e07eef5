//! fastwebsockets: frames and nothing else.

use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, Role, WebSocket};
use tokio::net::TcpStream;

use super::{Ingest, Result};
use crate::server::Flood;
use crate::{handshake, measure};

/// The text of every message. That it is UTF-8 is checked by the collector.
pub struct Raw(FragmentCollector<TcpStream>);

impl Ingest for Raw {
    async fn open(port: u16, _: Vec<String>) -> Result<Self> {
        let stream = handshake::connect(port).await?;
        Ok(Self(FragmentCollector::new(WebSocket::after_handshake(stream, Role::Client))))
    }

    async fn take(&mut self, flood: Flood) -> Result<()> {
        let request = flood.request().into_bytes();
        self.0.write_frame(Frame::text(Payload::Owned(request))).await?;
        self.0.read_frame().await?;
        while !measure::complete() {
            let frame = self.0.read_frame().await?;
            if frame.opcode == OpCode::Text {
                measure::saw(std::str::from_utf8(&frame.payload)?.len() as u64);
            }
        }
        Ok(())
    }
}
