use super::*;
use crate::frame::Message;
use crate::jsonrpc::JsonRpc;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What a server would believe, told only by the requests that reach it.
#[derive(Default)]
struct Server {
    subscribed: BTreeSet<String>,
    in_flight: Vec<(bool, Vec<Key>, Vec<String>)>,
}

impl Server {
    fn take(&mut self, change: Change) {
        let (subscribe, keys, request) = match change {
            Change::Subscribe(keys, request) => (true, keys, request),
            Change::Unsubscribe(keys, request) => (false, keys, request),
        };
        let params: serde_json::Value = serde_json::from_str(&request.params.unwrap()).unwrap();
        let names = serde_json::from_value(params["channels"].clone()).unwrap();
        for key in &keys {
            let others = self.in_flight.iter().flat_map(|(_, others, _)| others);
            assert!(!others.into_iter().any(|other| other == key), "two requests at a time: {names:?}");
        }
        self.in_flight.push((subscribe, keys, names));
    }

    fn carry_out(&mut self, subscribe: bool, names: &[String]) {
        for name in names {
            if subscribe {
                self.subscribed.insert(name.clone());
            } else {
                self.subscribed.remove(name);
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Join(u8),
    Leave(usize),
    Renew(usize),
    Data(u8),
    Ask,
    /// Answers the oldest request; the server knows the channels whose bit is set.
    Answer(u8),
    Refuse,
    /// Carries the oldest request out, and answers nothing.
    Mute,
    Lose,
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0u8..8).prop_map(Step::Join),
        (0usize..8).prop_map(Step::Leave),
        (0usize..8).prop_map(Step::Renew),
        (0u8..8).prop_map(Step::Data),
        Just(Step::Ask),
        any::<u8>().prop_map(Step::Answer),
        Just(Step::Refuse),
        Just(Step::Mute),
        Just(Step::Lose),
        (0u64..100).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 0..120)
}

struct Life {
    subscriptions: Subscriptions,
    server: Server,
    consumers: Vec<(ConsumerId, u8)>,
    now: Instant,
    random: Random,
    next: u64,
}

impl Life {
    fn new() -> Self {
        Self {
            subscriptions: Subscriptions::default(),
            server: Server::default(),
            consumers: Vec::new(),
            now: Instant::ZERO,
            random: Random::new(1),
            next: 1,
        }
    }

    fn ask(&mut self) {
        while let Some(change) = self.subscriptions.next_request(&JsonRpc::new(), &mut Notes::new()) {
            self.server.take(change);
        }
    }

