//! yawc: frames, with compression, which is not asked for here.

use futures::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use yawc::frame::{Frame, OpCode};
use yawc::{Options, Role, WebSocket};

use super::{Ingest, Result};
use crate::server::Flood;
use crate::{handshake, measure};

/// The text of every message.
pub struct Raw(WebSocket<TcpStream>);

impl Ingest for Raw {
    async fn open(port: u16, _: Vec<String>) -> Result<Self> {
        let stream = handshake::connect(port).await?;
        let options = Options::default().without_compression().with_utf8();
        Ok(Self(WebSocket::from_stream(stream, Role::Client, options)?))
    }

    async fn take(&mut self, flood: Flood) -> Result<()> {
        self.0.send(Frame::text(flood.request())).await?;
        self.0.next().await.ok_or("the answer to the request is missing")?;
        while !measure::complete() {
            let frame = self.0.next().await.ok_or("the connection ended")?;
            if frame.opcode() == OpCode::Text {
                measure::saw(frame.as_str().len() as u64);
            }
        }
        Ok(())
    }
}
