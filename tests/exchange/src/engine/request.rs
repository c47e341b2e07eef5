//! Reads the parameters of an order into a [`Ticket`], or says what is wrong with them.

use serde_json::{Map, Value};

use super::kinds::{Advanced, FillCondition, Kind, LinkType, TimeInForce, TriggerBy};
use super::order::{Ticket, Trigger};
use super::reject;
use crate::api::error::ApiError;
use crate::api::params;
use crate::market::Market;
use crate::market::book::Side;
use crate::market::instrument::Instrument;
use crate::market::quoted::Quoted;

type Params = Map<String, Value>;

const LONGEST_LABEL: usize = 64;
/// How many legs a linked order may have.
const MOST_LEGS: usize = 2;

/// Orders that come with another one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Linked {
    pub(crate) kind: LinkType,
    pub(crate) condition: FillCondition,
    pub(crate) legs: Vec<Ticket>,
}

/// An instrument that must exist, and its place in the market.
pub(crate) fn instrument<'a>(market: &'a Market, params: &Params) -> Result<(usize, &'a Quoted), ApiError> {
    let name = params::string(params, "instrument_name")?;
    let position = market.position(name).ok_or_else(ApiError::instrument_not_found)?;
    market.at(position).map(|quoted| (position, quoted)).ok_or_else(ApiError::instrument_not_found)
}

/// `private/buy` and `private/sell`.
pub(crate) fn order(
    market: &Market,
    side: Side,
    params: &Params,
) -> Result<(Ticket, Option<Linked>), ApiError> {
    let (position, quoted) = instrument(market, params)?;
    let ticket = ticket(position, quoted, side, params)?;
    Ok((ticket, linked(position, quoted, params)?))
}

fn ticket(position: usize, quoted: &Quoted, side: Side, params: &Params) -> Result<Ticket, ApiError> {
    let terms = &quoted.terms;
    let kind = word(params, "type", Kind::WORDS, Kind::parse)?.unwrap_or(Kind::Limit);
    let amount = amount(terms, params)?.ok_or_else(|| params::missing("amount"))?;
    let time_in_force = time_in_force(kind, params)?;
    let advanced = advanced(terms, params)?;
    let flag = |name| params::optional_bool(params, name).map(|flag| flag.unwrap_or(false));
    let ticket = Ticket {
        instrument: position,
        side,
        kind,
        price: price(quoted, kind, advanced, params)?,
        amount,
        label: label(params)?.unwrap_or_default(),
        time_in_force,
        post_only: flag("post_only")?,
        reject_post_only: flag("reject_post_only")?,
        reduce_only: flag("reduce_only")?,
        mmp: flag("mmp")?,
        display: display(terms, amount, params)?,
        trigger: trigger(quoted, kind, side, params)?,
        advanced: advanced
            .map(|kind| params::number(params, "price").map(|value| (kind, value)))
            .transpose()?,
    };
    check_combination(&ticket)?;
    Ok(ticket)
}

/// What cannot go together.
fn check_combination(ticket: &Ticket) -> Result<(), ApiError> {
    let patient = ticket.time_in_force == TimeInForce::GoodTilCancelled;
    if ticket.post_only && (!patient || !ticket.kind.has_price()) {
        return Err(reject::POST_ONLY_NOT_ALLOWED);
    }
    if ticket.post_only && ticket.advanced.is_some() {
        return Err(reject::NO_ADV_POST_ONLY);
    }
    if ticket.reject_post_only && !ticket.post_only {
        return Err(reject::UNSUPPORTED_COMBINATION);
    }
    if ticket.mmp && ticket.kind != Kind::Limit {
        return Err(reject::UNSUPPORTED_COMBINATION);
    }
    Ok(())
}

/// The label, when there is one.
pub(crate) fn label(params: &Params) -> Result<Option<String>, ApiError> {
    let label = params::optional_string(params, "label")?;
    if label.is_some_and(|label| label.chars().count() > LONGEST_LABEL) {
        return Err(ApiError::invalid_param("label", "must be at most 64 characters long"));
    }
    Ok(label.map(str::to_owned))
}

