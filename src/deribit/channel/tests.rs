use super::*;
use proptest::prelude::*;

/// The address of every channel in the venue's AsyncAPI document, filled in, and those that are only in its
/// articles.
const KNOWN: [(&str, Access); 52] = [
    ("platform_state", Access::Public),
    ("platform_state.public_methods_state", Access::Public),
    ("announcements", Access::Public),
    ("book.BTC-PERPETUAL.100ms", Access::Public),
    ("book.NVDA_USDC-PERPETUAL.agg2", Access::Public),
    ("book.BTC-PERPETUAL.raw", Access::Raw),
    ("book.BTC-PERPETUAL.none.20.100ms", Access::Public),
    ("book.ETH-PERPETUAL.10.1.agg2", Access::Public),
    ("book.ETH-PERPETUAL.10.1.raw", Access::Raw),
    ("ticker.BTC-PERPETUAL.100ms", Access::Public),
    ("ticker.XRP_USDC-30JUN23-0d625-C.raw", Access::Raw),
    ("incremental_ticker.BTC-PERPETUAL", Access::Public),
    ("perpetual.BTC-PERPETUAL.agg2", Access::Public),
    ("perpetual.BTC-PERPETUAL.raw", Access::Raw),
    ("quote.BTC-PERPETUAL", Access::Public),
    ("trades.BTC-PERPETUAL.100ms", Access::Public),
    ("trades.BTC-PERPETUAL.raw", Access::Raw),
    ("trades.option.any.agg2", Access::Public),
    ("trades.any.any.raw", Access::Raw),
    ("chart.trades.BTC-PERPETUAL.1D", Access::Public),
    ("deribit_price_index.btc_usd", Access::Public),
    ("deribit_price_ranking.btc_usd", Access::Public),
    ("deribit_price_statistics.sol_usdc", Access::Public),
    ("deribit_volatility_index.btc_usd", Access::Public),
    ("markprice.options.btc_usd", Access::Public),
    ("estimated_expiration_price.btc_usd", Access::Public),
    ("instrument.state.any.any", Access::Public),
    ("instrument.creation.future_combo.BTC", Access::Public),
    ("block_rfq.trades.BTC", Access::Public),
    ("block_rfq.trades.any", Access::Public),
    ("block_rfq.maker.BTC", Access::Private),
    ("block_rfq.maker.quotes.BTC", Access::Private),
    ("block_rfq.taker.any", Access::Private),
    ("block_trade_confirmations", Access::Private),
    ("block_trade_confirmations.BTC", Access::Private),
    ("user.orders.BTC-PERPETUAL.raw", Access::Private),
    ("user.orders.BTC-PERPETUAL.100ms", Access::Private),
    ("user.orders.any.any.raw", Access::Private),
    ("user.orders.future.BTC.agg2", Access::Private),
    ("user.trades.BTC-PERPETUAL.raw", Access::Private),
    ("user.trades.option.USDC.100ms", Access::Private),
    ("user.combo_trades.BTC-FS-1DEC25_PERP.raw", Access::Private),
    ("user.combo_trades.future_combo.BTC.raw", Access::Private),
    ("user.changes.BTC-PERPETUAL.raw", Access::Private),
    ("user.changes.any.any.100ms", Access::Private),
    ("user.portfolio.any", Access::Private),
    ("user.mmp_trigger.btc_usd", Access::Private),
    ("user.access_log", Access::Private),
    ("user.lock", Access::Private),
    ("user.liquidation", Access::Private),
    ("user.isolated.liquidation", Access::Private),
    ("user.lsp", Access::Private),
];

#[test]
fn every_documented_name_is_understood() {
    for (name, access) in KNOWN {
        let channel = Channel::from(name);
        assert!(!matches!(channel, Channel::Other(_)), "{name}");
        assert_eq!(channel.to_string(), name);
        assert_eq!(channel.access(), access, "{name}");
    }
}

