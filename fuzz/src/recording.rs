//! A recording that somebody else wrote: read, and replayed as far as it makes sense.

use std::io::Cursor;

use steadysocket::JsonRpc;
use steadysocket::deribit::{Adapter, Options};
use steadysocket::recorder::{Reader, Record};
use steadysocket::replay::Replay;

/// More inputs say nothing new.
const STEPS: usize = 2_000;

pub fn run(data: &[u8]) {
    for record in Reader::new(Cursor::new(data)) {
        let Ok(record) = record else { break };
        if let Record::Line(line) = record {
            // What can be read says one of the two things, or is wrong.
            let (input, output) = (line.input(), line.output());
            assert!(!matches!((&input, &output), (Ok(Some(_)), Ok(Some(_)))));
        }
    }
    let once = play(data);
    assert_eq!(once, play(data), "a second replay is another");
    let options = Options::testnet().credentials("id", "secret");
    let steps = Replay::new(Reader::new(Cursor::new(data)), || Adapter::new(options.clone()));
    steps.take(STEPS).for_each(drop);
}

fn play(data: &[u8]) -> Vec<String> {
    let steps = Replay::new(Reader::new(Cursor::new(data)), JsonRpc::new);
    steps.take(STEPS).map(|step| format!("{step:?}")).collect()
}
