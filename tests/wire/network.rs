//! What a network does. Everything is as by default: 10 s of silence, then 4 s to answer; 10 s to connect.

use std::thread::sleep;
use std::time::Duration;

use crate::report::{Measured, Outcome, Scenario};
use crate::wire::{Line, Program, SERVER, URL, Wire, now};

pub const SCENARIOS: [Scenario; 15] = [
    ("half-open: all packets dropped, idle", half_open_idle),
    ("half-open: all packets dropped, sending", half_open_sending),
    ("half-open: ours dropped, the peer's data flows", half_open_one_way),
    ("link down", link_down),
    ("RST in mid-frame", reset_in_mid_frame),
    ("connect: blackholed address", blackhole),
    ("connect: SYN dropped", syn_dropped),
    ("connect: silent DNS", dns_silent),
    ("connect: DNS says there is no such name", dns_denies),
    ("connect: DNS fails", dns_fails),
    ("connect: DNS names a wrong address", dns_lies),
    ("50 ms delay and 5 % loss each way", slow_and_lossy),
    ("server suspended", server_suspended),
    ("client suspended for 20 s, peer alive", client_suspended),
    ("client suspended for 20 s, peer gone meanwhile", client_suspended_and_peer_gone),
];

const MILLIS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// The default heartbeat: `idle` and `timeout`.
const SILENCE: Duration = Duration::from_secs(14);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How much later than its bound something may be noticed.
const SLACK: Duration = Duration::from_millis(100);
/// How soon the client is back when it can be. A quiet machine needs some milliseconds (`loopback.rs` is strict about
/// that); here many programs start at the same time.
const BACK: Duration = Duration::from_millis(500);
/// A dead peer's SYN is not answered; the next one goes out after this time.
const SYN_AGAIN: Duration = SECOND;
const PATIENCE: Duration = Duration::from_secs(40);

/// A client that lives, and its server.
struct Pair {
    wire: Wire,
    client: Program,
    server: Program,
    /// The client's port.
    port: String,
}

impl Pair {
    fn new(client: &[&str], server: &[&str]) -> Self {
        let wire = Wire::new();
        let mut server = start_server(&wire, server);
        let mut client = wire.near.start(&[&["client", URL], client].concat());
        client.wait("live", PATIENCE);
        let port = server.wait("port", PATIENCE).text;
        // Whatever happens on a new connection has happened.
        sleep(500 * MILLIS);
        Self { wire, client, server, port }
    }

    /// Waits for the end of the connection, mends the fault, and waits for the next connection.
    fn observe(
        mut self,
        expected: &str,
        since: Duration,
        bound: Duration,
        mend: impl FnOnce(&Self),
    ) -> Outcome {
        let lost = lost(&mut self.client, expected);
        mend(&self);
        let recovery = recovered(&mut self.client, &lost, now(), Duration::ZERO);
        Outcome {
            noticed: lost.text.clone(),
            detection: Some(Measured { time: lost.at.saturating_sub(since), bound }),
            recovery: Some(recovery),
        }
    }
}

fn start_server(wire: &Wire, args: &[&str]) -> Program {
    let mut server = wire.far.start(&[&["server", &format!("{SERVER}:8080")], args].concat());
    server.wait("listening", PATIENCE);
    server
}

/// The end of the connection or attempt, which must be of the expected kind.
fn lost(client: &mut Program, expected: &str) -> Line {
    let lost = client.wait("lost", PATIENCE);
    assert!(lost.text.contains(expected), "lost as {}, not as {expected}", lost.text);
    lost
}

/// How long after the backoff, and after the fault is mended, the client lives again; `extra` is what the network still
/// needs.
fn recovered(client: &mut Program, lost: &Line, mended: Duration, extra: Duration) -> Measured {
    let waiting = client.wait("waiting", PATIENCE);
    let delay = Duration::from_micros(waiting.text.parse().unwrap());
    let live = client.wait("live", PATIENCE);
    let possible = mended.max(lost.at + delay);
    Measured { time: live.at.saturating_sub(possible), bound: extra + BACK }
}

fn drop_connection(pair: &Pair) {
    // Where it comes in: what is dropped on its way out the kernel knows of.
    pair.wire.far.filter("input", &format!("tcp sport {} drop", pair.port));
    pair.wire.near.filter("input", &format!("tcp dport {} drop", pair.port));
}

fn half_open_idle() -> Outcome {
    let pair = Pair::new(&[], &[]);
    drop_connection(&pair);
    pair.observe("Silent", now(), SILENCE + SLACK, |_| {})
}

