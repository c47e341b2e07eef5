//! Servers behind nginx and haproxy, which end the TLS: bad certificates, refusals, idle cuts, reloads under load.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use serde_json::Value;
use steadysocket::config::{Backoff, Heartbeat};
use steadysocket::error::{ConnectError, Disconnect, Ended, Error, NotSent, TlsFailure, Unknown};
use steadysocket::{Client, Config, Event, Feed, JsonRpc, Native, State, Tls, Update};

use crate::report::{Measured, Outcome, Scenario};
use crate::wire::{Program, now};
use Kind::{Haproxy, Nginx};

pub const SCENARIOS: [Scenario; 22] = [
    ("nginx: expired certificate", || bad_certificate(Nginx, Bad::Expired, TlsFailure::Expired)),
    ("nginx: self-signed certificate", || bad_certificate(Nginx, Bad::SelfSigned, TlsFailure::SelfSigned)),
    ("nginx: certificate of another host", || bad_certificate(Nginx, Bad::WrongHost, TlsFailure::WrongHost)),
    ("nginx: certificate of an unknown CA", || {
        bad_certificate(Nginx, Bad::UnknownCa, TlsFailure::UnknownIssuer)
    }),
    ("nginx: 401", || final_status(Nginx, 401)),
    ("nginx: 403", || final_status(Nginx, 403)),
    ("nginx: 429, Retry-After in seconds", || passing_status(Nginx, 429)),
    ("nginx: 503, Retry-After as a date", || passing_status(Nginx, 503)),
    ("nginx: idle connection cut", || idle_cut(Nginx)),
    ("nginx: idle connection kept by the heartbeat", || idle_kept(Nginx)),
    ("nginx: reload under load", || reload(Nginx)),
    ("haproxy: expired certificate", || bad_certificate(Haproxy, Bad::Expired, TlsFailure::Expired)),
    ("haproxy: self-signed certificate", || {
        bad_certificate(Haproxy, Bad::SelfSigned, TlsFailure::SelfSigned)
    }),
    ("haproxy: certificate of another host", || {
        bad_certificate(Haproxy, Bad::WrongHost, TlsFailure::WrongHost)
    }),
    ("haproxy: certificate of an unknown CA", || {
        bad_certificate(Haproxy, Bad::UnknownCa, TlsFailure::UnknownIssuer)
    }),
    ("haproxy: 401", || final_status(Haproxy, 401)),
    ("haproxy: 403", || final_status(Haproxy, 403)),
    ("haproxy: 429, Retry-After in seconds", || passing_status(Haproxy, 429)),
    ("haproxy: 503, Retry-After as a date", || passing_status(Haproxy, 503)),
    ("haproxy: idle connection cut", || idle_cut(Haproxy)),
    ("haproxy: idle connection kept by the heartbeat", || idle_kept(Haproxy)),
    ("haproxy: reload under load", || reload(Haproxy)),
];

const SECOND: Duration = Duration::from_secs(1);
const SLACK: Duration = Duration::from_millis(100);
/// A client starts, reads its machine's roots and is refused, rather than trying again.
const AT_ONCE: Duration = Duration::from_secs(2);
/// After this time without data both cut a connection.
const IDLE_CUT: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Nginx,
    Haproxy,
}

#[derive(Clone, Copy, PartialEq)]
enum Bad {
    Nothing,
    Expired,
    SelfSigned,
    WrongHost,
    UnknownCa,
}

/// A proxy that ends TLS, and the server behind it.
struct Front {
    kind: Kind,
    port: u16,
    ca: String,
    folder: PathBuf,
    program: Program,
    server: Program,
}

