//! A recording in a file, written by a thread of its own.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::platform::os;
use crate::recorder::{Recorder, Sink, loss};

/// What may wait for the disk, in bytes, unless it is told otherwise.
const BACKLOG: usize = 16 * 1024 * 1024;

/// How every recording begins.
const HEADER: &[u8] = br#"{"recording":"steadysocket""#;

impl Recorder {
    /// Records to a file, with the system's clock: see [`FileSink`]. It cannot fail; [`problem`](Self::problem) tells.
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), steadysocket::Error> {
    /// use steadysocket::Config;
    /// use steadysocket::recorder::Recorder;
    ///
    /// let config = Config::new("wss://example.com")?.recorder(Some(Recorder::to_file("session.jsonl")));
    /// let client = steadysocket::connect(config).await?;
    /// # Ok(()) }
    /// ```
    pub fn to_file(path: impl Into<PathBuf>) -> Self {
        Self::new(FileSink::new(path), Self::system_clock)
    }

    /// The system's wall clock, for [`new`](Self::new).
    #[allow(clippy::disallowed_methods, reason = "this is a platform")]
    pub fn system_clock() -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

/// Writes a recording to a file.
///
/// A file that is there already goes on, with another header; if a crash tore its last line, that line is taken off. A file
/// that is no recording is left alone. A new one can be read by its owner only. One recorder writes to a file at a time.
///
/// A thread of its own writes each line as soon as it can, so that a crash of the program loses the last
/// milliseconds at most, and dropping the last [`Recorder`] waits until everything is written. When the disk is slower than
/// the connections, 16 MiB wait for it, unless [`with_backlog`](Self::with_backlog) says otherwise; what comes then is
/// lost, which the file says in its place. A file that cannot be written is tried again with the next line.
#[derive(Debug)]
pub struct FileSink {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// Where the connections leave their lines.
#[derive(Debug, Default)]
struct Desk {
    tray: Mutex<Tray>,
    /// Something is to be done.
    work: Condvar,
    /// Everything is done.
    rest: Condvar,
}

#[derive(Debug, Default)]
struct Tray {
    lines: VecDeque<String>,
    bytes: usize,
    backlog: usize,
    /// Lost since the thread last looked.
    missing: u64,
    lost: u64,
    problem: Option<String>,
    /// The thread has taken lines and not written them yet.
    busy: bool,
    over: bool,
}

impl FileSink {
    /// Writes to this file. Nothing is done before the first line.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::with_backlog(path, BACKLOG)
    }

    /// As [`new`](Self::new); so many bytes may wait for the disk.
    pub fn with_backlog(path: impl Into<PathBuf>, backlog: usize) -> Self {
        let desk = Arc::new(Desk::default());
        desk.tray().backlog = backlog;
        let writer = Writer { path: path.into(), file: None, header: None, missing: 0 };
        let there = desk.clone();
        let name = "steadysocket-recorder".to_owned();
        let thread = std::thread::Builder::new().name(name).spawn(move || writer.run(&there));
        if let Err(error) = &thread {
            desk.tray().problem = Some(format!("there is no thread to write: {error}"));
        }
        Self { desk, thread: thread.ok() }
    }
}

impl Sink for FileSink {
    fn write(&self, line: String) {
        let mut tray = self.desk.tray();
        let full = tray.bytes + line.len() > tray.backlog && !tray.lines.is_empty();
        if full || self.thread.is_none() {
            tray.missing += 1;
            tray.lost += 1;
            return;
        }
        tray.bytes += line.len();
        tray.lines.push_back(line);
        drop(tray);
        self.desk.work.notify_one();
    }

    fn lost(&self) -> u64 {
        self.desk.tray().lost
    }

    fn problem(&self) -> Option<String> {
        self.desk.tray().problem.clone()
    }

    fn flush(&self) {
        let tray = self.desk.tray();
        let has_work = |tray: &mut Tray| self.thread.is_some() && (tray.busy || !tray.lines.is_empty());
        drop(self.desk.rest.wait_while(tray, has_work));
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        self.desk.tray().over = true;
        self.desk.work.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Desk {
    fn tray(&self) -> MutexGuard<'_, Tray> {
        self.tray.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is to write, and how many lines are missing after it; nothing when it is over.
    fn take(&self) -> Option<(VecDeque<String>, u64)> {
        let idle = |tray: &mut Tray| tray.lines.is_empty() && tray.missing == 0 && !tray.over;
        let mut tray = self.work.wait_while(self.tray(), idle).unwrap_or_else(PoisonError::into_inner);
        let lines = std::mem::take(&mut tray.lines);
        let missing = std::mem::take(&mut tray.missing);
        tray.bytes = 0;
        tray.busy = true;
        (!lines.is_empty() || missing > 0).then_some((lines, missing))
    }

    fn done(&self, result: Result<(), (io::Error, u64)>) {
        let mut tray = self.tray();
        tray.busy = false;
        tray.problem = result.err().map(|(error, lost)| {
            tray.lost += lost;
            error.to_string()
        });
        drop(tray);
        self.rest.notify_all();
    }
}

/// The thread that writes.
struct Writer {
    path: PathBuf,
    file: Option<File>,
    /// Until it is written.
    header: Option<String>,
    /// Lines that are missing, which the file does not say yet.
    missing: u64,
}

impl Writer {
    fn run(mut self, desk: &Desk) {
        let mut is_first = true;
        while let Some((mut lines, missing)) = desk.take() {
            if std::mem::take(&mut is_first) {
                self.header = lines.pop_front();
            }
            desk.done(self.write(lines, missing));
        }
        desk.done(Ok(()));
    }

    /// Writes what came; `missing` lines would have come after it. With the error comes the number of lines that it cost.
    fn write(&mut self, lines: VecDeque<String>, missing: u64) -> Result<(), (io::Error, u64)> {
        let count = lines.len() as u64;
        let result = self.open().and_then(|mut file| {
            let before = (self.missing > 0).then(|| loss(self.missing));
            let after = (missing > 0).then(|| loss(missing));
            let text = before.into_iter().chain(lines).chain(after).flat_map(|line| [line, "\n".into()]);
            file.write_all(text.collect::<String>().as_bytes())?;
            self.file = Some(file);
            Ok(())
        });
        match result {
            Ok(()) => {
                self.missing = 0;
                Ok(())
            }
            Err(error) => {
                // The next try takes off what was written of a line, and whole lines stay.
                self.missing += count + missing;
                Err((error, count))
            }
        }
    }

    /// The file, ready for the next line.
    fn open(&mut self) -> io::Result<File> {
        if let Some(file) = self.file.take() {
            return Ok(file);
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        os::make_private(&mut options);
        let mut file = options.open(&self.path)?;
        if file.metadata()?.is_file() {
            mend(&mut file)?;
        }
        if let Some(header) = &self.header {
            file.write_all(format!("{header}\n").as_bytes())?;
            self.header = None;
        }
        Ok(file)
    }
}

/// Takes off a line that a crash tore. Refuses a file that is no recording.
fn mend(file: &mut File) -> io::Result<()> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut start = vec![0; HEADER.len().min(usize::try_from(length).unwrap_or(usize::MAX))];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut start)?;
    if !HEADER.starts_with(&start) {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the file is there, and is no recording"));
    }
    let (mut end, mut part) = (length, [0; 4096]);
    while end > 0 {
        let from = end.saturating_sub(part.len() as u64);
        let part = &mut part[..usize::try_from(end - from).unwrap_or_default()];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            end = from + at as u64 + 1;
            break;
        }
        end = from;
    }
    if end == length { Ok(()) } else { file.set_len(end) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A path of a file that is not there, in a folder that goes when it is dropped.
    struct Place(PathBuf);

    impl Place {
        fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let folder = std::env::temp_dir().join(format!("steadysocket-{}-{count}", std::process::id()));
            fs::create_dir(&folder).unwrap();
            Self(folder)
        }

        fn file(&self) -> PathBuf {
            self.0.join("a.jsonl")
        }

        fn text(&self) -> String {
            fs::read_to_string(self.file()).unwrap()
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn header() -> String {
        r#"{"recording":"steadysocket","version":1}"#.into()
    }

    fn sink(place: &Place) -> FileSink {
        let sink = FileSink::new(place.file());
        sink.write(header());
        sink
    }

    #[test]
    fn what_is_written_is_there_when_it_is_dropped() {
        let place = Place::new();
        let sink = sink(&place);
        (0..10_000).for_each(|n| sink.write(format!("line {n}")));
        drop(sink);
        let text = place.text();
        assert!(text.starts_with(&header()) && text.ends_with("line 9999\n"));
        assert_eq!(text.lines().count(), 10_001);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(place.file()).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_goes_on_and_a_torn_line_is_taken_off() {
        let place = Place::new();
        for torn in [header()[..9].to_owned(), format!("{}\nwhole\n{}", header(), "torn ".repeat(2000))] {
            fs::write(place.file(), &torn).unwrap();
            drop(sink(&place));
            let kept = torn.rfind('\n').map_or("", |at| &torn[..=at]);
            assert_eq!(place.text(), format!("{kept}{}\n", header()));
        }
    }

    #[test]
    fn a_file_that_is_no_recording_is_left_alone() {
        let place = Place::new();
        fs::write(place.file(), "dear diary").unwrap();
        let sink = sink(&place);
        sink.write("a".into());
        sink.flush();
        assert_eq!(sink.problem().unwrap(), "the file is there, and is no recording");
        assert_eq!(sink.lost(), 1);
        drop(sink);
        assert_eq!(place.text(), "dear diary");
    }

    #[test]
    fn a_file_that_can_be_written_later_says_what_it_lacks() {
        let place = Place::new();
        let folder = place.0.join("later");
        let sink = FileSink::new(folder.join("a.jsonl"));
        for line in [header(), "a".into(), "b".into()] {
            sink.write(line);
            sink.flush();
        }
        assert_eq!(sink.lost(), 2);
        assert!(sink.problem().is_some());
        fs::create_dir(&folder).unwrap();
        sink.write("c".into());
        sink.flush();
        assert_eq!((sink.lost(), sink.problem()), (2, None));
        let text = fs::read_to_string(folder.join("a.jsonl")).unwrap();
        assert_eq!(text, format!("{}\n{{\"lost\":2}}\nc\n", header()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told() {
        let sink = FileSink::new("/dev/full");
        sink.write(header());
        sink.write("a".into());
        sink.flush();
        assert!(sink.problem().unwrap().contains("No space left"), "{:?}", sink.problem());
        assert!(sink.lost() > 0);
    }

    /// A pipe that nobody reads is a disk that stands still.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_slow_disk_costs_lines_and_not_memory() {
        let place = Place::new();
        let made = std::process::Command::new("mkfifo").arg(place.file()).status().unwrap();
        assert!(made.success());
        let sink = FileSink::with_backlog(place.file(), 100_000);
        sink.write(header());
        let line = "x".repeat(1000);
        // What a pipe takes, what the thread holds, what waits.
        (0..2_000).for_each(|_| sink.write(line.clone()));
        let lost = sink.lost();
        assert!(lost > 1_500, "{lost}");
        assert!(sink.desk.tray().bytes <= 100_000);
        let pipe = OpenOptions::new().read(true).write(true).open(place.file()).unwrap();
        let reader = std::thread::spawn(move || {
            let lines = io::BufRead::lines(io::BufReader::new(pipe));
            let mut seen = Vec::new();
            for line in lines {
                let line = line.unwrap();
                let is_end = line == "end";
                seen.push(line);
                if is_end {
                    return seen;
                }
            }
            seen
        });
        sink.flush();
        sink.write("end".into());
        drop(sink);
        let seen = reader.join().unwrap();
        let told = seen
            .iter()
            .filter_map(|line| line.strip_prefix(r#"{"lost":"#)?.strip_suffix('}')?.parse::<u64>().ok());
        assert_eq!(told.sum::<u64>(), lost);
        let kept = seen.iter().filter(|seen| **seen == line).count() as u64;
        assert_eq!(kept + lost, 2_000);
    }
}
