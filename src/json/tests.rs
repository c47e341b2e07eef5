use super::*;
use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

fn accepts(text: &[u8]) -> bool {
    let read = |text| -> Result<(), Malformed> {
        let mut reader = Reader::checked(text)?;
        reader.value()?;
        reader.end()
    };
    read(text).is_ok()
}

fn judge_accepts(text: &[u8]) -> bool {
    // `IgnoredAny` checks the grammar alone: no range of numbers, no limit of depth. It leaves UTF-8 to `str`.
    std::str::from_utf8(text).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

#[test]
fn grammar() {
    let good = [
        "0",
        "-0",
        "1.5e+10",
        "1E5",
        "-1.0e-2",
        "\"\"",
        "\"\\u00e9\\n\"",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        " [ 1 , { } , [ ] ] ",
        "{\"a\":{\"b\":[1,{}]},\"a\":2}",
        "\"\u{7f}\"",
        "\"\\ud800\"",
    ];
    for text in good {
        assert!(accepts(text.as_bytes()) && judge_accepts(text.as_bytes()), "{text}");
    }
    let bad = [
        "",
        " ",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "-a",
        "0x1",
        "\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "tru",
        "nul",
        "True",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":1]",
        "1 2",
        "{}{}",
        "\u{feff}1",
        "\"\\",
        "\"\\u00",
        "NaN",
        "'a'",
    ];
    for text in bad {
        assert!(!accepts(text.as_bytes()) && !judge_accepts(text.as_bytes()), "{text}");
    }
    assert!(!accepts(b"\"\xff\""));
}

#[test]
fn depth_is_bounded_and_the_stack_is_not_used() {
    let nested = |depth: usize| format!("{}{}", "[{\"a\":".repeat(depth), "}]".repeat(depth));
    let nested = |depth: usize| nested(depth).replace(":}", ":1}");
    assert!(accepts(nested(64).as_bytes()));
    assert!(!accepts(nested(65).as_bytes()));
    assert!(!accepts("[".repeat(10_000_000).as_bytes()));
    // Depth is of what is open, not of what was.
    assert!(accepts(format!("[{}0]", "[[]],".repeat(1000)).as_bytes()));
}

#[test]
fn members_and_elements() {
    let mut reader = Reader::new(b" { \"a\" : [ 1 , \"x\" ] , \"b\" : {} } ");
    reader.object().unwrap();
    assert!(reader.member().unwrap().unwrap() == *"a");
    reader.array().unwrap();
    assert!(reader.element().unwrap());
    assert_eq!(reader.value().unwrap(), b"1");
    assert!(reader.element().unwrap());
    assert!(reader.string().unwrap() == *"x");
    assert!(!reader.element().unwrap());
    assert!(reader.member().unwrap().unwrap() == *"b");
    assert_eq!(reader.value().unwrap(), b"{}");
    assert!(reader.member().unwrap().is_none());
    reader.end().unwrap();
}

#[test]
fn a_value_that_is_not_taken_is_an_error() {
    let mut reader = Reader::new(b"{\"a\":1,\"b\":2}");
    reader.object().unwrap();
    reader.member().unwrap();
    assert!(reader.member().is_err());
}

#[test]
fn strings() {
    let text = |json: &[u8]| Str::of(json).unwrap().text().into_owned();
    assert_eq!(text(br#""\ud83d\ude00 \" \\ \/ \b\f\n\r\t \u00E9""#), "😀 \" \\ / \u{8}\u{c}\n\r\t é");
    assert_eq!(text(br#""\ud83d""#), "\u{fffd}");
    assert_eq!(text(br#""\ud83dx\udE00""#), "\u{fffd}x\u{fffd}");
    assert_eq!(text(br#""\ud83d\ud83d\ude00""#), "\u{fffd}😀");
    assert_eq!(text(br#""\u0000\u0000""#), "\0\0");
    assert!(matches!(Str::of(b"\"plain\"").unwrap().text(), Cow::Borrowed("plain")));
    assert!(Str::of(br#""m\u0065thod""#).unwrap() == *"method");
    assert!(Str::of(b"12").is_none());
}

#[test]
fn integers() {
    assert_eq!(unsigned(b"18446744073709551615"), Some(u64::MAX));
    assert_eq!(integer(b"-9223372036854775808"), Some(i64::MIN));
    assert_eq!(integer(b"-32700"), Some(-32700));
    for not in ["", "-1", "01", "1.0", "1e3", "18446744073709551616", "\"1\"", "+1"] {
        assert_eq!(unsigned(not.as_bytes()), None, "{not}");
    }
    assert_eq!(integer(b"9223372036854775808"), None);
    assert_eq!(integer(b"--1"), None);
}

/// Members in order, with duplicates, as the judge sees them.
#[derive(Debug)]
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(V)
    }
}

fn members(text: &[u8]) -> Result<Vec<(String, &[u8])>, Malformed> {
    let mut reader = Reader::new(text);
    let mut members = Vec::new();
    reader.object()?;
    while let Some(key) = reader.member()? {
        members.push((key.text().into_owned(), reader.value()?));
    }
    reader.end()?;
    Ok(members)
}

fn elements(text: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut reader = Reader::new(text);
    let mut elements = Vec::new();
    reader.array()?;
    while reader.element()? {
        elements.push(reader.value()?);
    }
    reader.end()?;
    Ok(elements)
}

fn space() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,2}"
}

fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        r#""([a-z]{0,20}|\\(["\\/bfnrt]|u00[0-9a-fA-F]{2}|ud83d\\ude[0-3]0)){0,6}""#,
    ]
}

/// JSON texts of every form that the grammar allows.
fn document() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
        string(),
    ];
    scalar.prop_recursive(6, 60, 8, |inner| {
        let item = (space(), inner.clone(), space()).prop_map(|(a, value, b)| a + &value + &b).boxed();
        let member = (space(), string(), space(), item.clone())
            .prop_map(|(a, key, b, value)| format!("{a}{key}{b}:{value}"));
        prop_oneof![
            prop::collection::vec(item, 0..8).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..8).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn accepts_what_the_judge_accepts(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(accepts(&bytes), judge_accepts(&bytes));
    }

    #[test]
    fn accepts_what_the_judge_accepts_of_json_like_text(text in "[\\[\\]{}\",:0-9eE.+\\-\\\\utrfalsn \n]{0,30}") {
        prop_assert_eq!(accepts(text.as_bytes()), judge_accepts(text.as_bytes()), "{}", text);
    }

    #[test]
    fn sees_the_members_that_the_judge_sees(text in document()) {
        prop_assert!(accepts(text.as_bytes()), "{}", text);
        let judged = serde_json::from_str::<Members>(&text).ok();
        let judged = judged.as_ref().map(|members| {
            members.0.iter().map(|(key, raw)| (key.clone(), raw.get().as_bytes())).collect::<Vec<_>>()
        });
        prop_assert_eq!(members(text.as_bytes()).ok(), judged);
        let judged = serde_json::from_str::<Vec<&RawValue>>(&text).ok();
        let judged = judged.as_ref().map(|raws| raws.iter().map(|raw| raw.get().as_bytes()).collect::<Vec<_>>());
        prop_assert_eq!(elements(text.as_bytes()).ok(), judged);
    }

    #[test]
    fn judges_mutated_documents_alike(text in document(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..4)) {
        let mut bytes = text.into_bytes();
        for (index, byte, kind) in edits {
            let at = index.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = b"\"\\{}[],:0-e."[usize::from(byte) % 12],
                _ => bytes.truncate(at),
            }
        }
        prop_assert_eq!(accepts(&bytes), judge_accepts(&bytes), "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn strings_decode_as_the_judge_decodes(text in string()) {
        let judged: String = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&*Str::of(text.as_bytes()).unwrap().text(), &judged);
        let mut quoted = String::new();
        quote(&mut quoted, &judged);
        prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), judged);
    }

    #[test]
    fn integers_as_the_judge_reads_them(number in any::<i64>(), text in "-?[0-9]{0,21}(\\.0|e1)?") {
        prop_assert_eq!(integer(number.to_string().as_bytes()), Some(number));
        // The judge reads `-0` as a float.
        prop_assume!(text != "-0");
        prop_assert_eq!(integer(text.as_bytes()), serde_json::from_str(&text).ok());
        prop_assert_eq!(unsigned(text.as_bytes()), serde_json::from_str(&text).ok());
    }
}
