//! Public trades, bars, and everything else that looks back.

use serde_json::{Map, Value, json};

use super::data::with_instrument;
use super::page::{Page, Place};
use super::session::Session;
use super::{orders, page, user_trades};
use crate::api::error::ApiError;
use crate::api::filters;
use crate::api::params;
use crate::market::calendar::DAY_MS;
use crate::market::chart;
use crate::market::instrument::Instrument;
use crate::market::quoted::{Quoted, Trade};

type Params = Map<String, Value>;

const HOUR_MS: i64 = 3_600_000;
/// Hours of funding in one answer.
const MOST_HOURS: i64 = 744;

/// `public/get_last_trades_by_instrument`, with or without a time.
pub(crate) fn trades_by_instrument(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let name = orders::instrument(session, params)?;
    trades(session, params, |terms| terms.name == name)
}

/// `public/get_last_trades_by_currency`, with or without a time.
pub(crate) fn trades_by_currency(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let currency = filters::currency(params)?;
    let of_kind = filters::of_kind(params)?;
    trades(session, params, |terms| terms.pool == currency && of_kind(terms))
}

/// The same where both times must be given.
pub(crate) fn with_time(
    session: &Session,
    params: &Params,
    list: fn(&Session, &Params) -> Result<Value, ApiError>,
) -> Result<Value, ApiError> {
    user_trades::with_time(params)?;
    list(session, params)
}

fn trades(session: &Session, params: &Params, fits: impl Fn(&Instrument) -> bool) -> Result<Value, ApiError> {
    let page = Page::read(params)?;
    let floor = session.state.floor();
    let fitting = floor.engine.market.instruments().iter().filter(|quoted| fits(&quoted.terms));
    let all = fitting.flat_map(|quoted| quoted.trades.iter().map(move |trade| (quoted, trade)));
    let place =
        |(_, trade): &(&Quoted, &Trade)| Place { ms: trade.ms, seq: trade.seq, number: trade.number() };
    Ok(page.of(all, place, |(quoted, trade)| quoted.trade(trade)))
}

/// `public/get_tradingview_chart_data`.
pub(crate) fn chart_data(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let (from, to) = span(params)?;
    let word = resolution_word(params)?;
    let length =
        chart::resolution(&word).ok_or_else(|| ApiError::invalid_param("resolution", "unsupported value"))?;
    let now = session.state.clock.millis();
    with_instrument(session, params, |quoted| quoted.chart.bars(from, to.min(now), length))
}

/// `public/get_volatility_index_data`.
pub(crate) fn volatility_data(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let (from, to) = span(params)?;
    let seconds = match resolution_word(params)?.as_str() {
        "1D" => 86_400,
        word @ ("1" | "60" | "3600" | "43200") => word.parse().unwrap_or(60),
        _ => return Err(ApiError::invalid_param("resolution", "unsupported value")),
    };
    let index = format!("{}_usd", filters::currency(params)?.to_lowercase());
    let to = to.min(session.state.clock.millis());
    let floor = session.state.floor();
    let bars = floor.engine.market.volatility_bars(&index, (from, to), seconds * 1_000);
    let more = bars.first().is_some_and(|bar| bar[0] as i64 > from + seconds * 1_000);
    let continuation = bars.first().filter(|_| more).map(|bar| bar[0] as i64);
    let row = |bar: &[f64; 5]| json!([bar[0] as i64, bar[1], bar[2], bar[3], bar[4]]);
    Ok(json!({ "data": bars.iter().map(row).collect::<Vec<_>>(), "continuation": continuation }))
}

/// `public/get_historical_volatility`.
pub(crate) fn volatility(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let index = format!("{}_usd", filters::currency(params)?.to_lowercase());
    let floor = session.state.floor();
    Ok(json!(floor.engine.market.historical_volatility(&index, session.state.clock.millis())))
}

/// `public/get_mark_price_history`: as much as is kept, for options only.
pub(crate) fn marks(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let (from, to) = span(params)?;
    with_instrument(session, params, |quoted| {
        let kept = quoted.marks.iter().filter(|(ms, _)| (from..=to).contains(ms));
        kept.map(|(ms, mark)| json!([ms, mark])).collect()
    })
}

/// `public/get_funding_rate_history`.
pub(crate) fn funding_history(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let hours = funding_hours(session, params)?;
    let row = |(ms, rate, (before, after)): (i64, f64, (f64, f64))| {
        json!({
            "timestamp": ms, "index_price": after, "prev_index_price": before, "interest_1h": rate,
            "interest_8h": rate * 8.0,
        })
    };
    Ok(hours.into_iter().map(row).collect())
}

/// `public/get_funding_rate_value`.
pub(crate) fn funding_value(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let hours = funding_hours(session, params)?;
    Ok(json!(hours.iter().map(|(_, rate, _)| rate).sum::<f64>()))
}