    fn answer(&mut self, knows: impl Fn(&str) -> bool) {
        if self.server.in_flight.is_empty() {
            return;
        }
        let (subscribe, keys, names) = self.server.in_flight.remove(0);
        let names: Vec<_> = names.into_iter().filter(|name| !subscribe || knows(name)).collect();
        self.server.carry_out(subscribe, &names);
        if subscribe {
            let answer = Message::from(serde_json::to_string(&names).unwrap());
            let answer = Payload::part_of(&answer, answer.as_bytes());
            let chance = (self.now, &mut self.random);
            self.subscriptions.answered(&JsonRpc::new(), &keys, &answer, chance);
        } else {
            self.subscriptions.left(&keys);
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Join(channel) => {
                let id = RequestId(self.next);
                self.next += 1;
                self.subscriptions.join(&JsonRpc::new(), id, &format!("c{channel}"), self.now);
                self.consumers.push((id, channel));
            }
            Step::Leave(index) if !self.consumers.is_empty() => {
                let (id, _) = self.consumers.remove(index % self.consumers.len());
                self.subscriptions.leave(id);
            }
            Step::Leave(_) => {}
            Step::Renew(index) => {
                if let Some((id, _)) = self.consumers.get(index) {
                    self.subscriptions.renew(*id, (self.now, &mut self.random));
                }
            }
            Step::Data(channel) => {
                self.subscriptions.deliver(&format!("c{channel}"), |_, _| {});
            }
            Step::Ask => self.ask(),
            Step::Answer(known) => self.answer(|name| known & (1 << (name.as_bytes()[1] - b'0')) != 0),
            Step::Refuse => {
                let Some(place) = self.server.in_flight.iter().position(|(subscribe, ..)| *subscribe) else {
                    return;
                };
                let (_, keys, _) = self.server.in_flight.remove(place);
                let error = crate::error::RpcError::new(1, "no");
                let chance = (self.now, &mut self.random);
                self.subscriptions.refused(&keys, &Refusal::Error(error), true, chance);
            }
            Step::Mute if !self.server.in_flight.is_empty() => {
                let (subscribe, keys, names) = self.server.in_flight.remove(0);
                self.server.carry_out(subscribe, &names);
                let chance = (self.now, &mut self.random);
                if subscribe {
                    self.subscriptions.doubt(&keys);
                    self.subscriptions.refused(&keys, &Refusal::TimedOut, false, chance);
                } else {
                    self.subscriptions.stayed(&keys, true, chance);
                }
            }
            Step::Mute => {}
            Step::Lose => {
                self.server = Server::default();
                self.subscriptions.interrupt(&Disconnect::Requested);
                self.subscriptions.restore();
            }
            Step::Pass(seconds) => {
                self.now = self.now + Duration::from_secs(seconds);
                self.subscriptions.retry(self.now);
            }
        }
    }
}

#[test]
fn who_comes_back_while_a_channel_is_left_does_not_have_it_left_twice() {
    let mut life = Life::new();
    for step in [Step::Join(0), Step::Ask, Step::Mute, Step::Leave(0), Step::Ask, Step::Join(0), Step::Ask] {
        life.step(step);
    }
    assert_eq!(life.server.in_flight.len(), 1);
}

#[test]
fn after_an_unanswered_unsubscribe_data_counts_only_once_the_next_is_confirmed() {
    let mut life = Life::new();
    // Confirmed, left without an answer, and wanted again meanwhile.
    for step in
        [Step::Join(0), Step::Ask, Step::Answer(1), Step::Leave(0), Step::Ask, Step::Join(0), Step::Mute]
    {
        life.step(step);
    }
    life.step(Step::Ask);
    let heard = |life: &mut Life| {
        let mut count = 0;
        life.subscriptions.deliver("c0", |_, _| count += 1);
        count
    };
    assert_eq!(heard(&mut life), 0, "it may be of the subscription before");
    life.step(Step::Answer(1));
    assert_eq!(heard(&mut life), 1);
    // On an ordinary way data may overtake the confirmation.
    for step in [Step::Leave(0), Step::Ask, Step::Join(0), Step::Answer(1), Step::Ask] {
        life.step(step);
    }
    assert_eq!(heard(&mut life), 1);
}

proptest! {
    /// Whatever happened: once the server answers everything, it has exactly what is consumed, and we know it.
    #[test]
    fn wanted_and_confirmed_converge(steps in steps()) {
        let mut life = Life::new();
        for step in steps {
            life.step(step);
            let (desired, confirmed) = life.subscriptions.counts();
            let wanted: BTreeSet<_> = life.consumers.iter().map(|(_, channel)| channel).collect();
            prop_assert_eq!(desired, wanted.len());
            prop_assert!(confirmed <= life.server.subscribed.len());
            let channels = life.subscriptions.channels.iter();
            prop_assert_eq!(confirmed, channels.filter(|(_, channel)| channel.counts()).count());
            prop_assert!(confirmed <= desired);
        }
        for _ in 0..20 {
            life.step(Step::Pass(100));
            life.ask();
            while !life.server.in_flight.is_empty() {
                life.answer(|_| true);
                life.ask();
            }
        }
        let wanted: BTreeSet<_> = life.consumers.iter().map(|(_, channel)| format!("c{channel}")).collect();
        prop_assert_eq!(&life.server.subscribed, &wanted);
        prop_assert_eq!(life.subscriptions.counts(), (wanted.len(), wanted.len()));
        prop_assert_eq!(life.subscriptions.channels.iter().count(), wanted.len());
        prop_assert!(life.subscriptions.is_restored() && life.subscriptions.next_retry().is_none());
    }
}