impl Front {
    fn new(kind: Kind, bad: Bad) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("steady-front-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let ca = certificates(&folder, bad);
        let mut server = Program::here(&["server", "127.0.0.1:0"]);
        let behind = server.wait("listening", PATIENCE).text;
        let port = free_port();
        let program = match kind {
            Nginx => start_nginx(&folder, port, &behind),
            Haproxy => start_haproxy(&folder, port, &behind),
        };
        let deadline = now() + PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(now() < deadline, "it does not listen");
            std::thread::sleep(SLACK);
        }
        Self { kind, port, ca, folder, program, server }
    }

    fn config(&self, path: &str) -> Config {
        let url = format!("wss://localhost:{}/{path}", self.port);
        Config::new(url).unwrap().retry_initial_connect(true)
    }

    fn native(&self) -> Native {
        Native::with_tls(Tls::new().only_ca(&self.ca).unwrap())
    }

    fn start(&self, config: Config) -> Client {
        steadysocket::start(config, JsonRpc::new(), self.native()).unwrap()
    }

    /// Takes the configuration anew; what runs is ended after a second.
    fn reload(&self) {
        self.program.signal(if self.kind == Nginx { "HUP" } else { "USR2" });
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // Killed, their masters would leave the workers behind.
        self.program.signal("TERM");
        self.program.join();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Writes `cert.pem`, `key.pem` and both in one; returns the authority that is to be trusted.
fn certificates(folder: &Path, bad: Bad) -> String {
    let authority = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (trusted, other) = (authority("trusted"), authority("other"));
    let host = if bad == Bad::WrongHost { "other.example" } else { "localhost" };
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    if bad == Bad::Expired {
        (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1));
    }
    let key = KeyPair::generate().unwrap();
    let cert = match bad {
        Bad::SelfSigned => params.self_signed(&key),
        Bad::UnknownCa => params.signed_by(&key, &other),
        Bad::Nothing | Bad::Expired | Bad::WrongHost => params.signed_by(&key, &trusted),
    };
    let (cert, key) = (cert.unwrap().pem(), key.serialize_pem());
    for (name, text) in [("cert.pem", cert.clone()), ("key.pem", key.clone()), ("both.pem", cert + &key)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    trusted.pem()
}

fn start_nginx(folder: &Path, port: u16, behind: &str) -> Program {
    let at = folder.to_str().unwrap();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {at}/{name};"))
        .concat();
    let config = format!(
        "daemon off; pid {at}/pid; error_log {at}/log; worker_processes 1; worker_shutdown_timeout 1s;
         events {{}}
         http {{
             access_log off; {temporary}
             server {{
                 listen 127.0.0.1:{port} ssl;
                 ssl_certificate {at}/cert.pem; ssl_certificate_key {at}/key.pem;
                 location /401 {{ return 401; }}
                 location /403 {{ return 403; }}
                 location /429 {{ add_header Retry-After 3 always; return 429; }}
                 location /503 {{ add_header Retry-After \"{}\" always; return 503; }}
                 location / {{
                     proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1;
                     proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
                     proxy_read_timeout {}s; proxy_send_timeout {}s;
                 }}
             }}
         }}",
        in_five_seconds(),
        IDLE_CUT.as_secs(),
        IDLE_CUT.as_secs(),
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, config).unwrap();
    Program::start(Command::new("nginx").arg("-c").arg(file).stderr(Stdio::null()))
}

fn start_haproxy(folder: &Path, port: u16, behind: &str) -> Program {
    let at = folder.to_str().unwrap();
    let idle = IDLE_CUT.as_secs();
    let config = format!(
        "global
             hard-stop-after 1s
         defaults
             mode http
             timeout connect 5s
             timeout client {idle}s
             timeout server {idle}s
             timeout tunnel {idle}s
         frontend front
             bind 127.0.0.1:{port} ssl crt {at}/both.pem
             http-request return status 401 if {{ path /401 }}
             http-request return status 403 if {{ path /403 }}
             http-request return status 429 hdr Retry-After 3 if {{ path /429 }}
             http-request return status 503 hdr Retry-After \"{}\" if {{ path /503 }}
             default_backend behind
         backend behind
             server server 127.0.0.1:{behind}\n",
        in_five_seconds()
    );
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, config).unwrap();
    Program::start(Command::new("haproxy").arg("-W").arg("-f").arg(file).stderr(Stdio::null()))
}

/// As HTTP writes dates.
fn in_five_seconds() -> String {
    let mut date = Command::new("date");
    let output =
        date.env("LC_ALL", "C").args(["-u", "-d", "5 seconds", "+%a, %d %b %Y %H:%M:%S GMT"]).output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let soon = async { tokio::time::timeout(PATIENCE, future).await.expect("it hangs") };
    runtime.block_on(soon)
}

fn ended(front: &Front, path: &str) -> (ConnectError, Measured) {
    let since = now();
    let connect =
        async { steadysocket::connect_with(front.config(path), JsonRpc::new(), front.native()).await };
    match block_on(connect) {
        Err(Error::Connect(Ended::Refused(Disconnect::Connect(error)))) => {
            (error, Measured { time: now() - since, bound: AT_ONCE })
        }
        other => panic!("it was not refused for good: {other:?}"),
    }
}

fn bad_certificate(kind: Kind, bad: Bad, expected: TlsFailure) -> Outcome {
    let (error, detection) = ended(&Front::new(kind, bad), "");
    assert!(matches!(&error, ConnectError::Tls { kind, .. } if *kind == expected), "{error:?}");
    Outcome { noticed: format!("{expected:?}, not retried"), detection: Some(detection), recovery: None }
}

fn final_status(kind: Kind, status: u16) -> Outcome {
    let (error, detection) = ended(&Front::new(kind, Bad::Nothing), &status.to_string());
    assert!(matches!(error, ConnectError::Status { status: found, .. } if found == status), "{error:?}");
    Outcome { noticed: format!("{error}, not retried"), detection: Some(detection), recovery: None }
}

fn passing_status(kind: Kind, status: u16) -> Outcome {
    let front = Front::new(kind, Bad::Nothing);
    let since = now();
    let (reason, delay) = block_on(async {
        let client = front.start(front.config(&status.to_string()));
        let mut events = client.events();
        (lost(&mut events).await.0, waiting(&mut events).await)
    });
    let Disconnect::Connect(ConnectError::Status { status: found, retry_after: Some(wait), .. }) = reason
    else {
        panic!("{reason:?}")
    };
    assert_eq!(found, status);
    // The date is of whole seconds, and was made before the proxy started.
    assert!(wait >= 2 * SECOND && wait <= 5 * SECOND, "told to wait {wait:?}");
    assert!(delay >= wait, "told to wait {wait:?}, waits {delay:?}");
    let noticed =
        format!("HTTP {status}; told {:.1} s, waits {:.1} s", wait.as_secs_f64(), delay.as_secs_f64());
    Outcome { noticed, detection: Some(Measured { time: now() - since, bound: AT_ONCE }), recovery: None }
}

fn idle_cut(kind: Kind) -> Outcome {
    let front = Front::new(kind, Bad::Nothing);
    block_on(async {
        let client = front.start(front.config(""));
        let mut events = client.events();
        let since = live(&mut events).await;
        let (reason, at) = lost(&mut events).await;
        let delay = waiting(&mut events).await;
        let again = live(&mut events).await;
        Outcome {
            noticed: reason.to_string(),
            detection: Some(Measured { time: at - since, bound: IDLE_CUT + SECOND }),
            recovery: Some(Measured { time: again.saturating_sub(at + delay), bound: SLACK }),
        }
    })
}

fn idle_kept(kind: Kind) -> Outcome {
    let front = Front::new(kind, Bad::Nothing);
    block_on(async {
        let heartbeat = Heartbeat { idle: SECOND, timeout: SECOND };
        let client = front.start(front.config("").heartbeat(Some(heartbeat)));
        live(&mut client.events()).await;
        tokio::time::sleep(3 * IDLE_CUT).await;
        assert_eq!(client.stats().disconnects, 0);
        Outcome { noticed: format!("nothing lost in {:?}", 3 * IDLE_CUT), ..Outcome::default() }
    })
}

/// Calls that each have a number go on while the proxy is reloaded thrice; the server tells what it gets twice.
fn reload(kind: Kind) -> Outcome {
    const CALLERS: u64 = 8;
    let mut front = Front::new(kind, Bad::Nothing);
    let (outcomes, worst) = block_on(async {
        let backoff = Backoff { base: Duration::from_millis(20), ..Backoff::default() };
        let client = front.start(front.config("").backoff(backoff));
        client.ready().await.unwrap();
        let mut events = client.events();
        let until = now() + 9 * SECOND;
        let callers =
            (0..CALLERS).map(|caller| tokio::spawn(keep_calling(client.clone(), caller, CALLERS, until)));
        let callers: Vec<_> = callers.collect();
        let mut worst = Duration::ZERO;
        for _ in 0..3 {
            tokio::time::sleep(SECOND / 2).await;
            front.reload();
            let (_, at) = lost(&mut events).await;
            worst = worst.max(live(&mut events).await - at);
        }
        let mut outcomes = [0; 3];
        for caller in callers {
            for (sum, count) in outcomes.iter_mut().zip(caller.await.unwrap()) {
                *sum += count;
            }
        }
        let _: Value = client.call("echo", ()).await.unwrap();
        (outcomes, worst)
    });
    let twice = front.server.find("twice", Duration::from_millis(10));
    assert!(twice.is_err(), "the server got a request twice");
    let [answered, not_sent, unknown] = outcomes;
    Outcome {
        noticed: format!(
            "3 cuts; {answered} calls answered, {not_sent} not sent, {unknown} unknown; none twice"
        ),
        detection: None,
        recovery: Some(Measured { time: worst, bound: SECOND / 2 }),
    }
}

async fn keep_calling(client: Client, caller: u64, step: u64, until: Duration) -> [u64; 3] {
    let mut outcomes = [0; 3];
    let mut numbers = HashSet::new();
    for number in (caller..).step_by(usize::try_from(step).unwrap()) {
        if now() >= until {
            break;
        }
        assert!(numbers.insert(number));
        match client.call::<Value>("echo", [number]).await {
            Ok(_) => outcomes[0] += 1,
            Err(Error::NotSent(NotSent::Disconnected(_))) => outcomes[1] += 1,
            Err(Error::Unknown(Unknown::Disconnected(_))) => outcomes[2] += 1,
            Err(other) => panic!("{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    outcomes
}

async fn find<T>(events: &mut Feed<Event>, pick: impl Fn(Event) -> Option<T>) -> T {
    loop {
        match events.next().await {
            Some(Update::Data(event)) => {
                if let Some(found) = pick(event) {
                    return found;
                }
            }
            Some(_) => {}
            None => panic!("the client ended"),
        }
    }
}

pub async fn live(events: &mut Feed<Event>) -> Duration {
    find(events, |event| matches!(event, Event::State(State::Live)).then(now)).await
}

pub async fn lost(events: &mut Feed<Event>) -> (Disconnect, Duration) {
    find(events, |event| match event {
        Event::Disconnected(reason) => Some((reason, now())),
        _ => None,
    })
    .await
}

pub async fn waiting(events: &mut Feed<Event>) -> Duration {
    find(events, |event| match event {
        Event::State(State::Waiting { delay, .. }) => Some(delay),
        _ => None,
    })
    .await
}
