//! What is watched, and whether it grows.

use std::fmt;
use std::time::{Duration, Instant};

use comfy_table::{Table, presets};
use tokio::runtime::Handle;

/// Allocators, caches and queues fill in the beginning: this part is not judged.
const WARM_UP: f64 = 0.25;
const COLUMNS: usize = 60;

#[derive(Clone, Copy)]
pub struct Sample {
    at: Duration,
    /// Resident memory, in KiB.
    pub memory: u64,
    pub descriptors: u64,
    pub tasks: u64,
    messages: u64,
    connections: u64,
}

impl Sample {
    /// Now, in this process; inside a runtime.
    pub fn take(messages: u64, connections: u64) -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        Self {
            at: Duration::ZERO,
            memory: memory.trim().trim_end_matches(" kB").parse().unwrap(),
            descriptors: std::fs::read_dir("/proc/self/fd").unwrap().count() as u64,
            tasks: Handle::current().metrics().num_alive_tasks() as u64,
            messages,
            connections,
        }
    }
}

/// One of the watched values.
struct Metric {
    name: &'static str,
    of: fn(&Sample) -> u64,
    /// How much it may grow between the end of the warm-up and the end, by its trend. Memory: what glibc's arenas and
    /// the streams' queues, full or empty, make of noise; a leak of 200 bytes for each call or subscription, or of 1 KiB
    /// for each reconnection of a long run, is more. The others come and go with reconnections.
    allowed: f64,
}

const METRICS: [Metric; 3] = [
    Metric { name: "memory (KiB)", of: |sample| sample.memory, allowed: 2048.0 },
    Metric { name: "descriptors", of: |sample| sample.descriptors, allowed: 2.0 },
    Metric { name: "tasks", of: |sample| sample.tasks, allowed: 2.0 },
];

pub struct Samples(Vec<Sample>);

impl Samples {
    pub async fn gather(total: Duration, counts: impl Fn() -> (u64, u64)) -> Self {
        let start = Instant::now();
        let mut ticks = tokio::time::interval((total / 1000).max(Duration::from_millis(200)));
        let mut samples = Vec::new();
        while start.elapsed() < total {
            ticks.tick().await;
            let (messages, connections) = counts();
            samples.push(Sample { at: start.elapsed(), ..Sample::take(messages, connections) });
        }
        Self(samples)
    }

    pub fn is_flat(&self) -> bool {
        METRICS.iter().all(|metric| self.growth(metric).0 <= metric.allowed)
    }

    /// Whether there was load worth the name: thousands of messages a second, and most of the reconnections.
    pub fn is_busy(&self, life: Duration) -> bool {
        let last = self.last();
        let lives = last.at.as_secs_f64() / life.as_secs_f64();
        self.rate() >= 2000.0 && last.connections as f64 >= 0.5 * lives
    }

    fn last(&self) -> &Sample {
        self.0.last().expect("samples")
    }

    fn rate(&self) -> f64 {
        self.last().messages as f64 / self.last().at.as_secs_f64()
    }

    fn judged(&self) -> &[Sample] {
        &self.0[(self.0.len() as f64 * WARM_UP) as usize..]
    }

    /// The slope by least squares times the judged time, and twice its standard error.
    fn growth(&self, metric: &Metric) -> (f64, f64) {
        let points: Vec<_> = self
            .judged()
            .iter()
            .map(|sample| (sample.at.as_secs_f64(), (metric.of)(sample) as f64))
            .collect();
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
    fn plot(&self, metric: &Metric) -> String {
        let values: Vec<_> = self.0.iter().map(|sample| (metric.of)(sample) as f64).collect();
        let columns: Vec<f64> = values
            .chunks(values.len().div_ceil(COLUMNS))
            .map(|chunk| chunk.iter().sum::<f64>() / chunk.len() as f64)
            .collect();
        let (low, high) =
            columns.iter().fold((f64::MAX, f64::MIN), |(low, high), &y| (low.min(y), high.max(y)));
        let bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let bar = |y: f64| bars[((y - low) / (high - low).max(1.0) * 7.0).round() as usize];
        format!(
            "{:<13} {}  {low:.0} to {high:.0}",
            metric.name,
            columns.into_iter().map(bar).collect::<String>()
        )
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.last();
        let (messages, connections) = (last.messages, last.connections);
        let seconds = last.at.as_secs_f64();
        writeln!(
            f,
            "{messages} messages in {seconds:.0} s ({:.0}/s), {connections} connections\n",
            self.rate()
        )?;
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(["", "first", "after warm-up", "last", "growth by trend", "allowed"]);
        for metric in &METRICS {
            let (growth, noise) = self.growth(metric);
            let sign = if growth <= metric.allowed { "" } else { "  GROWS" };
            table.add_row([
                metric.name.to_owned(),
                (metric.of)(&self.0[0]).to_string(),
                (metric.of)(&self.judged()[0]).to_string(),
                (metric.of)(last).to_string(),
                format!("{growth:+.1} ± {noise:.1}{sign}"),
                format!("{:.0}", metric.allowed),
            ]);
        }
        writeln!(f, "{table}\n")?;
        METRICS.iter().try_for_each(|metric| writeln!(f, "{}", self.plot(metric)))
    }
}
