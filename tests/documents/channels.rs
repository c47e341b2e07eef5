//! The channels of the AsyncAPI document.

use serde_json::Value;
use steadysocket::deribit::{Channel, topics};

use crate::{RoundTrip, differences, document, round_trip};

/// What a channel's data is decoded as. The topic says so: it has the same type.
fn of<T: serde::de::DeserializeOwned + serde::Serialize>(_: topics::Topic<T>) -> RoundTrip {
    round_trip::<T>
}

fn typed(channel: Channel) -> Option<RoundTrip> {
    Some(match channel {
        Channel::Book { instrument, interval } => of(topics::book(instrument, interval)),
        Channel::GroupedBook { instrument, group, depth, interval } => {
            of(topics::grouped_book(instrument, group, depth, interval))
        }
        Channel::Ticker { instrument, interval } => of(topics::ticker(instrument, interval)),
        Channel::IncrementalTicker { instrument } => of(topics::incremental_ticker(instrument)),
        Channel::Quote { instrument } => of(topics::quote(instrument)),
        Channel::Trades { scope, interval } => of(topics::trades(scope, interval)),
        Channel::Chart { instrument, resolution } => of(topics::chart(instrument, resolution)),
        Channel::Perpetual { instrument, interval } => of(topics::perpetual(instrument, interval)),
        Channel::PriceIndex { index } => of(topics::price_index(index)),
        Channel::PriceRanking { index } => of(topics::price_ranking(index)),
        Channel::PriceStatistics { index } => of(topics::price_statistics(index)),
        Channel::VolatilityIndex { index } => of(topics::volatility_index(index)),
        Channel::OptionMarkPrices { index } => of(topics::option_mark_prices(index)),
        Channel::EstimatedExpirationPrice { index } => of(topics::estimated_expiration_price(index)),
        Channel::InstrumentState { kind, currency } => of(topics::instrument_state(kind, currency)),
        Channel::InstrumentCreation { kind, currency } => of(topics::instrument_creation(kind, currency)),
        Channel::PlatformState => of(topics::platform_state()),
        Channel::PublicMethodsState => of(topics::public_methods_state()),
        Channel::Announcements => of(topics::announcements()),
        Channel::BlockRfqTrades { currency } => of(topics::block_rfq_trades(currency)),
        Channel::BlockRfqMaker { currency } => of(topics::block_rfq_maker(currency)),
        Channel::BlockRfqMakerQuotes { currency } => of(topics::block_rfq_maker_quotes(currency)),
        Channel::BlockRfqTaker { currency } => of(topics::block_rfq_taker(currency)),
        Channel::BlockTradeConfirmations { currency } => of(topics::block_trade_confirmations(currency)),
        Channel::UserOrders { scope, interval } => of(topics::user_orders(scope, interval)),
        Channel::UserTrades { scope, interval } => of(topics::user_trades(scope, interval)),
        Channel::UserComboTrades { scope, interval } => of(topics::user_combo_trades(scope, interval)),
        Channel::UserChanges { scope, interval } => of(topics::user_changes(scope, interval)),
        Channel::UserPortfolio { currency } => of(topics::user_portfolio(currency)),
        Channel::UserMmpTrigger { index } => of(topics::user_mmp_trigger(index)),
        Channel::UserAccessLog => of(topics::user_access_log()),
        Channel::UserLock => of(topics::user_lock()),
        _ => return None,
    })
}

/// `book.(instrument_name).(interval)` with an example for each part.
fn example_name(name: &str, description: &Value) -> String {
    let mut name = name.to_owned();
    for (parameter, description) in description["parameters"].as_object().unwrap() {
        let example = description["examples"][0].as_str().unwrap();
        name = name.replace(&format!("({parameter})"), example);
    }
    name
}

#[test]
fn every_channel_has_a_type_and_its_examples_decode() {
    let Some(document) = document("deribit_asyncapi.json") else { return };
    let (mut channels, mut checked, mut failed) = (0, 0, Vec::new());
    for (name, description) in document["channels"].as_object().unwrap() {
        channels += 1;
        let channel = Channel::from(&*example_name(name, description));
        let Some(round_trip) = typed(channel) else {
            failed.push(format!("{name} has no type"));
            continue;
        };
        let examples = description["messages"]["subscription_message"]["examples"].as_array();
        for example in examples.into_iter().flatten().map(|example| &example["payload"]) {
            checked += 1;
            match round_trip(example) {
                Ok(written) => differences(example, &written, name, &mut failed),
                Err(error) => failed.push(format!("{name}: {error}: {example}")),
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!((channels, checked), (39, 39));
}
