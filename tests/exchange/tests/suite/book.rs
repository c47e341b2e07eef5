//! Books: what the channels say must be the book that the exchange has.

use crate::support::{Client, Rebuilt, orderly};

#[tokio::test]
async fn a_rebuilt_book_equals_the_true_one() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let names = exchange.instruments();
    let channels: Vec<String> = names.iter().map(|name| format!("book.{name}.100ms")).collect();
    let granted = client.subscribe(&channels.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(granted.len(), names.len());

    let mut books = std::collections::BTreeMap::<String, Rebuilt>::new();
    let mut changes = 0;
    for count in 0.. {
        let frame = client.frame().await;
        let data = &frame["params"]["data"];
        let name = data["instrument_name"].as_str().unwrap().to_owned();
        assert!(books.entry(name).or_default().apply(data), "gap: {data}");
        changes += usize::from(data["type"] == "change");
        if count == 400 {
            exchange.freeze(true);
        }
        let truths: Vec<_> = names.iter().filter_map(|name| exchange.book(name)).collect();
        if count >= 400
            && truths.iter().all(|truth| books.get(&truth.instrument).is_some_and(|b| b.equals(truth)))
        {
            break;
        }
    }
    assert!(changes > 200, "{changes}");
}
