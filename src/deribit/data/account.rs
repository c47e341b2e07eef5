//! Positions, balances, margins and limits of the account.

use std::collections::BTreeMap;

use super::object::object;
use super::order::Order;
use super::trade::UserTrade;
use super::words::{Kind, PositionDirection};

object! {
    /// A position.
    Position {
        /// The instrument.
        instrument_name: String,
        /// Its kind.
        kind: Option<Kind>,
        /// Long, short or none.
        direction: PositionDirection,
        /// The size, negative when short: in the quote currency for futures, in the base currency for options.
        size: f64,
        /// Futures: the size in the base currency.
        size_currency: Option<f64>,
        /// The average price of the trades that built it.
        average_price: Option<f64>,
        /// Options: that price in US dollars.
        average_price_usd: Option<f64>,
        /// The mark price.
        mark_price: Option<f64>,
        /// The index.
        index_price: Option<f64>,
        /// The price of the last settlement; 0 before the first.
        settlement_price: Option<f64>,
        /// The profit that is not realised.
        floating_profit_loss: Option<f64>,
        /// Options: that profit in US dollars.
        floating_profit_loss_usd: Option<f64>,
        /// The profit that is realised.
        realized_profit_loss: Option<f64>,
        /// The profit in all.
        total_profit_loss: Option<f64>,
        /// The initial margin.
        initial_margin: Option<f64>,
        /// The maintenance margin.
        maintenance_margin: Option<f64>,
        /// The margin of open orders.
        open_orders_margin: Option<f64>,
        /// Futures: the leverage.
        leverage: Option<f64>,
        /// The estimated price of a liquidation, for the margin model `segregated_sm`.
        estimated_liquidation_price: Option<f64>,
        /// The position's delta, in the base currency.
        delta: Option<f64>,
        /// Options: the position's gamma.
        gamma: Option<f64>,
        /// Options: the position's vega.
        vega: Option<f64>,
        /// Options: the position's theta.
        theta: Option<f64>,
        /// Perpetuals: funding realised in this session.
        realized_funding: Option<f64>,
        /// Perpetuals: the value from which realised funding is computed.
        interest_value: Option<f64>,
        /// Whose it is.
        user_id: Option<u64>,
    }
}

object! {
    /// A message of `user.changes.*`: what one change did to the account.
    UserChanges {
        /// The instrument.
        instrument_name: String,
        /// New trades.
        trades: Vec<UserTrade>,
        /// Positions as they are now.
        positions: Vec<Position>,
        /// Orders as they are now.
        orders: Vec<Order>,
    }
}