#[test]
fn what_is_not_understood_keeps_its_letters() {
    for name in [
        "",
        ".",
        "book",
        "book.",
        "book.X",
        "book.X.1s",
        "book..raw",
        "book.X.none.020.raw",
        "book.X.none.10.1s",
        "book.X.none.70000.raw",
        "book.X.a.b",
        "ticker.X",
        "trades.X",
        "trades.raw",
        "trades.a.b.c.raw",
        "chart.trades.X",
        "user",
        "user.",
        "user.orders.raw",
        "user.orders.X.50ms",
        "user.new.X.raw",
        "QUOTE.X",
        "quote.X.100ms",
        " quote.X",
        "unheard.of",
        "quote.X.",
        "book.X.none.+1.raw",
    ] {
        assert_eq!(Channel::from(name), Channel::Other(name.to_owned()));
    }
    assert_eq!(Access::of("new_family.X.raw"), Access::Raw);
    assert_eq!(Access::of("user.new.X"), Access::Private);
}

fn part() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_-]{1,12}"
}

fn interval() -> impl Strategy<Value = Interval> {
    prop::sample::select(vec![Interval::Raw, Interval::Ms100, Interval::Agg2])
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![part().prop_map(Scope::instrument), (part(), part()).prop_map(|(k, c)| Scope::market(k, c))]
}

fn channel() -> impl Strategy<Value = Channel> {
    use Channel as C;
    prop_oneof![
        (part(), interval()).prop_map(|(instrument, interval)| C::Book { instrument, interval }),
        (part(), part(), any::<u16>(), interval()).prop_map(|(instrument, group, depth, interval)| {
            C::GroupedBook { instrument, group, depth, interval }
        }),
        (part(), interval()).prop_map(|(instrument, interval)| C::Ticker { instrument, interval }),
        (part(), interval()).prop_map(|(instrument, interval)| C::Perpetual { instrument, interval }),
        part().prop_map(|instrument| C::Quote { instrument }),
        part().prop_map(|instrument| C::IncrementalTicker { instrument }),
        (scope(), interval()).prop_map(|(scope, interval)| C::Trades { scope, interval }),
        (part(), part()).prop_map(|(instrument, resolution)| C::Chart { instrument, resolution }),
        part().prop_map(|index| C::PriceIndex { index }),
        part().prop_map(|index| C::PriceRanking { index }),
        part().prop_map(|index| C::PriceStatistics { index }),
        part().prop_map(|index| C::VolatilityIndex { index }),
        part().prop_map(|index| C::OptionMarkPrices { index }),
        part().prop_map(|index| C::EstimatedExpirationPrice { index }),
        (part(), part()).prop_map(|(kind, currency)| C::InstrumentState { kind, currency }),
        (part(), part()).prop_map(|(kind, currency)| C::InstrumentCreation { kind, currency }),
        part().prop_map(|currency| C::BlockRfqTrades { currency }),
        part().prop_map(|currency| C::BlockRfqMaker { currency }),
        part().prop_map(|currency| C::BlockRfqMakerQuotes { currency }),
        part().prop_map(|currency| C::BlockRfqTaker { currency }),
        prop::option::of(part()).prop_map(|currency| C::BlockTradeConfirmations { currency }),
        (scope(), interval()).prop_map(|(scope, interval)| C::UserOrders { scope, interval }),
        (scope(), interval()).prop_map(|(scope, interval)| C::UserTrades { scope, interval }),
        (scope(), interval()).prop_map(|(scope, interval)| C::UserComboTrades { scope, interval }),
        (scope(), interval()).prop_map(|(scope, interval)| C::UserChanges { scope, interval }),
        part().prop_map(|currency| C::UserPortfolio { currency }),
        part().prop_map(|index| C::UserMmpTrigger { index }),
    ]
}

/// Texts that are close to names.
fn near_name() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "book",
        "ticker",
        "trades",
        "user",
        "orders",
        "block_rfq",
        "maker",
        "quotes",
        "raw",
        "100ms",
        "agg2",
        "none",
        "10",
        "007",
        "",
        "BTC-PERPETUAL",
        "any",
        "platform_state",
        "chart",
        "RAW",
    ]);
    prop::collection::vec(word, 0..7).prop_map(|words| words.join("."))
}

proptest! {
    #[test]
    fn any_text_round_trips(name in any::<String>(), near in near_name()) {
        prop_assert_eq!(Channel::from(&*name).to_string(), name);
        prop_assert_eq!(Channel::from(&*near).to_string(), near);
    }

    #[test]
    fn any_channel_round_trips(channel in channel()) {
        prop_assert_eq!(Channel::from(&*channel.to_string()), channel);
    }
}
