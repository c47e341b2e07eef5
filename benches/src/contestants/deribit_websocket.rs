//! deribit-websocket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use deribit_websocket::client::DeribitWebSocketClient;
use deribit_websocket::config::WebSocketConfig;
use deribit_websocket::model::ws_types::{JsonRpcRequest, JsonRpcResult};
use tokio::spawn;

use super::{Caller, Ingest, Result, shares};
use crate::data::{Data, Envelope, METHOD, ORDER, Placed};
use crate::measure;
use crate::server::{FLOOD, Flood};

async fn connect(port: u16) -> Result<DeribitWebSocketClient> {
    let config = WebSocketConfig::with_url(&format!("ws://127.0.0.1:{port}/"))?;
    let client = DeribitWebSocketClient::new(&config)?;
    client.connect().await?;
    Ok(client)
}

fn request(id: u64, method: &str, params: impl serde::Serialize) -> Result<JsonRpcRequest> {
    let params = Some(serde_json::to_value(params)?);
    Ok(JsonRpcRequest { jsonrpc: "2.0".into(), id: id.into(), method: method.into(), params })
}

/// It gives notifications as texts; they are decoded as with bare tokio-tungstenite.
pub struct Typed(DeribitWebSocketClient);

impl Ingest for Typed {
    async fn open(port: u16, channels: Vec<String>) -> Result<Self> {
        let client = connect(port).await?;
        client.subscribe(channels).await?;
        Ok(Self(client))
    }

    async fn take(&mut self, flood: Flood) -> Result<()> {
        self.0.send_request(&request(1 << 32, FLOOD, flood)?).await?;
        while !measure::complete() {
            let text = self.0.receive_message().await?;
            let envelope: Envelope<'_> = serde_json::from_str(&text)?;
            measure::saw(Data::decode(envelope.params.channel, envelope.params.data.get())?.proof());
        }
        Ok(())
    }
}

pub struct Calls {
    client: DeribitWebSocketClient,
    next: AtomicU64,
}

impl Caller for Arc<Calls> {
    async fn open(port: u16) -> Result<Self> {
        Ok(Self::new(Calls { client: connect(port).await?, next: AtomicU64::new(1) }))
    }

    async fn call(&self, calls: u64, in_flight: u64) -> Result<()> {
        for share in shares(calls, in_flight) {
            let caller = self.clone();
            spawn(async move {
                for _ in 0..share {
                    measure::saw(caller.one().await.expect("it is answered").proof());
                }
            });
        }
        measure::completed().await;
        Ok(())
    }
}

impl Calls {
    async fn one(&self) -> Result<Placed> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        match self.client.send_request(&request(id, METHOD, ORDER)?).await?.result {
            JsonRpcResult::Success { result } => Ok(serde_json::from_value(result)?),
            JsonRpcResult::Error { error } => Err(error.message.into()),
        }
    }
}
