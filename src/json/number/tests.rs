use super::*;
use proptest::prelude::*;

fn number(text: &str) -> Option<f64> {
    let mut reader = Reader::new(text.as_bytes());
    let number = reader.number().ok()?;
    reader.end().ok().map(|()| number)
}

fn integer(text: &str) -> Option<u64> {
    let mut reader = Reader::new(text.as_bytes());
    let integer = reader.integer().ok()?;
    reader.end().ok().map(|()| integer)
}

/// What the standard library makes of it; infinity is refused.
fn agrees(text: &str) {
    let expected = text.parse::<f64>().ok().filter(|value| value.is_finite());
    assert_eq!(number(text).map(f64::to_bits), expected.map(f64::to_bits), "{text}");
}

/// Both ways, when there are two.
fn both_agree(text: &str) {
    agrees(text);
    let mut reader = Reader::new(text.as_bytes());
    let (decimal, start) = reader.decimal().unwrap();
    let exact = decimal.exact(reader.since(start)).map(f64::to_bits);
    let expected = text.trim_start_matches('-').parse::<f64>().ok().filter(|value| value.is_finite());
    assert_eq!(exact, expected.map(f64::to_bits), "{text}");
}

/// The exact decimal expansion of a finite number. Zeros at its end do no harm.
fn expansion(value: f64) -> String {
    format!("{value:.1074}")
}

#[test]
fn what_books_hold() {
    for text in ["0", "-0", "0.0", "63250.5", "1054.0", "2.2e3", "6.55e-6", "0.0005", "10", "1e22", "-250.25"]
    {
        both_agree(text);
    }
}

#[test]
fn edges() {
    for text in [
        "1e400",
        "-1e400",
        "1e308",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        // Half a unit above the largest number, and just below that.
        "1.797693134862315807e308",
        "1.797693134862315808e308",
        "179769313486231580793e289",
        "5e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.47e-324",
        "1e-400",
        "1e-1000000000",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "2.225073858507201e-308",
        "9007199254740992",
        "9007199254740993",
        "9007199254740993.0",
        "9007199254740994",
        "9007199254740995",
        "9007199254740993.0000000000000000000000000000000000000000001",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999",
        "0.1",
        "0.30000000000000004",
        "1e23",
        "8.5e22",
        "123456789012345678",
        "1.0000000000000000000000000000000000e5",
        "0e999999999999999999999",
        "1e99999999999999999999999999",
        "1e-99999999999999999999999999",
        "0.000000000000000000000000000001e30",
        // Found hard by others: close to halves, and once an endless loop in a well-known runtime.
        "2.2250738585072012e-308",
        "6.631236846766476e-316",
        "3.237883913302901e-319",
        "1.448997445238699",
        "7.4109846876186981626485318930233205854758970392148714663837852375101326090531312779794975454245398856969484704316857659638998506553390969459816219401617281718945106978546710679176872575177347315553307795408549809608457500958111373034747658096871009590975442271004757307809711118935784838675653998783503015228055934046593739791790738723868299395818481660169122019456499931289798411362062484498678713572180352209017023903285791732520220528974020802906854021606612375549983402671300035812486479041385743401875520901590172592547146296175134159774938718574737870961645638908718119841271673056017045493004705269590165763776884908267986972573366521765567941072508764337560846003984904972149117463085539556354188641513168478436313080237596295773983001708984375e-324",
    ] {
        both_agree(text);
    }
}

#[test]
fn the_text_may_be_long() {
    let zeros = "0".repeat(5_000);
    both_agree(&format!("0.{zeros}1e5001"));
    both_agree(&format!("1{zeros}e-5000"));
    both_agree(&format!("1{zeros}.{zeros}1e-5000"));
    both_agree(&format!("{}.{}", "9".repeat(300), "9".repeat(800)));
    // Exactly a half is rounded to the even number, and a digit at any distance breaks the tie.
    both_agree(&format!("9007199254740993.{zeros}"));
    both_agree(&format!("9007199254740993.{zeros}1"));
}

