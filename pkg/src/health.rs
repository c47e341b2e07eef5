//! How a client is.

use js_sys::Array;
use steadysocket::time::Instant;
use steadysocket::{BookFreshness, Health, Verdict};
use wasm_bindgen::prelude::*;

use crate::errors;
use crate::objects::in_millis;

/// Everything but the state and the counters, as `Told` in `ts/health.ts` has it. Times are ages, in milliseconds.
pub fn health(health: &Health) -> Array {
    let age = |time: Instant| JsValue::from(in_millis(health.at.since(time)));
    let (verdict, troubles) = match health.verdict() {
        Verdict::Degraded(troubles) => ("degraded", troubles),
        Verdict::Down(trouble) => ("down", vec![trouble]),
        _ => ("healthy", Vec::new()),
    };
    let last = health.last_disconnect.as_ref();
    let last = last.map(|(when, reason)| Array::of2(&age(*when), &errors::disconnect(reason)));
    let (credits, streams, books) = (Array::new(), Array::new(), Array::new());
    for bucket in &health.credits {
        add(&credits, bucket.name, &[bucket.available, bucket.capacity, bucket.reserve]);
    }
    for stream in &health.streams {
        add(&streams, &stream.channel, &[stream.waiting as u64, stream.capacity as u64, stream.dropped]);
    }
    for book in &health.books {
        books.push(&book.channel.as_str().into());
        books.push(&match book.freshness {
            BookFreshness::Live => "live".into(),
            BookFreshness::Unread(_) => "unread".into(),
            BookFreshness::Stale(since) => age(since),
        });
    }
    [
        verdict.into(),
        troubles.iter().map(errors::text).collect::<Array>().into(),
        age(health.since),
        last.into(),
        health.outbound_limit.into(),
        credits.into(),
        streams.into(),
        (health.dropped as f64).into(),
        books.into(),
    ]
    .iter()
    .collect::<Array>()
}

fn add(list: &Array, name: &str, numbers: &[u64]) {
    list.push(&name.into());
    for number in numbers {
        list.push(&(*number as f64).into());
    }
}