/// The amount in steps, from `amount`, from `contracts`, or from both when they agree.
pub(crate) fn amount(terms: &Instrument, params: &Params) -> Result<Option<i64>, ApiError> {
    let amount = params::optional_number(params, "amount")?;
    let contracts = params::optional_number(params, "contracts")?;
    let size = terms.contract_size.as_f64().unwrap_or(1.0);
    let from_contracts = contracts.map(|contracts| contracts * size);
    if contracts.is_some_and(|contracts| contracts.fract() != 0.0) {
        return Err(reject::NON_INTEGER_CONTRACTS);
    }
    if let (Some(amount), Some(other)) = (amount, from_contracts)
        && (amount - other).abs() > 1e-9 * amount.abs()
    {
        return Err(reject::INVALID_AMOUNT);
    }
    let Some(value) = amount.or(from_contracts) else { return Ok(None) };
    if value <= 0.0 {
        return Err(reject::INVALID_AMOUNT);
    }
    if value < terms.amount.step() * (1.0 - 1e-9) {
        return Err(reject::QTY_TOO_LOW);
    }
    terms.amount.whole(value).map(Some).ok_or(reject::INVALID_AMOUNT)
}

fn time_in_force(kind: Kind, params: &Params) -> Result<TimeInForce, ApiError> {
    let asked = word(params, "time_in_force", TimeInForce::WORDS, TimeInForce::parse)?;
    if asked.is_some_and(|asked| asked != TimeInForce::GoodTilCancelled) && !kind.has_price() {
        return Err(ApiError::invalid_param("time_in_force", "not allowed for this type of order"));
    }
    Ok(asked.unwrap_or(TimeInForce::GoodTilCancelled))
}

fn advanced(terms: &Instrument, params: &Params) -> Result<Option<Advanced>, ApiError> {
    let asked = word(params, "advanced", Advanced::WORDS, Advanced::parse)?;
    match asked {
        Some(_) if terms.option.is_none() => Err(reject::NO_ADV_FOR_FUTURES),
        Some(Advanced::Usd) if terms.linear => Err(reject::UNSUPPORTED_COMBINATION),
        asked => Ok(asked),
    }
}

/// The price in steps. In USD or as volatility it is turned into the nearest one of the book.
fn price(
    quoted: &Quoted,
    kind: Kind,
    advanced: Option<Advanced>,
    params: &Params,
) -> Result<Option<i64>, ApiError> {
    if !kind.has_price() {
        return Ok(None);
    }
    let value = params::number(params, "price")?;
    match advanced {
        Some(advanced) if value > 0.0 => Ok(Some(quoted.advanced_price(advanced, value))),
        _ => ticks(&quoted.terms, value).map(Some),
    }
}

/// A price that keeps to the ticks.
pub(crate) fn ticks(terms: &Instrument, value: f64) -> Result<i64, ApiError> {
    if value <= 0.0 {
        return Err(reject::INVALID_PRICE);
    }
    let steps = terms.price.whole(value).ok_or(reject::WRONG_TICK)?;
    if steps % terms.tick_at(steps as f64) != 0 {
        return Err(reject::WRONG_TICK);
    }
    Ok(steps)
}

/// What an iceberg shows: at least a hundred times the smallest amount and a hundredth of the whole.
pub(crate) fn display(terms: &Instrument, amount: i64, params: &Params) -> Result<Option<i64>, ApiError> {
    let Some(value) = params::optional_number(params, "display_amount")? else { return Ok(None) };
    let shown = terms.amount.whole(value).ok_or(reject::INVALID_DISPLAY)?;
    if shown >= amount && shown > 0 {
        return Ok(None);
    }
    if shown < 100 || shown < amount / 100 {
        return Err(reject::INVALID_DISPLAY);
    }
    Ok(Some(shown))
}