fn half_open_sending() -> Outcome {
    let pair = Pair::new(&["notify", "call"], &["tick"]);
    drop_connection(&pair);
    // Whichever comes first: nothing was heard for so long, or nothing was acknowledged for so long.
    pair.observe("S", now(), SILENCE + SLACK, |_| {})
}

fn half_open_one_way() -> Outcome {
    let pair = Pair::new(&["notify"], &["tick"]);
    // A bare acknowledgement is of 52 bytes, or up to 80 where it names gaps.
    pair.wire.far.filter("input", &format!("tcp sport {} ip length > 80 drop", pair.port));
    pair.observe("Stalled", now(), SILENCE + SLACK, |_| {})
}

fn link_down() -> Outcome {
    let mut pair = Pair::new(&[], &[]);
    pair.wire.far.ip(&["link", "set", "eth0", "down"]);
    let since = now();
    let lost = lost(&mut pair.client, "Silent");
    // The connection that is tried at once fails too.
    pair.client.wait("waiting", PATIENCE);
    pair.wire.far.ip(&["link", "set", "eth0", "up"]);
    let mended = now();
    let live = pair.client.wait("live", PATIENCE);
    Outcome {
        noticed: lost.text,
        detection: Some(Measured { time: lost.at.saturating_sub(since), bound: SILENCE + SLACK }),
        recovery: Some(Measured { time: live.at.saturating_sub(mended), bound: 2 * SECOND + SLACK }),
    }
}

fn reset_in_mid_frame() -> Outcome {
    let mut pair = Pair::new(&[], &["cut"]);
    let cut = pair.server.wait("cut", PATIENCE);
    pair.observe("reset by peer", cut.at, SLACK, |_| {})
}

/// A client that cannot connect until the fault is mended.
fn connecting(
    wire: Wire,
    url: &str,
    expected: &str,
    bound: Duration,
    extra: Duration,
    mend: impl FnOnce(&Wire),
) -> Outcome {
    let _server = start_server(&wire, &[]);
    let since = now();
    let mut client = wire.near.start(&["client", url]);
    let lost = lost(&mut client, expected);
    mend(&wire);
    let recovery = recovered(&mut client, &lost, now(), extra);
    Outcome {
        noticed: lost.text.clone(),
        detection: Some(Measured { time: lost.at.saturating_sub(since), bound }),
        recovery: Some(recovery),
    }
}

/// The program's own start counts too.
const START: Duration = Duration::from_millis(500);

fn blackhole() -> Outcome {
    let wire = Wire::new();
    let mend = |wire: &Wire| wire.far.ip(&["address", "add", "198.51.100.1/32", "dev", "lo"]);
    // The other side takes packets for it, forwards none, and says nothing.
    let _server = wire.far.start(&["server", "0.0.0.0:8081"]);
    connecting(
        wire,
        "ws://198.51.100.1:8081",
        "timed out in connecting",
        CONNECT_TIMEOUT + SLACK + START,
        SYN_AGAIN,
        mend,
    )
}

fn syn_dropped() -> Outcome {
    let wire = Wire::new();
    wire.far.filter("input", "tcp flags & (syn | ack) == syn drop");
    let mend = |wire: &Wire| wire.far.heal();
    connecting(wire, URL, "timed out in connecting", CONNECT_TIMEOUT + SLACK + START, SYN_AGAIN, mend)
}

const NAMED: &str = "ws://server.example:8080";

/// A name server that says what is written into a file.
struct Dns {
    file: String,
    _program: Program,
}

impl Dns {
    fn new(wire: &Wire, answer: &str) -> Self {
        let id = std::thread::current().id();
        let file = std::env::temp_dir().join(format!("steady-dns-{}-{id:?}", std::process::id()));
        let file = file.to_str().unwrap().to_owned();
        std::fs::write(&file, answer).unwrap();
        wire.near.resolve_by(SERVER);
        let mut program = wire.far.start(&["dns", &format!("{SERVER}:53"), &file]);
        program.wait("listening", PATIENCE);
        Self { file, _program: program }
    }

