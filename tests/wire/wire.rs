//! Two network namespaces joined by a cable, and the processes in them.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, SystemTime};

pub const SERVER: &str = "10.77.0.2";
pub const URL: &str = "ws://10.77.0.2:8080";

/// Whether this machine lets us make namespaces and filter packets.
pub fn allowed() -> Result<(), String> {
    let name = format!("steady-{}-try", std::process::id());
    attempt("ip", &["netns", "add", &name])?;
    let outcome = attempt("ip", &["netns", "exec", &name, "nft", "add", "table", "inet", "try"]);
    let _ = attempt("ip", &["netns", "del", &name]);
    outcome
}

fn attempt(program: &str, args: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(args).output().map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{program} {}: {said}", args.join(" "))) }
}

fn must(program: &str, args: &[&str]) {
    attempt(program, args).unwrap();
}

/// The client's end and the server's.
pub struct Wire {
    pub near: Namespace,
    pub far: Namespace,
}

/// One network namespace, deleted when dropped.
pub struct Namespace(String);

impl Wire {
    /// `10.77.0.1` here, `10.77.0.2` and `10.77.0.3` there, where everything else leads too.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let id = format!("steady-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let (near, far) = (Namespace::new(format!("{id}-a")), Namespace::new(format!("{id}-b")));
        let (a, b) = (&near.0, &far.0);
        must("ip", &["-n", a, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", b]);
        for (namespace, addresses) in
            [(&near, &["10.77.0.1/24"][..]), (&far, &["10.77.0.2/24", "10.77.0.3/24"])]
        {
            for address in addresses {
                namespace.ip(&["address", "add", address, "dev", "eth0"]);
            }
            namespace.ip(&["link", "set", "lo", "up"]);
            namespace.ip(&["link", "set", "eth0", "up"]);
        }
        near.ip(&["route", "add", "default", "via", SERVER]);
        Self { near, far }
    }
}

impl Namespace {
    fn new(name: String) -> Self {
        must("ip", &["netns", "add", &name]);
        Self(name)
    }

    pub fn ip(&self, args: &[&str]) {
        must("ip", &[&["-n", &self.0], args].concat());
    }

    pub fn has_device(&self, name: &str) -> bool {
        attempt("ip", &["-n", &self.0, "link", "show", name]).is_ok()
    }

    /// Filters packets that leave (`output`) or come (`input`), until [`heal`](Self::heal).
    pub fn filter(&self, hook: &str, rule: &str) {
        let script = format!(
            "add table inet fault; add chain inet fault {hook} {{ type filter hook {hook} priority 0; }}; \
             add rule inet fault {hook} {rule}"
        );
        must("ip", &["netns", "exec", &self.0, "nft", &script]);
    }

    pub fn heal(&self) {
        must("ip", &["netns", "exec", &self.0, "nft", "delete", "table", "inet", "fault"]);
    }

    /// The name server that programs in here ask.
    pub fn resolve_by(&self, server: &str) {
        let folder = self.etc();
        std::fs::create_dir_all(&folder).unwrap();
        // One patient question, so that our own deadline is what ends it.
        let text = format!("nameserver {server}\noptions timeout:30 attempts:1\n");
        std::fs::write(format!("{folder}/resolv.conf"), text).unwrap();
    }

    fn etc(&self) -> String {
        format!("/etc/netns/{}", self.0)
    }

    /// Starts this same program in another role.
    pub fn start(&self, args: &[&str]) -> Program {
        let program = std::env::current_exe().unwrap();
        Program::start(Command::new("ip").args(["netns", "exec", &self.0]).arg(program).args(args))
    }

    /// Starts a script of Python's.
    pub fn start_python(&self, script: &str, args: &[&str]) -> Program {
        let script = format!("{}/tests/wire/{script}", env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new("ip");
        Program::start(command.args(["netns", "exec", &self.0, "python3", &script]).args(args))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = attempt("ip", &["netns", "del", &self.0]);
        let _ = std::fs::remove_dir_all(self.etc());
    }
}

/// A process and the lines that it prints; killed when dropped.
pub struct Program {
    child: Child,
    lines: Option<Receiver<Line>>,
}

/// What a process printed, and the time it wrote before it.
#[derive(Clone, Debug)]
pub struct Line {
    pub at: Duration,
    pub text: String,
}

impl Program {
    pub fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        Self { child: child.unwrap_or_else(|error| panic!("{command:?}: {error}")), lines: None }
    }

    /// This same program in another role, in no namespace of its own.
    pub fn here(args: &[&str]) -> Self {
        Self::start(Command::new(std::env::current_exe().unwrap()).args(args))
    }

    /// Waits for its end.
    pub fn join(&mut self) {
        let _ = self.child.wait();
    }

    /// Its raw input and output, for a program that writes no lines.
    pub fn pipes(&mut self) -> (ChildStdin, impl Read + Send + 'static) {
        (self.child.stdin.take().unwrap(), self.child.stdout.take().unwrap())
    }

    /// The next line that begins with `word`, without that; fails after `patience`.
    pub fn wait(&mut self, word: &str, patience: Duration) -> Line {
        self.find(word, patience).unwrap_or_else(|seen| panic!("no {word:?} within {patience:?} in {seen:?}"))
    }

    /// The same, or the lines that came instead.
    pub fn find(&mut self, word: &str, patience: Duration) -> Result<Line, Vec<Line>> {
        let deadline = now() + patience;
        let mut seen = Vec::new();
        loop {
            match self.lines().recv_timeout(deadline.saturating_sub(now())) {
                Ok(line) => match line.text.strip_prefix(word) {
                    Some(rest) => return Ok(Line { text: rest.trim().to_owned(), ..line }),
                    None => seen.push(line),
                },
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Err(seen),
            }
        }
    }

    fn lines(&mut self) -> &Receiver<Line> {
        let stdout = &mut self.child.stdout;
        self.lines.get_or_insert_with(|| {
            let (send, receive) = channel();
            let lines = BufReader::new(stdout.take().unwrap()).lines();
            std::thread::spawn(move || {
                for line in lines.map_while(Result::ok) {
                    let Some((at, text)) = line.split_once(' ') else { continue };
                    let Ok(at) = at.parse() else { continue };
                    let _ = send.send(Line { at: Duration::from_micros(at), text: text.to_owned() });
                }
            });
            receive
        })
    }

    /// Sends a signal, by its name.
    pub fn signal(&self, name: &str) {
        must("kill", &[&format!("-{name}"), &self.child.id().to_string()]);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The time of day, the same in every process.
pub fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

/// Prints a line that [`Program::wait`] understands.
pub fn say(text: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{} {text}", now().as_micros()).and_then(|()| out.flush());
}