fn trigger(quoted: &Quoted, kind: Kind, side: Side, params: &Params) -> Result<Option<Trigger>, ApiError> {
    if !kind.is_trigger() {
        return Ok(None);
    }
    let terms = &quoted.terms;
    params::string(params, "trigger")?;
    let by = word(params, "trigger", TriggerBy::WORDS, TriggerBy::parse)?.unwrap_or(TriggerBy::Index);
    let reference = terms.price.steps(quoted.watched(by));
    // Stops follow the market and takes go against it: one buys into a rise, the other into a fall.
    let rising = (side == Side::Bid) != kind.is_take();
    if kind == Kind::TrailingStop {
        let offset = params::number(params, "trigger_offset")?;
        if offset <= 0.0 {
            return Err(reject::INVALID_TRIGGER);
        }
        let offset = terms.price.steps(offset);
        let price = if rising { reference + offset } else { reference - offset };
        return Ok(Some(Trigger { by, price, offset: Some(offset), reference, rising, fired: false }));
    }
    let price = trigger_price(terms, params::number(params, "trigger_price")?)?;
    Ok(Some(Trigger { by, price, offset: None, reference, rising, fired: false }))
}

/// A price that a trigger may wait for.
pub(crate) fn trigger_price(terms: &Instrument, value: f64) -> Result<f64, ApiError> {
    if value <= 0.0 {
        return Err(reject::INVALID_TRIGGER);
    }
    // Those of options are prices of the index, with other ticks.
    match terms.price.whole(value) {
        Some(steps) => Ok(steps as f64),
        None if terms.option.is_some() => Ok(terms.price.steps(value)),
        None => Err(reject::TRIGGER_WRONG_TICK),
    }
}

fn linked(position: usize, quoted: &Quoted, params: &Params) -> Result<Option<Linked>, ApiError> {
    let Some(kind) = word(params, "linked_order_type", LinkType::WORDS, LinkType::parse)? else {
        return if params.contains_key("otoco_config") {
            Err(reject::UNSUPPORTED_COMBINATION)
        } else {
            Ok(None)
        };
    };
    let condition = word(params, "trigger_fill_condition", FillCondition::WORDS, FillCondition::parse)?;
    let legs = legs(params)?;
    let fits = match kind {
        LinkType::Oto => (1..=MOST_LEGS).contains(&legs.len()),
        LinkType::Oco => legs.len() == 1,
        LinkType::Otoco => legs.len() == 2,
    };
    if !fits {
        return Err(ApiError::invalid_param("otoco_config", "wrong number of orders"));
    }
    let leg = |params: &Params| {
        let side = match params::string(params, "direction")? {
            "buy" => Side::Bid,
            "sell" => Side::Ask,
            _ => return Err(ApiError::invalid_param("direction", "unsupported value")),
        };
        ticket(position, quoted, side, params)
    };
    let legs = legs.iter().map(leg).collect::<Result<_, _>>()?;
    Ok(Some(Linked { kind, condition: condition.unwrap_or(FillCondition::FirstHit), legs }))
}

/// The list of linked orders: a list, or the text of one as the schema has it.
fn legs(params: &Params) -> Result<Vec<Params>, ApiError> {
    let wrong = || ApiError::invalid_param("otoco_config", "must be a list of orders");
    let value = match params.get("otoco_config") {
        None => return Err(params::missing("otoco_config")),
        Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| wrong())?,
        Some(value) => value.clone(),
    };
    let Value::Array(items) = value else { return Err(wrong()) };
    let object = |item| match item {
        Value::Object(members) => Ok(members),
        _ => Err(wrong()),
    };
    items.into_iter().map(object).collect()
}

/// One of the words of an enum.
pub(crate) fn word<T>(
    params: &Params,
    name: &str,
    words: &[&str],
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    Ok(params::one_of(params, name, words)?.and_then(parse))
}