object! {
    /// The account in one currency: a message of `user.portfolio.*`, and what a summary answers. With cross margin,
    /// margins and funds are those of all currencies together, so they are not to be added up.
    AccountSummary {
        /// The currency.
        currency: String,
        /// What the account is worth.
        equity: Option<f64>,
        /// The cash.
        balance: Option<f64>,
        /// What margins may use.
        margin_balance: Option<f64>,
        /// What new orders may use.
        available_funds: Option<f64>,
        /// What may be withdrawn.
        available_withdrawal_funds: Option<f64>,
        /// The initial margin.
        initial_margin: Option<f64>,
        /// The maintenance margin.
        maintenance_margin: Option<f64>,
        /// The initial margin after the next expiry.
        projected_initial_margin: Option<f64>,
        /// The maintenance margin after the next expiry.
        projected_maintenance_margin: Option<f64>,
        /// Reserved for spot orders.
        spot_reserve: Option<f64>,
        /// Reserved for other orders.
        additional_reserve: Option<f64>,
        /// Locked.
        locked_balance: Option<f64>,
        /// Set aside for fees.
        fee_balance: Option<f64>,
        /// The profit.
        total_pl: Option<f64>,
        /// The session's realised profit.
        session_rpl: Option<f64>,
        /// The session's unrealised profit.
        session_upl: Option<f64>,
        /// The profit of futures.
        futures_pl: Option<f64>,
        /// The session's realised profit of futures.
        futures_session_rpl: Option<f64>,
        /// The session's unrealised profit of futures.
        futures_session_upl: Option<f64>,
        /// The profit of options.
        options_pl: Option<f64>,
        /// The session's realised profit of options.
        options_session_rpl: Option<f64>,
        /// The session's unrealised profit of options.
        options_session_upl: Option<f64>,
        /// What the options are worth.
        options_value: Option<f64>,
        /// The delta of options.
        options_delta: Option<f64>,
        /// The gamma of options.
        options_gamma: Option<f64>,
        /// The theta of options.
        options_theta: Option<f64>,
        /// The vega of options.
        options_vega: Option<f64>,
        /// The gamma of options by index.
        options_gamma_map: BTreeMap<String, f64>,
        /// The theta of options by index.
        options_theta_map: BTreeMap<String, f64>,
        /// The vega of options by index.
        options_vega_map: BTreeMap<String, f64>,
        /// The delta of all positions.
        delta_total: Option<f64>,
        /// That by index.
        delta_total_map: BTreeMap<String, f64>,
        /// The delta after the next expiry.
        projected_delta_total: Option<f64>,
        /// Times a future's mark price, the estimated price of a liquidation.
        estimated_liquidation_ratio: Option<f64>,
        /// That by index.
        estimated_liquidation_ratio_map: BTreeMap<String, f64>,
        /// The margin model, such as `segregated_sm` or `cross_pm`.
        margin_model: Option<String>,
        /// Whether it is portfolio margin.
        portfolio_margining_enabled: Option<bool>,
        /// Whether it is cross margin.
        cross_collateral_enabled: Option<bool>,
        /// Cross margin: the equity of all currencies in US dollars.
        total_equity_usd: Option<f64>,
        /// Cross margin: the initial margin in US dollars.
        total_initial_margin_usd: Option<f64>,
        /// Cross margin: the maintenance margin in US dollars.
        total_maintenance_margin_usd: Option<f64>,
        /// Cross margin: what margins may use, in US dollars.
        total_margin_balance_usd: Option<f64>,
        /// Cross margin: the delta in US dollars.
        total_delta_total_usd: Option<f64>,
        /// Whether there is equity that proofs of reserves leave out.
        has_non_block_chain_equity: bool,
        /// What may be transferred between subaccounts.
        available_subaccount_transfer_funds: Option<f64>,
        /// Where to deposit.
        deposit_address: Option<String>,
        /// Rate limits.
        limits: Option<AccountLimits>,
        /// The group of fees; extended only.
        fee_group: Option<String>,
        /// Fees that differ from the instruments'; extended only.
        fees: Vec<AccountFee>,
        /// Whose it is; extended only.
        id: Option<u64>,
        /// `main` or `subaccount`; extended only.
        account_type = "type": Option<String>,
        /// The venue's name for the user; extended only.
        system_name: Option<String>,
        /// The user's own name; extended only.
        username: Option<String>,
        /// The user's address; extended only.
        email: Option<String>,
        /// When the account was made; extended only.
        creation_timestamp: Option<u64>,
        /// Whether one can log in to the subaccount; extended only.
        login_enabled: Option<bool>,
        /// Whether there is market maker protection; extended only.
        mmp_enabled: Option<bool>,
        /// Whether security keys are on; extended only.
        security_keys_enabled: Option<bool>,
        /// Whether a second factor is required; extended only.
        mandatory_tfa: Option<bool>,
        /// Whether notifications are received; extended only.
        receive_notifications: Option<bool>,
        /// Whether transfers between users are on; extended only.
        interuser_transfers_enabled: Option<bool>,
        /// Who referred the user; extended only.
        referrer_id: Option<String>,
        /// What happens to trades with oneself: `reject_taker` or `cancel_maker`; extended only.
        self_trading_reject_mode: Option<String>,
        /// Whether that holds between subaccounts; extended only.
        self_trading_extended_to_subaccounts: Option<bool>,
        /// Whether requests for quotes cannot match one's own; extended only.
        block_rfq_self_match_prevention: Option<bool>,
        /// How often the margin model may change; extended only.
        change_margin_model_api_limit: Option<MarginModelLimit>,
        /// What may be traded; extended only.
        trading_products_details: Vec<TradingProduct>,
    }
}

