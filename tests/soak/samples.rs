//! What is watched, and whether it grows.

use std::fmt;
use std::time::{Duration, Instant};

use comfy_table::{Table, presets};
use tokio::runtime::Handle;

/// Allocators, caches and queues fill in the beginning: this part is not judged.
const WARM_UP: f64 = 0.25;
const COLUMNS: usize = 60;

/// What was seen at one time.
#[derive(serde::Deserialize)]
pub struct Sample {
    /// Milliseconds from the start.
    at: u64,
    pub messages: u64,
    pub connections: u64,
    /// One for each metric.
    pub values: Vec<u64>,
}

impl Sample {
    /// Now, in this process; inside a runtime.
    pub fn take() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let memory = memory.trim().trim_end_matches(" kB").parse().unwrap();
        let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
        let tasks = Handle::current().metrics().num_alive_tasks() as u64;
        Self { at: 0, messages: 0, connections: 0, values: vec![memory, descriptors, tasks] }
    }
}

/// One of the watched values.
pub struct Metric {
    name: &'static str,
    /// How much it may grow between the end of the warm-up and the end, by its trend.
    allowed: f64,
}

/// Memory: what glibc's arenas and the streams' queues, full or empty, make of noise; a leak of 200 bytes for each call or
/// subscription, or of 1 KiB for each reconnection of a long run, is more. The others come and go with reconnections.
pub const NATIVE: &[Metric] = &[
    Metric { name: "memory (KiB)", allowed: 2048.0 },
    Metric { name: "descriptors", allowed: 2.0 },
    Metric { name: "tasks", allowed: 2.0 },
];

/// The heap holds what V8 compiles anew, too. The wasm's memory only grows, in pages of 64 KiB; references are the slots
/// for JavaScript's values, closures among them, that it ever held at once.
pub const BROWSER: &[Metric] = &[
    Metric { name: "heap (KiB)", allowed: 512.0 },
    Metric { name: "buffers (KiB)", allowed: 512.0 },
    Metric { name: "wasm (KiB)", allowed: 64.0 },
    Metric { name: "references", allowed: 16.0 },
    Metric { name: "listeners", allowed: 2.0 },
];

pub struct Samples {
    metrics: &'static [Metric],
    samples: Vec<Sample>,
}

impl Samples {
    pub fn new(metrics: &'static [Metric], samples: Vec<Sample>) -> Self {
        assert!(samples.len() > 10, "too short to see anything grow");
        assert!(samples.iter().all(|sample| sample.values.len() == metrics.len()));
        Self { metrics, samples }
    }

    pub async fn gather(total: Duration, counts: impl Fn() -> (u64, u64)) -> Self {
        let start = Instant::now();
        let mut ticks = tokio::time::interval((total / 1000).max(Duration::from_millis(200)));
        let mut samples = Vec::new();
        while start.elapsed() < total {
            ticks.tick().await;
            let (messages, connections) = counts();
            samples.push(Sample {
                at: start.elapsed().as_millis() as u64,
                messages,
                connections,
                ..Sample::take()
            });
        }
        Self::new(NATIVE, samples)
    }

    pub fn is_flat(&self) -> bool {
        (0..self.metrics.len()).all(|metric| self.growth(metric).0 <= self.metrics[metric].allowed)
    }

    /// Whether there was load worth the name: thousands of messages a second, and most of the reconnections.
    pub fn is_busy(&self, life: Duration) -> bool {
        let lives = self.seconds() / life.as_secs_f64();
        self.rate() >= 2000.0 && self.last().connections as f64 >= 0.5 * lives
    }

    fn last(&self) -> &Sample {
        &self.samples[self.samples.len() - 1]
    }

    fn seconds(&self) -> f64 {
        self.last().at as f64 / 1000.0
    }

    fn rate(&self) -> f64 {
        self.last().messages as f64 / self.seconds()
    }

    fn judged(&self) -> &[Sample] {
        &self.samples[(self.samples.len() as f64 * WARM_UP) as usize..]
    }

    /// The slope by least squares times the judged time, and twice its standard error.
    fn growth(&self, metric: usize) -> (f64, f64) {
        let points: Vec<_> =
            self.judged().iter().map(|sample| (sample.at as f64, sample.values[metric] as f64)).collect();
        let count = points.len() as f64;
        let mean = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / count;
        let (x_mean, y_mean) = (mean(|point| point.0), mean(|point| point.1));
        let x_variance: f64 = points.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
        let slope = points.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum::<f64>() / x_variance;
        let residue: f64 = points.iter().map(|(x, y)| (y - y_mean - slope * (x - x_mean)).powi(2)).sum();
        let error = (residue / (count - 2.0) / x_variance).sqrt();
        let span = points[points.len() - 1].0 - points[0].0;
        (slope * span, 2.0 * error * span)
    }

    /// Each column shows the mean of its time between the smallest and the largest.
    fn plot(&self, metric: usize) -> String {
        let values: Vec<_> = self.samples.iter().map(|sample| sample.values[metric] as f64).collect();
        let columns: Vec<f64> = values
            .chunks(values.len().div_ceil(COLUMNS))
            .map(|chunk| chunk.iter().sum::<f64>() / chunk.len() as f64)
            .collect();
        let (low, high) =
            columns.iter().fold((f64::MAX, f64::MIN), |(low, high), &y| (low.min(y), high.max(y)));
        let bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let bar = |y: f64| bars[((y - low) / (high - low).max(1.0) * 7.0).round() as usize];
        let bars = columns.into_iter().map(bar).collect::<String>();
        format!("{:<13} {bars}  {low:.0} to {high:.0}", self.metrics[metric].name)
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (messages, connections) = (self.last().messages, self.last().connections);
        let (seconds, rate) = (self.seconds(), self.rate());
        writeln!(f, "{messages} messages in {seconds:.0} s ({rate:.0}/s), {connections} connections\n")?;
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(["", "first", "after warm-up", "last", "growth by trend", "allowed"]);
        for (index, metric) in self.metrics.iter().enumerate() {
            let (growth, noise) = self.growth(index);
            let sign = if growth <= metric.allowed { "" } else { "  GROWS" };
            table.add_row([
                metric.name.to_owned(),
                self.samples[0].values[index].to_string(),
                self.judged()[0].values[index].to_string(),
                self.last().values[index].to_string(),
                format!("{growth:+.1} ± {noise:.1}{sign}"),
                format!("{:.0}", metric.allowed),
            ]);
        }
        writeln!(f, "{table}\n")?;
        (0..self.metrics.len()).try_for_each(|metric| writeln!(f, "{}", self.plot(metric)))
    }
}