    fn say(&self, answer: &str) {
        std::fs::write(&self.file, answer).unwrap();
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

fn dns_silent() -> Outcome {
    let wire = Wire::new();
    let _dns = Dns::new(&wire, SERVER);
    let _server = start_server(&wire, &[]);
    wire.far.filter("input", "udp dport 53 drop");
    let since = now();
    let mut client = wire.near.start(&["client", NAMED]);
    // Mended while the first question waits for an answer, which is lost all the same; the second is answered.
    sleep(5 * SECOND);
    wire.far.heal();
    let lost = lost(&mut client, "timed out in looking up the host");
    let recovery = recovered(&mut client, &lost, lost.at, Duration::ZERO);
    Outcome {
        noticed: lost.text.clone(),
        detection: Some(Measured {
            time: lost.at.saturating_sub(since),
            bound: CONNECT_TIMEOUT + SLACK + START,
        }),
        recovery: Some(recovery),
    }
}

fn dns_that_says(answer: &str, expected: &str) -> Outcome {
    let wire = Wire::new();
    let dns = Dns::new(&wire, answer);
    connecting(wire, NAMED, expected, SLACK + START, Duration::ZERO, |_| dns.say(SERVER))
}

fn dns_denies() -> Outcome {
    dns_that_says("nothing", "no address")
}

fn dns_fails() -> Outcome {
    dns_that_says("failure", "no address")
}

fn dns_lies() -> Outcome {
    dns_that_says("10.77.0.3", "refused")
}

fn slow_and_lossy() -> Outcome {
    const CALLS: usize = 200;
    let wire = Wire::new();
    let (mut near, mut far) =
        (lossy_end(&wire.near, "10.78.0.1", "1"), lossy_end(&wire.far, "10.78.0.2", "2"));
    let ((mut to_near, mut from_near), (mut to_far, mut from_far)) = (near.pipes(), far.pipes());
    std::thread::spawn(move || std::io::copy(&mut from_near, &mut to_far));
    std::thread::spawn(move || std::io::copy(&mut from_far, &mut to_near));
    for (namespace, own, other) in
        [(&wire.near, "10.78.0.1", "10.78.0.2"), (&wire.far, "10.78.0.2", "10.78.0.1")]
    {
        wait_for_device(namespace);
        namespace.ip(&["address", "add", own, "peer", other, "dev", "slow"]);
        namespace.ip(&["link", "set", "slow", "up"]);
    }
    let mut server = wire.far.start(&["server", "10.78.0.2:8080", "tick"]);
    server.wait("listening", PATIENCE);
    let mut client = wire.near.start(&["client", "ws://10.78.0.2:8080", "call"]);
    client.wait("live", PATIENCE);
    let mut times = Vec::new();
    while times.len() < CALLS {
        match client.find("call", PATIENCE) {
            Ok(line) => times.push(Duration::from_micros(line.text.parse().unwrap())),
            Err(seen) => panic!("after {} calls: {seen:?}", times.len()),
        }
    }
    times.sort();
    let connections = server.find("port", SECOND).map(|_| server.find("port", SECOND).is_err());
    assert!(connections.is_ok_and(|alone| alone), "it was connected anew");
    let (median, last) = (times[CALLS / 2], times[CALLS - 1]);
    assert!(median >= 100 * MILLIS, "nothing was slow: {median:?}");
    Outcome {
        noticed: format!("nothing lost in {CALLS} calls; median {median:.0?}, slowest {last:.1?}"),
        // A round trip, and what TCP needs to send again twice.
        detection: None,
        recovery: Some(Measured { time: last, bound: 10 * SECOND }),
    }
}

fn lossy_end(namespace: &crate::wire::Namespace, _address: &str, seed: &str) -> Program {
    namespace.start_python("delay.py", &["slow", "50", "5", seed])
}

fn wait_for_device(namespace: &crate::wire::Namespace) {
    for _ in 0..200 {
        if namespace.has_device("slow") {
            return;
        }
        sleep(20 * MILLIS);
    }
    panic!("no TUN device: is python3 there, and /dev/net/tun?");
}

fn server_suspended() -> Outcome {
    let pair = Pair::new(&[], &[]);
    pair.server.signal("STOP");
    pair.observe("Silent", now(), SILENCE + SLACK, |pair| pair.server.signal("CONT"))
}

fn client_suspended() -> Outcome {
    let mut pair = Pair::new(&[], &[]);
    pair.client.signal("STOP");
    sleep(20 * SECOND);
    let since = now();
    pair.client.signal("CONT");
    let asked = pair.client.wait("asked", PATIENCE);
    let answered = pair.client.wait("answered", PATIENCE);
    assert!(pair.client.find("lost", 5 * SECOND).is_err(), "a living peer was given up");
    Outcome {
        noticed: "asked, not given up".into(),
        detection: Some(Measured { time: asked.at.saturating_sub(since), bound: SLACK }),
        recovery: Some(Measured { time: answered.at.saturating_sub(asked.at), bound: SLACK }),
    }
}

fn client_suspended_and_peer_gone() -> Outcome {
    let pair = Pair::new(&[], &[]);
    pair.client.signal("STOP");
    drop_connection(&pair);
    sleep(20 * SECOND);
    let since = now();
    pair.client.signal("CONT");
    // It asks once more, because the answer may have come meanwhile.
    pair.observe("Silent", since, 4 * SECOND + SLACK, |_| {})
}