object! {
    /// The account in all currencies.
    AccountSummaries {
        /// One summary a currency.
        summaries: Vec<AccountSummary>,
        /// Whose it is; extended only, as all that follows.
        id: Option<u64>,
        /// `main` or `subaccount`.
        account_type = "type": Option<String>,
        /// The venue's name for the user.
        system_name: Option<String>,
        /// The user's own name.
        username: Option<String>,
        /// The user's address.
        email: Option<String>,
        /// When the account was made.
        creation_timestamp: Option<u64>,
        /// Whether one can log in to the subaccount.
        login_enabled: Option<bool>,
        /// Whether there is market maker protection.
        mmp_enabled: Option<bool>,
        /// Whether security keys are on.
        security_keys_enabled: Option<bool>,
        /// Whether a second factor is required.
        mandatory_tfa: Option<bool>,
        /// Whether notifications are received.
        receive_notifications: Option<bool>,
        /// Whether transfers between users are on.
        interuser_transfers_enabled: Option<bool>,
        /// Who referred the user.
        referrer_id: Option<String>,
        /// What happens to trades with oneself: `reject_taker` or `cancel_maker`.
        self_trading_reject_mode: Option<String>,
        /// Whether that holds between subaccounts.
        self_trading_extended_to_subaccounts: Option<bool>,
        /// Whether requests for quotes cannot match one's own.
        block_rfq_self_match_prevention: Option<bool>,
        /// How often the margin model may change.
        change_margin_model_api_limit: Option<MarginModelLimit>,
        /// What may be traded.
        trading_products_details: Vec<TradingProduct>,
    }
}

object! {
    /// The account's rate limits.
    AccountLimits {
        /// Whether they are counted by currency; then `matching_engine` is by currency, too.
        limits_per_currency: bool,
        /// Of everything that does not go to the matching engine.
        non_matching_engine: Option<RateLimit>,
        /// Of orders and what belongs to them.
        matching_engine: Option<MatchingLimits>,
    }
}

object! {
    #[derive(Copy)]
    /// A rate limit in requests.
    RateLimit {
        /// At once.
        burst: u64,
        /// A second, sustained.
        rate: u64,
    }
}

object! {
    /// Rate limits at the matching engine.
    MatchingLimits {
        /// Of orders.
        trading: Option<TradingLimits>,
        /// Of spot orders.
        spot: Option<RateLimit>,
        /// Of cancels of everything.
        cancel_all: Option<RateLimit>,
        /// Of quotes in mass quotes, by the one name of two.
        quotes: Option<RateLimit>,
        /// The same by the other name.
        maximum_quotes: Option<RateLimit>,
        /// Of mass quotes, by the one name of two.
        max_quotes: Option<RateLimit>,
        /// The same by the other name.
        maximum_mass_quotes: Option<RateLimit>,
        /// Of mass quotes that are taken in any case, by the one name of two.
        guaranteed_quotes: Option<RateLimit>,
        /// The same by the other name.
        guaranteed_mass_quotes: Option<RateLimit>,
        /// Of quotes for requests.
        block_rfq_maker: Option<RateLimit>,
    }
}

object! {
    /// Rate limits of orders.
    TradingLimits {
        /// Of all together.
        total: Option<RateLimit>,
    }
}

object! {
    /// How often the margin model may change.
    MarginModelLimit {
        /// In milliseconds: this long.
        timeframe: Option<u64>,
        /// This many times in that.
        rate: Option<u64>,
    }
}

object! {
    /// Something that the account may trade or not.
    TradingProduct {
        /// What, such as `perpetual` or `options`.
        product: String,
        /// Whether it may.
        enabled: bool,
        /// Whether that can be changed.
        overwriteable: Option<bool>,
        /// Whether it has to be agreed to.
        requires_consent: Option<bool>,
    }
}

object! {
    /// Fees of the account.
    AccountFee {
        /// The pair of currencies.
        index_name: Option<String>,
        /// The kind of instruments, such as `perpetual`.
        kind: Option<String>,
        /// The fees.
        value: Option<FeeValues>,
    }
}

object! {
    /// Fees.
    FeeValues {
        /// Of ordinary trades.
        default: Option<MakerTakerFee>,
        /// Of settlements.
        settlement: Option<f64>,
        /// Of block trades.
        block_trade: Option<f64>,
    }
}

object! {
    /// The two fees of a trade.
    MakerTakerFee {
        /// `relative` for fractions, `fixed` for amounts.
        fee_type = "type": Option<String>,
        /// The maker's.
        maker: Option<f64>,
        /// The taker's.
        taker: Option<f64>,
    }
}

object! {
    /// What an order would tie up.
    Margins {
        /// When buying.
        buy: Option<f64>,
        /// When selling.
        sell: Option<f64>,
        /// The lowest price that is taken.
        min_price: Option<f64>,
        /// The highest price that is taken.
        max_price: Option<f64>,
    }
}
