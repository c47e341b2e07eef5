//! Names of channels.

use steadysocket::deribit::{Access, Channel};

pub fn run(data: &[u8]) {
    let Ok(name) = std::str::from_utf8(data) else { return };
    let channel = Channel::from(name);
    assert_eq!(channel.to_string(), name, "{channel:?}");
    assert_eq!(Channel::from(channel.to_string().as_str()), channel);
    assert_eq!(channel.access(), Access::of(name));
    if let Some(interval) = channel.interval() {
        assert!(name.ends_with(interval.as_str()), "{channel:?}");
    }
}
