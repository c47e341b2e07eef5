//! Which instruments this exchange lists.

use serde_json::json;

use super::calendar::{DAY_MS, code, friday_after, quarter_after};
use super::instrument::{Grid, Instrument, NEVER_MS, OptionTerms, Temper};

/// An index and where it starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IndexSeed {
    pub(crate) name: &'static str,
    pub(crate) price: f64,
    /// Volatility of a year, as a fraction.
    pub(crate) volatility: f64,
}

/// The indices that the instruments follow.
pub(crate) const INDICES: [IndexSeed; 5] = [
    IndexSeed { name: "btc_usd", price: 60_000.0, volatility: 0.5 },
    IndexSeed { name: "eth_usd", price: 3_000.0, volatility: 0.65 },
    IndexSeed { name: "btc_usdc", price: 60_000.0, volatility: 0.5 },
    IndexSeed { name: "sol_usdc", price: 150.0, volatility: 0.9 },
    IndexSeed { name: "xrp_usdc", price: 0.62, volatility: 0.9 },
];

/// Everything that is listed at `now_ms`.
pub(crate) fn listing(now_ms: i64) -> Vec<Instrument> {
    let week = friday_after(now_ms, 2);
    let quarter = quarter_after(now_ms, 14);
    let mut list = perpetuals();
    list.extend(dated_futures(quarter));
    list.extend(options(week, quarter));
    list.push(spot());
    for (instrument, id) in list.iter_mut().zip(124_972..) {
        instrument.id = id;
        if instrument.expires_ms != NEVER_MS {
            instrument.created_ms = now_ms - now_ms.rem_euclid(DAY_MS) - 30 * DAY_MS;
        }
    }
    list
}

fn perpetuals() -> Vec<Instrument> {
    let quick = |activity, size| Temper { activity, depth: 30, size, basis: 0.0002, hollow: false };
    vec![
        Instrument { temper: quick(3.0, 400), ..inverse("BTC-PERPETUAL", NEVER_MS, Grid::new(1, 2), 10) },
        Instrument { temper: quick(2.5, 8_000), ..inverse("ETH-PERPETUAL", NEVER_MS, Grid::new(1, 20), 1) },
        Instrument {
            temper: quick(1.5, 3_000),
            ..linear("BTC_USDC-PERPETUAL", "BTC", "btc_usdc", Grid::new(1, 2), Grid::new(1, 10_000))
        },
        Instrument {
            temper: quick(1.0, 500),
            ..linear("SOL_USDC-PERPETUAL", "SOL", "sol_usdc", Grid::new(1, 100), Grid::new(1, 10))
        },
    ]
}

fn spot() -> Instrument {
    Instrument {
        spot: true,
        temper: Temper { activity: 1.0, depth: 30, size: 3_000, basis: 0.0, hollow: false },
        ..linear("BTC_USDC", "BTC", "btc_usdc", Grid::new(1, 1), Grid::new(1, 10_000))
    }
}

fn dated_futures(quarter: i64) -> Vec<Instrument> {
    let calm = |activity, size| Temper { activity, depth: 20, size, basis: 0.012, hollow: false };
    let date = code(quarter);
    vec![
        Instrument {
            temper: calm(0.5, 300),
            ..inverse(&format!("BTC-{date}"), quarter, Grid::new(5, 2), 10)
        },
        Instrument {
            temper: calm(0.4, 5_000),
            ..inverse(&format!("ETH-{date}"), quarter, Grid::new(1, 4), 1)
        },
    ]
}

fn options(week: i64, quarter: i64) -> Vec<Instrument> {
    let (near, far) = (code(week), code(quarter));
    let terms = |strike, call, volatility| OptionTerms { strike, call, volatility };
    let thin = |activity, hollow| Temper { activity, depth: 8, size: 40, basis: 0.0, hollow };
    let usdc = Instrument {
        price: Grid::new(1, 10_000),
        option: Some(terms(0.625, true, 0.95)),
        ..linear(&format!("XRP_USDC-{far}-0d625-C"), "XRP", "xrp_usdc", Grid::new(1, 1), Grid::new(1_000, 1))
    };
    vec![
        option(&format!("BTC-{near}-60000-C"), week, terms(60_000.0, true, 0.52), thin(0.3, false)),
        option(&format!("BTC-{near}-60000-P"), week, terms(60_000.0, false, 0.54), thin(0.3, false)),
        option(&format!("ETH-{near}-3200-C"), week, terms(3_200.0, true, 0.68), thin(0.2, true)),
        // A book that hardly ever moves: silence on its channel is not a dead socket.
        option(&format!("BTC-{far}-90000-C"), quarter, terms(90_000.0, true, 0.6), thin(0.001, false)),
        Instrument {
            expires_ms: quarter,
            period: "month",
            contract_size: json!(1000),
            temper: Temper { size: 5, ..thin(0.1, false) },
            ..usdc
        },
    ]
}

fn inverse(name: &str, expires_ms: i64, price: Grid, contract: i64) -> Instrument {
    let base = if name.starts_with("BTC") { "BTC" } else { "ETH" };
    Instrument {
        name: name.into(),
        id: 0,
        pool: base,
        base,
        quote: "USD",
        counter: "USD",
        index: if base == "BTC" { "btc_usd" } else { "eth_usd" },
        linear: false,
        period: if expires_ms == NEVER_MS { "perpetual" } else { "month" },
        created_ms: 1_534_167_754_000,
        expires_ms,
        price,
        amount: Grid::new(contract, 1),
        coarse: None,
        contract_size: json!(contract),
        option: None,
        spot: false,
        temper: Temper { activity: 1.0, depth: 20, size: 100, basis: 0.0, hollow: false },
    }
}

fn linear(name: &str, base: &'static str, index: &'static str, price: Grid, amount: Grid) -> Instrument {
    Instrument {
        pool: "USDC",
        base,
        quote: "USDC",
        counter: "USDC",
        index,
        linear: true,
        amount,
        contract_size: json!(amount.step()),
        ..inverse(name, NEVER_MS, price, 1)
    }
}

fn option(name: &str, expires_ms: i64, terms: OptionTerms, temper: Temper) -> Instrument {
    let base = inverse(name, expires_ms, Grid::new(1, 10_000), 1);
    let tenth = base.base == "BTC";
    Instrument {
        quote: base.base,
        period: "week",
        amount: if tenth { Grid::new(1, 10) } else { Grid::new(1, 1) },
        // 0.0005 above a price of 0.005.
        coarse: Some((50, 5)),
        contract_size: json!(1),
        option: Some(terms),
        temper,
        ..base
    }
}
