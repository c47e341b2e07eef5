//! IP addresses as URLs write them. Those of the standard library bring a parser and a printer that a page would have
//! to load.

use crate::json;

/// Four numbers below 256 without leading zeros.
pub(super) fn v4(text: &str) -> Option<[u8; 4]> {
    let mut labels = text.split('.');
    let mut octets = [0; 4];
    for octet in &mut octets {
        *octet = json::unsigned(labels.next()?.as_bytes())?.try_into().ok()?;
    }
    labels.next().is_none().then_some(octets)
}

/// Eight groups of up to four hexadecimal digits, `::` for some that are zero, and perhaps an IPv4 address at the end
/// (RFC 4291 section 2.2).
pub(super) fn v6(text: &str) -> Option<[u16; 8]> {
    let gap = text.as_bytes().windows(2).position(|pair| pair == b"::");
    let (head, tail) = gap.map_or((text, ""), |at| (&text[..at], &text[at + 2..]));
    let mut groups = [0; 8];
    let (before, ends) = read(head, &mut groups)?;
    let mut after = [0; 8];
    let (count, _) = read(tail, &mut after)?;
    let fits = if gap.is_some() { !ends && before + count < groups.len() } else { before == groups.len() };
    if !fits {
        return None;
    }
    groups[8 - count..].copy_from_slice(&after[..count]);
    Some(groups)
}

/// Reads groups between colons; how many there were, and whether the last of them were an IPv4 address.
fn read(text: &str, groups: &mut [u16; 8]) -> Option<(usize, bool)> {
    let mut count = 0;
    let mut ends = false;
    for part in text.split(':').filter(|_| !text.is_empty()) {
        if ends {
            return None;
        }
        if let Some([a, b, c, d]) = v4(part) {
            *groups.get_mut(count)? = u16::from_be_bytes([a, b]);
            count += 1;
            *groups.get_mut(count)? = u16::from_be_bytes([c, d]);
            ends = true;
        } else {
            *groups.get_mut(count)? = group(part)?;
        }
        count += 1;
    }
    Some((count, ends))
}

fn group(text: &str) -> Option<u16> {
    if !(1..=4).contains(&text.len()) {
        return None;
    }
    text.chars().try_fold(0, |sum, char| Some(sum << 4 | u16::try_from(char.to_digit(16)?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn agrees(text: &str) {
        let v4_there = text.parse::<Ipv4Addr>().ok();
        assert_eq!(v4(text).map(Ipv4Addr::from), v4_there, "{text}");
        let v6_there = text.parse::<Ipv6Addr>().ok();
        assert_eq!(v6(text).map(Ipv6Addr::from), v6_there, "{text}");
    }

    #[test]
    fn what_is_an_address_and_what_is_not() {
        for text in [
            "",
            "1.2.3.4",
            "01.2.3.4",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "+1.2.3.4",
            "1..2.3",
            "::",
            ":::",
            "1::",
            "::1",
            ":1",
            "1:",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7::",
            "1::2:3:4:5:6:7:8",
            "::1:2:3:4:5:6:7",
            "::ffff:1.2.3.4",
            "1.2.3.4::",
            "::1.2.3.4:5",
            "1:2:3:4:5:6:1.2.3.4",
            "1:2:3:4:5:6:7:1.2.3.4",
            "g::",
            "12345::",
            "+1::",
            "1::2::3",
            "FE80::aBc",
            "1:2:3:4:5:6:7:8:9",
            "::%1",
            "1.2.3.4:5::",
        ] {
            agrees(text);
        }
    }

    proptest! {
        #[test]
        fn as_the_standard_library_reads_them(text in "[0-9a-f:.]{0,24}", groups: [u16; 8], short in 0usize..8) {
            agrees(&text);
            agrees(&Ipv6Addr::from(groups).to_string());
            let mut zeros = groups;
            zeros[short..].fill(0);
            agrees(&Ipv6Addr::from(zeros).to_string());
            // A list of groups, some of them left out.
            let list: Vec<_> = groups.iter().map(|g| if g % 3 == 0 { String::new() } else { format!("{g:x}") }).collect();
            agrees(&list[..=short].join(":"));
        }
    }
}
