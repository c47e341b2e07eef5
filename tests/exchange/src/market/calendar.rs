//! Expiry dates: Fridays at 08:00 UTC, written the way instrument names write them.

/// Milliseconds in a day.
pub(crate) const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// The first Friday 08:00 UTC that is at least `days` after `now_ms`.
pub(crate) fn friday_after(now_ms: i64, days: i64) -> i64 {
    let eight = DAY_MS / 3;
    let mut day = (now_ms + days * DAY_MS - eight).div_euclid(DAY_MS) + 1;
    // Day 0 of the epoch was a Thursday.
    while day.rem_euclid(7) != 1 {
        day += 1;
    }
    day * DAY_MS + eight
}

/// The last Friday of the first quarter-end month that is at least `days` after `now_ms`.
pub(crate) fn quarter_after(now_ms: i64, days: i64) -> i64 {
    let mut expiry = friday_after(now_ms, days);
    loop {
        let (_, month, _) = date(expiry);
        let (_, next_month, _) = date(expiry + 7 * DAY_MS);
        if month % 3 == 0 && next_month != month {
            return expiry;
        }
        expiry += 7 * DAY_MS;
    }
}

/// `25DEC26`; the day has no leading zero.
pub(crate) fn code(ms: i64) -> String {
    let (year, month, day) = date(ms);
    let name = usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).unwrap_or(&"JAN");
    format!("{day}{name}{:02}", year.rem_euclid(100))
}

/// `2026-12-25`.
pub(crate) fn date_text(ms: i64) -> String {
    let (year, month, day) = date(ms);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of a moment: the proleptic Gregorian calendar counted in eras of 400 years.
fn date(ms: i64) -> (i64, i64, i64) {
    let days = ms.div_euclid(DAY_MS) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_dates_of_the_documents() {
        assert_eq!(code(1_673_596_800_000), "13JAN23");
        assert_eq!(code(1_695_974_400_000), "29SEP23");
        assert_eq!(date(951_782_400_000), (2000, 2, 29));
    }

    #[test]
    fn expiries_are_fridays_at_eight() {
        let now = 1_695_000_000_000; // 18 September 2023, a Monday
        assert_eq!(quarter_after(now, 2), 1_695_974_400_000);
        assert_eq!(code(friday_after(now, 2)), "22SEP23");
        assert_eq!(code(quarter_after(now, 30)), "29DEC23");
    }
}
