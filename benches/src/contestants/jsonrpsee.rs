//! jsonrpsee's WebSocket client.

use std::sync::Arc;

use jsonrpsee_core::client::{ClientT, Subscription, SubscriptionClientT};
use jsonrpsee_core::params::ObjectParams;
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::spawn;

use super::{Caller, Ingest, Result, shares};
use crate::data::{Data, METHOD, ORDER, Placed};
use crate::measure;
use crate::server::{FLOOD, Flood};

async fn connect(port: u16) -> Result<WsClient> {
    let builder = WsClientBuilder::new()
        // A slow reader's subscription is ended at the bound.
        .max_buffer_capacity_per_subscription(1 << 20)
        .max_concurrent_requests(1024);
    Ok(builder.build(format!("ws://127.0.0.1:{port}/")).await?)
}

/// All notifications of the method, their data decoded by the channel.
pub struct Typed(WsClient, Subscription<Update>);

#[derive(Deserialize)]
struct Update {
    channel: String,
    data: Box<RawValue>,
}

impl Ingest for Typed {
    async fn open(port: u16, _: Vec<String>) -> Result<Self> {
        let client = connect(port).await?;
        let updates = client.subscribe_to_method("subscription").await?;
        Ok(Self(client, updates))
    }

    async fn take(&mut self, flood: Flood) -> Result<()> {
        let mut params = ObjectParams::new();
        params.insert("load", flood.load)?;
        params.insert("frames", flood.frames)?;
        params.insert("gap", flood.gap)?;
        self.0.request::<bool, _>(FLOOD, params).await?;
        while !measure::complete() {
            let update = self.1.next().await.ok_or("the subscription ended")??;
            measure::saw(Data::decode(&update.channel, update.data.get())?.proof());
        }
        Ok(())
    }
}

pub struct Calls(Arc<WsClient>);

impl Caller for Calls {
    async fn open(port: u16) -> Result<Self> {
        Ok(Self(Arc::new(connect(port).await?)))
    }

    async fn call(&self, calls: u64, in_flight: u64) -> Result<()> {
        for share in shares(calls, in_flight) {
            let client = self.0.clone();
            spawn(async move {
                for _ in 0..share {
                    let placed: Placed = client.request(METHOD, params()).await.expect("it is answered");
                    measure::saw(placed.proof());
                }
            });
        }
        measure::completed().await;
        Ok(())
    }
}

fn params() -> ObjectParams {
    let mut params = ObjectParams::new();
    for result in [
        params.insert("instrument_name", ORDER.instrument_name),
        params.insert("amount", ORDER.amount),
        params.insert("price", ORDER.price),
        params.insert("label", ORDER.label),
    ] {
        result.expect("they are plain values");
    }
    params
}

/// A client that has made a call, and waits.
pub async fn idle(port: u16) -> Result<WsClient> {
    let client = connect(port).await?;
    client.request::<serde_json::Value, _>("public/test", ObjectParams::new()).await?;
    Ok(client)
}
