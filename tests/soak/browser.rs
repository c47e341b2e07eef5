//! The browser's side: browser.mjs, and what it says.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Server;
use crate::samples::{BROWSER, Sample, Samples};

/// A page that runs; it needs what `make soak` builds.
pub struct Page {
    child: Child,
    /// Reads at once, because a full pipe would hold the page up.
    samples: JoinHandle<Vec<Sample>>,
    server: Server,
}

impl Page {
    pub fn open(server: Server, total: Duration) -> Self {
        let mut command = Command::new("node");
        command.args(["tests/soak/browser.mjs", &server.url, &total.as_secs().to_string()]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("node is installed");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let read = || lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        Self { child, samples: std::thread::spawn(read), server }
    }

    /// Waits for its end; whether all was well.
    pub fn finish(mut self, life: Duration) -> bool {
        let samples = self.samples.join().unwrap();
        let is_well = self.child.wait().unwrap().success();
        drop(self.server);
        let samples = Samples::new(BROWSER, samples);
        println!("\nbrowser: {samples}");
        is_well && samples.is_flat() && samples.is_busy(life)
    }
}
