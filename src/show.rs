//! How errors show times and texts. `Debug` would do, but it brings tables of all scripts, and a decimal printer of its
//! own, that a page would have to load.

use std::fmt::{Display, Formatter, Result, Write};
use std::time::Duration;

/// A time: `14s`, `1.500s`, `250ms`. Rounded up to whole milliseconds.
pub(crate) struct Time(pub(crate) Duration);

impl Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let millis = u64::from(self.0.subsec_nanos().div_ceil(1_000_000));
        let (seconds, millis) = (self.0.as_secs().saturating_add(millis / 1000), millis % 1000);
        match (seconds, millis) {
            (1.., 0) => write!(f, "{seconds}s"),
            (0, _) => write!(f, "{millis}ms"),
            _ => write!(f, "{seconds}.{millis:03}s"),
        }
    }
}

/// A text that somebody else wrote, between quotes, without characters that would control a terminal.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_char('"')?;
        for char in self.0.chars() {
            match char {
                '"' | '\\' => write!(f, "\\{char}")?,
                '\n' => f.write_str("\\n")?,
                _ if char.is_control() => write!(f, "\\u{{{:x}}}", u32::from(char))?,
                _ => f.write_char(char)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up_to_milliseconds() {
        let shown = |nanos| Time(Duration::from_nanos(nanos)).to_string();
        assert_eq!(shown(14_000_000_000), "14s");
        assert_eq!(shown(1_500_000_000), "1.500s");
        assert_eq!(shown(1_000_000_001), "1.001s");
        assert_eq!(shown(250_000_000), "250ms");
        assert_eq!(shown(1), "1ms");
        assert_eq!(shown(0), "0ms");
        assert_eq!(shown(999_999_999), "1s");
        assert_eq!(Time(Duration::MAX).to_string(), format!("{}s", u64::MAX));
    }

    #[test]
    fn a_quoted_text_stays_on_its_line() {
        assert_eq!(
            Quoted("größer \"a\\b\"\n\u{1b}[2J\u{9b}").to_string(),
            r#""größer \"a\\b\"\n\u{1b}[2J\u{9b}""#
        );
    }
}
