//! A recording in memory.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Sink;

/// Keeps the newest lines in memory, for where there are no files, and for tests. Clones are handles to the same recording.
///
/// Over its bound the oldest lines are lost. What is left can be read, and can no longer be replayed.
#[derive(Clone)]
pub struct Memory(Arc<Mutex<Lines>>);

struct Lines {
    header: String,
    lines: VecDeque<String>,
    size: usize,
    limit: usize,
    lost: u64,
}

impl Memory {
    /// Keeps at most about `limit` bytes.
    pub fn new(limit: usize) -> Self {
        let (header, lines) = (String::new(), VecDeque::new());
        Self(Arc::new(Mutex::new(Lines { header, lines, size: 0, limit, lost: 0 })))
    }

    /// The recording so far, as a file of it would be.
    pub fn text(&self) -> String {
        let lines = self.lock();
        let lost = (lines.lost > 0).then(|| loss(lines.lost));
        let all = [Some(&lines.header), lost.as_ref()].into_iter().flatten().chain(&lines.lines);
        all.flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Memory {
    fn write(&self, line: String) {
        let mut lines = self.lock();
        if lines.header.is_empty() {
            lines.header = line;
            return;
        }
        lines.size += line.len() + 1;
        lines.lines.push_back(line);
        while lines.size > lines.limit {
            let Some(oldest) = lines.lines.pop_front() else { break };
            lines.size -= oldest.len() + 1;
            lines.lost += 1;
        }
    }

    fn lost(&self) -> u64 {
        self.lock().lost
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

/// The line that says that others are missing.
pub(crate) fn loss(lines: u64) -> String {
    format!(r#"{{"lost":{lines}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_stay_and_the_loss_is_told() {
        let memory = Memory::new(8);
        for line in ["header", "one", "two", "tri"] {
            memory.write(line.into());
        }
        assert_eq!(memory.text(), "header\n{\"lost\":1}\ntwo\ntri\n");
        memory.write("longer than the bound".into());
        assert_eq!(memory.text(), "header\n{\"lost\":4}\n");
        assert_eq!(memory.lost(), 4);
    }
}
