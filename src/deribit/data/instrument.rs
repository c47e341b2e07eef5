//! Instruments, combos and currencies.

use super::object::object;
use super::words::{ComboState, InstrumentState, InstrumentType, Kind, OptionType};

object! {
    /// An instrument, and the rules for orders on it: its methods round prices and amounts to them.
    Instrument {
        /// Its name, such as `BTC-PERPETUAL` or `BTC-27JUN25-100000-C`.
        instrument_name: String,
        /// Its number.
        instrument_id: Option<u64>,
        /// Its kind.
        kind: Kind,
        /// Linear or reversed.
        instrument_type: Option<InstrumentType>,
        /// The same for futures, by its old name.
        future_type: Option<InstrumentType>,
        /// Whether it trades, in a word.
        state: Option<InstrumentState>,
        /// Whether orders are taken now.
        is_active: Option<bool>,
        /// The currency that is traded.
        base_currency: String,
        /// The currency that prices are in.
        quote_currency: Option<String>,
        /// The other currency of the pair.
        counter_currency: Option<String>,
        /// The currency that it is settled in; none for spot.
        settlement_currency: Option<String>,
        /// How often it is settled: `perpetual`, `day`, `week`, `month`.
        settlement_period: Option<String>,
        /// The index it follows.
        price_index: Option<String>,
        /// The step of prices.
        tick_size: f64,
        /// Larger steps of higher prices.
        tick_size_steps: Vec<TickSizeStep>,
        /// The smallest amount of an order.
        min_trade_amount: f64,
        /// The amount of one contract. May be a fraction.
        contract_size: f64,
        /// When it was made.
        creation_timestamp: Option<u64>,
        /// When it expires; far away for perpetuals.
        expiration_timestamp: Option<u64>,
        /// Options: the strike.
        strike: Option<f64>,
        /// Options: call or put.
        option_type: Option<OptionType>,
        /// Futures: the largest leverage.
        max_leverage: Option<f64>,
        /// The maker's fee, as a fraction.
        maker_commission: Option<f64>,
        /// The taker's fee, as a fraction.
        taker_commission: Option<f64>,
        /// Futures: the largest fee of a liquidation, as a fraction.
        max_liquidation_commission: Option<f64>,
        /// The fee of block trades, as a fraction.
        block_trade_commission: Option<f64>,
        /// The step of prices in block trades.
        block_trade_tick_size: Option<f64>,
        /// The smallest amount of a block trade.
        block_trade_min_trade_amount: Option<f64>,
    }
}

object! {
    #[derive(Copy)]
    /// A larger step of higher prices.
    TickSizeStep {
        /// It is for prices above this one.
        above_price: f64,
        /// The step there.
        tick_size: f64,
    }
}

object! {
    /// The contract size of an instrument.
    ContractSize {
        /// The amount of one contract.
        contract_size: f64,
    }
}

object! {
    /// A message of `instrument.state.*`.
    InstrumentStateChange {
        /// The instrument.
        instrument_name: String,
        /// Its state from now on.
        state: InstrumentState,
        /// When it changed.
        timestamp: Option<u64>,
    }
}

object! {
    /// A combination of instruments that trades as one.
    Combo {
        /// Its name as an instrument.
        id: String,
        /// Its number as an instrument.
        instrument_id: Option<u64>,
        /// Whether it trades.
        state: Option<ComboState>,
        /// Since when it is in that state.
        state_timestamp: Option<u64>,
        /// When it was made.
        creation_timestamp: Option<u64>,
        /// Its parts.
        legs: Vec<ComboLeg>,
    }
}

object! {
    /// One part of a combo.
    ComboLeg {
        /// The instrument.
        instrument_name: String,
        /// How often it is in the combo; negative for the other direction.
        amount: i64,
    }
}

object! {
    /// A currency.
    Currency {
        /// Its abbreviation, such as `BTC`.
        currency: String,
        /// Its name.
        currency_long: Option<String>,
        /// What kind of chain it lives on, such as `BITCOIN`.
        coin_type: Option<String>,
        /// Its digits after the point.
        decimals: Option<u64>,
        /// Confirmations until a deposit counts.
        min_confirmations: Option<u64>,
        /// Whether it is a collateral of cross margin.
        in_cross_collateral_pool: Option<bool>,
        /// The fee of a withdrawal.
        withdrawal_fee: Option<f64>,
        /// The smallest fee of a withdrawal.
        min_withdrawal_fee: Option<f64>,
        /// Fees for withdrawals of other priorities.
        withdrawal_priorities: Vec<WithdrawalPriority>,
        /// The network's fee.
        network_fee: Option<f64>,
        /// What the network's fee is paid in.
        network_currency: Option<String>,
        /// Its yearly yield in percent, averaged over 7 days, for currencies that bear one.
        apr: Option<f64>,
    }
}

object! {
    /// How fast a withdrawal is, and what that costs.
    WithdrawalPriority {
        /// Its name, such as `very_high`.
        name: String,
        /// Its fee.
        value: f64,
    }
}

object! {
    /// The yield of a currency on one day.
    DailyApr {
        /// The day, counted from 1970.
        day: u64,
        /// Its yearly yield in percent.
        apr: f64,
    }
}

object! {
    /// A page of yields, the newest first.
    AprHistory {
        /// The days.
        data: Vec<DailyApr>,
        /// The day before which the next page begins.
        continuation: Option<u64>,
    }
}
