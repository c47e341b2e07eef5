//! Many clients by name.

use std::time::Duration;

use steadysocket::error::{Ended, Error, NotSent, Unknown};
use steadysocket::{Client, JsonRpc, NotRegistered, Registry, Request, State};

use crate::calls::config;
use crate::test;
use crate::venue::Exchange;
use crate::world::World;

fn client(world: &World) -> Client {
    world.client(config(), JsonRpc::new())
}

fn names(registry: &Registry) -> Vec<String> {
    registry.entries().iter().map(|entry| entry.name.to_string()).collect()
}

#[test]
fn clients_are_found_by_name() {
    let world = World::new(1, Exchange::new());
    let (registry, one, other) = (Registry::new(), client(&world), client(&world));
    registry.register_with("one", &one, [("venue", "local")]).unwrap();
    registry.register("other", &other).unwrap();
    registry.register("again", &one).unwrap();
    assert_eq!(names(&registry), ["one", "other", "again"]);
    let found = ["one", "other"].map(|name| registry.get(name).unwrap());
    world.run(async move {
        for client in found {
            client.ready().await.unwrap();
        }
    });
    let entries = registry.entries();
    assert_eq!((entries[0].client.state(), entries[1].client.state()), (State::Live, State::Live));
    assert_eq!(*entries[0].labels, [("venue".to_owned(), "local".to_owned())]);
    assert_eq!(entries[0].client.endpoint(), one.endpoint());
    assert!(entries[0].client.created() <= one.now());
    assert!(registry.get("nobody").is_none());
    // Whose name is taken away lives on.
    assert!(registry.remove("one").is_some());
    assert_eq!((one.state(), registry.len()), (State::Live, 2));
    registry.register("one", &other).unwrap();
}

#[test]
fn a_name_is_taken_while_its_client_lives() {
    let world = World::new(1, Exchange::new());
    let (registry, one, other) = (Registry::new(), client(&world), client(&world));
    registry.register("name", &one).unwrap();
    assert_eq!(registry.register("name", &other), Err(NotRegistered::NameTaken("name".into())));
    drop(one);
    registry.register("name", &other).unwrap();
    assert_eq!(registry.len(), 1);
}

#[test]
fn who_ends_is_gone() {
    let world = World::new(1, Exchange::new());
    let (registry, one) = (Registry::new(), client(&world));
    registry.register("one", &one).unwrap();
    let last = one.clone();
    world.run(async move { last.close().await });
    assert!(registry.is_empty() && registry.get("one").is_none());
    assert_eq!(registry.register("one", &one), Err(NotRegistered::Ended(Ended::Closed)));
    assert!(registry.is_empty());
}

#[test]
fn ten_thousand_come_and_go_and_leave_nothing() {
    let world = World::new(1, Exchange::new());
    let registry = Registry::new();
    let clients: Vec<_> = (0..10_000)
        .map(|number| {
            let client = client(&world);
            registry.register(format!("client-{number}"), &client).unwrap();
            client
        })
        .collect();
    assert_eq!(registry.len(), 10_000);
    let listed = registry.entries();
    drop(clients);
    assert_eq!(registry.len(), 10_000, "whoever lists them holds them");
    drop(listed);
    assert!(registry.is_empty());
}

#[test]
fn a_registry_that_is_gone_troubles_nobody() {
    let world = World::new(1, Exchange::new());
    let one = client(&world);
    Registry::new().register("one", &one).unwrap();
    world.run(async move { one.close().await });
}

#[test]
fn all_are_drained_at_once_and_each_is_reported() {
    let exchange = Exchange::new();
    let second = Duration::from_secs(1);
    exchange.with(|script| script.reply_within = second * 2);
    let world = World::new(1, exchange.clone());
    let registry = Registry::new();
    // One has nothing to do, one has a call that is answered in time, and one has a call that is never answered.
    let [idle, busy, stuck] = [client(&world), client(&world), client(&world)];
    for (name, client) in [("idle", &idle), ("busy", &busy), ("stuck", &stuck), ("also idle", &idle)] {
        registry.register(name, client).unwrap();
    }
    let inner = world.clone();
    world.run(async move {
        for client in [&idle, &busy, &stuck] {
            client.ready().await.unwrap();
        }
        let [mut answered, mut mute] = [(&busy, "work"), (&stuck, "silent")]
            .map(|(client, method)| Box::pin(client.request(Request::new(method))));
        assert!(futures::poll!(&mut answered).is_pending() && futures::poll!(&mut mute).is_pending());
        inner.sleep(Duration::from_millis(50)).await;
        let start = inner.now();
        let drained = registry.drain_all(second * 5).await;
        let took = inner.now().since(start);
        assert!(took >= second * 5 && took < second * 6, "one after the other: {took:?}");
        assert!(answered.await.is_ok());
        assert_eq!(mute.await, Err(Unknown::Ended(Ended::Closed).into()));

        let names: Vec<_> = drained.iter().map(|drained| (&*drained.name, drained.in_time)).collect();
        assert_eq!(names, [("idle", true), ("busy", true), ("stuck", false), ("also idle", true)]);
        assert!(drained.iter().all(|drained| drained.ended == Ended::Closed), "{drained:?}");
        assert!(drained[0].took < drained[1].took && drained[1].took < drained[2].took, "{drained:?}");
        assert!(registry.is_empty());
        assert_eq!(registry.drain_all(second).await, []);
        let late = idle.call::<u64>("work", ()).await;
        assert_eq!(late, Err(Error::NotSent(NotSent::Ended(Ended::Closed))));
    });
    exchange.with(|script| assert_eq!(script.closes.len(), 3));
}

#[test]
fn who_ends_by_itself_while_it_drains_is_reported_as_it_is() {
    let world = World::new(1, Exchange::new());
    let (registry, one) = (Registry::new(), client(&world));
    registry.register("one", &one).unwrap();
    // It has no driver any more.
    world.end();
    let drained = futures::executor::block_on(registry.drain_all(Duration::from_secs(60)));
    assert_eq!(drained, [], "it is gone at once");
    assert_eq!(one.state(), State::Ended(Ended::Abandoned));
}