/// `public/get_funding_chart_data`.
pub(crate) fn funding_chart(session: &Session, params: &Params) -> Result<Value, ApiError> {
    params::string(params, "length")?;
    let hours = match params::one_of(params, "length", &["8h", "24h", "1m"])? {
        Some("8h") => 8,
        Some("24h") => 24,
        _ => 720,
    };
    let now = session.state.clock.millis();
    let rows = funding_between(session, params, (now - hours * HOUR_MS, now))?;
    let last = rows.last().map_or(0.0, |(_, rate, _)| *rate);
    let data = rows.iter().map(
        |(ms, rate, (_, after))| json!({ "timestamp": ms, "index_price": after, "interest_8h": rate * 8.0 }),
    );
    Ok(json!({ "current_interest": last, "interest_8h": last * 8.0, "data": data.collect::<Vec<_>>() }))
}

type Hour = (i64, f64, (f64, f64));

fn funding_hours(session: &Session, params: &Params) -> Result<Vec<Hour>, ApiError> {
    funding_between(session, params, span(params)?)
}

fn funding_between(
    session: &Session,
    params: &Params,
    (from, to): (i64, i64),
) -> Result<Vec<Hour>, ApiError> {
    let name = orders::instrument(session, params)?;
    let floor = session.state.floor();
    let market = &floor.engine.market;
    let perpetual = market.instrument(name).filter(|quoted| quoted.terms.is_perpetual());
    let index = perpetual.map(|quoted| quoted.terms.index);
    let index = index.ok_or_else(|| ApiError::invalid_param("instrument_name", "not a perpetual"))?;
    let last = to.min(session.state.clock.millis()).div_euclid(HOUR_MS);
    let first = (from + HOUR_MS - 1).div_euclid(HOUR_MS).max(last - MOST_HOURS + 1);
    let hour = |number: i64| {
        let (rate, span) = market.funding(index, number * HOUR_MS)?;
        Some((number * HOUR_MS, rate, (cents(span.open), cents(span.close))))
    };
    Ok((first..=last).filter_map(hour).collect())
}

/// `public/get_delivery_prices`.
pub(crate) fn delivery_prices(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let name = params::string(params, "index_name")?;
    let count = page::count(params, 10, 1_000)?;
    let offset =
        usize::try_from(params::optional_integer(params, "offset")?.unwrap_or(0)).unwrap_or(usize::MAX);
    let floor = session.state.floor();
    let prices = floor.engine.market.delivery_prices(name, session.state.clock.millis());
    let prices = prices.ok_or_else(|| ApiError::invalid_param("index_name", "unsupported value"))?;
    let row = |(date, price): &(String, f64)| json!({ "date": date, "delivery_price": price });
    let data: Vec<Value> = prices.iter().skip(offset).take(count).map(row).collect();
    Ok(json!({ "data": data, "records_total": prices.len() }))
}

/// `public/get_trade_volumes`.
pub(crate) fn volumes(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let extended = params::optional_bool(params, "extended")?.unwrap_or(false);
    let floor = session.state.floor();
    let volume = |currency: &str, fits: fn(&Instrument) -> bool| -> f64 {
        let all = floor.engine.market.instruments().iter();
        all.filter(|q| q.terms.pool == currency && fits(&q.terms)).map(|q| q.day.volume).sum()
    };
    let row = |currency: &str| {
        let (futures, calls, puts) = (
            volume(currency, |terms| terms.option.is_none()),
            volume(currency, |terms| terms.option.is_some_and(|option| option.call)),
            volume(currency, |terms| terms.option.is_some_and(|option| !option.call)),
        );
        let mut row = json!({
            "currency": currency, "futures_volume": futures, "calls_volume": calls, "puts_volume": puts,
            "spot_volume": 0.0,
        });
        if extended {
            for days in ["7d", "30d"] {
                row[format!("futures_volume_{days}")] = json!(futures);
                row[format!("calls_volume_{days}")] = json!(calls);
                row[format!("puts_volume_{days}")] = json!(puts);
                row[format!("spot_volume_{days}")] = json!(0.0);
            }
        }
        row
    };
    Ok(["BTC", "ETH", "USDC"].into_iter().map(row).collect())
}

fn span(params: &Params) -> Result<(i64, i64), ApiError> {
    let (from, to) = (params::integer(params, "start_timestamp")?, params::integer(params, "end_timestamp")?);
    // A calendar that is read further back or ahead than a century is a mistake.
    let sane = |ms: i64| (0..=100 * 366 * DAY_MS).contains(&ms);
    if from > to || !sane(from) || !sane(to) {
        return Err(ApiError::invalid_param("start_timestamp", "out of range"));
    }
    Ok((from, to))
}

/// A resolution, as text or as a number.
fn resolution_word(params: &Params) -> Result<String, ApiError> {
    match params.get("resolution") {
        Some(Value::String(word)) => Ok(word.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(_) => Err(ApiError::invalid_param("resolution", "must be a string")),
        None => Err(params::missing("resolution")),
    }
}

fn cents(price: f64) -> f64 {
    (price * 100.0).round() / 100.0
}