#[test]
fn grammar() {
    for text in
        ["", "-", "+1", ".5", "1.", "1.e5", "01", "1e", "1e+", "--1", "0x10", "Infinity", "NaN", "1_0", "١"]
    {
        assert_eq!((number(text), integer(text)), (None, None), "{text}");
    }
    for text in ["\"1\"", "null", "[1]", "1 2"] {
        assert_eq!(number(text), None, "{text}");
    }
    assert_eq!(number(" \t1 "), Some(1.0));
}

#[test]
fn a_number_ends_where_it_ends() {
    let mut reader = Reader::new(b"[1.5e1,-2]");
    reader.array().unwrap();
    let mut found = Vec::new();
    while reader.element().unwrap() {
        found.push(reader.number().unwrap());
    }
    assert_eq!(found, [15.0, -2.0]);
    assert!(reader.end().is_ok());
}

#[test]
fn integers_in_any_form() {
    for (text, expected) in [
        ("193809616666", Some(193_809_616_666)),
        ("193809616666.0", Some(193_809_616_666)),
        ("1.93809616666e11", Some(193_809_616_666)),
        ("1938096166660E-1", Some(193_809_616_666)),
        ("9999999999999999999", Some(9_999_999_999_999_999_999)),
        ("0.0e99", Some(0)),
        ("-0", Some(0)),
        ("-1", None),
        ("1.5", None),
        ("1e20", None),
        ("1e-1", None),
        ("18446744073709551616", None),
        ("1e999999999999", None),
    ] {
        assert_eq!(integer(text), expected, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// Anything that the grammar allows.
    #[test]
    fn as_the_standard_library(text in r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?") {
        both_agree(&text);
    }

    /// What prices and amounts look like takes the fast path, and comes out the same.
    #[test]
    fn short_ones(text in r"-?(0|[1-9][0-9]{0,7})(\.[0-9]{1,7})?") {
        both_agree(&text);
        let mut reader = Reader::new(text.as_bytes());
        prop_assert!(reader.decimal().unwrap().0.fast().is_some());
    }

    /// The shortest text of every number reads as that number.
    #[test]
    fn round_trip(bits: u64) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        both_agree(&format!("{value:?}"));
        both_agree(&format!("{value:e}"));
        prop_assert_eq!(number(&format!("{value:e}")).map(f64::to_bits), Some(bits));
    }

    /// Just at, above and below the middle between two neighbours, with all the digits that it takes.
    #[test]
    fn halves(bits in 0u64..(2046 << 52), small in 0u64..(1 << 53)) {
        for bits in [bits, small] {
            let (low, high) = (f64::from_bits(bits), f64::from_bits(bits + 1));
            // The middle has one bit more: with both halved it would be exact, if it were not too small.
            let (low, high) = (expansion(low), expansion(high));
            let middle = halve(&add(&low, &high));
            both_agree(&middle);
            both_agree(&format!("{middle}1"));
            // Below 2^52 it has a fraction, which ends with a five.
            let middle = middle.trim_end_matches('0');
            if let Some(start) = middle.strip_suffix('5') {
                both_agree(&format!("{start}4{}", "9".repeat(40)));
            } else {
                prop_assert!(bits >= 1075 << 52);
            }
        }
    }
}

/// Adds decimal texts with equally many digits after the point.
fn add(one: &str, other: &str) -> String {
    let width = one.len().max(other.len());
    let (one, other) = (format!("{one:0>width$}"), format!("{other:0>width$}"));
    let mut carry = 0;
    let mut sum: Vec<u8> = one
        .bytes()
        .rev()
        .zip(other.bytes().rev())
        .map(|(a, b)| {
            if a == b'.' {
                return a;
            }
            let digit = a - b'0' + b - b'0' + carry;
            carry = digit / 10;
            b'0' + digit % 10
        })
        .collect();
    if carry > 0 {
        sum.push(b'1');
    }
    sum.reverse();
    String::from_utf8(sum).unwrap()
}

/// Half of a decimal text, with one digit more.
fn halve(text: &str) -> String {
    let mut rest = 0;
    let mut half: String = format!("{text}0")
        .bytes()
        .map(|byte| {
            if byte == b'.' {
                return '.';
            }
            let digit = rest * 10 + byte - b'0';
            rest = digit % 2;
            char::from(b'0' + digit / 2)
        })
        .collect();
    // JSON allows no zero in front.
    while half.starts_with('0') && !half.starts_with("0.") {
        half.remove(0);
    }
    half
}
