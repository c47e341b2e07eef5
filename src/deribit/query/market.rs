//! Market data on request.

use super::{Answer, Query, Target, queries};
use crate::deribit::Deribit;
use crate::deribit::data::{
    Announcement, AprHistory, BlockRfqTrades, BookSummary, BookWithTicker, ChartData, Combo, ComboState,
    ContractSize, Currency, DeliveryPrices, Expirations, FundingChart, FundingRate, GroupedExpirations,
    IndexName, IndexPrice, Instrument, Kind, PlatformStatus, Sample, SettlementType, Settlements, Ticker,
    TradeVolumes, VolatilityIndexData,
};
use crate::protocol::Request;

queries! {
    /// The venue's time, in milliseconds since 1970.
    "public/get_time" get_time() as GetTime -> u64 {}

    /// Whether trading is locked.
    "public/status" status() as Status -> PlatformStatus {}

    /// An instrument's ticker.
    "public/ticker" ticker(instrument_name: String) as GetTicker -> Ticker {}

    /// An instrument's order book, with its ticker.
    "public/get_order_book" get_order_book(instrument_name: String) as GetOrderBook -> BookWithTicker {
        /// The most levels of each side: 1, 5, 10, 20, 50, 100, 1000 or 10000. 5 by default.
        depth: u64,
    }

    /// The order book of an instrument by its number, with its ticker.
    "public/get_order_book_by_instrument_id" get_order_book_by_instrument_id(instrument_id: u64)
        as GetOrderBookByInstrumentId -> BookWithTicker
    {
        /// The most levels of each side: 1, 5, 10, 20, 50, 100, 1000 or 10000. 5 by default.
        depth: u64,
    }

    /// The instruments of a currency, `any` for all. One call a second, so prefer [`instruments`](Deribit::instruments),
    /// which keeps what it has learned.
    "public/get_instruments" get_instruments(currency: String) as GetInstruments -> Vec<Instrument> {
        /// Only those of this kind.
        kind: Kind,
        /// Those that expired of late, instead of the active ones.
        expired: bool,
    }

    /// An instrument.
    "public/get_instrument" get_instrument(instrument_name: String) as GetInstrument -> Instrument {}

    /// The contract size of an instrument.
    "public/get_contract_size" get_contract_size(instrument_name: String) as GetContractSize -> ContractSize {}

    /// The best prices of all instruments of a currency.
    "public/get_book_summary_by_currency" get_book_summary_by_currency(currency: String)
        as GetBookSummaryByCurrency -> Vec<BookSummary>
    {
        /// Only those of this kind.
        kind: Kind,
    }

    /// The best prices of an instrument.
    "public/get_book_summary_by_instrument" get_book_summary_by_instrument(instrument_name: String)
        as GetBookSummaryByInstrument -> Vec<BookSummary> {}

    /// The value of an index.
    "public/get_index_price" get_index_price(index_name: String) as GetIndexPrice -> IndexPrice {}

    /// The indices that there are.
    "public/get_index_price_names" get_index_price_names() as GetIndexPriceNames -> Vec<IndexName> {
        /// Whether to say which combos can be made. Without it only names come, and
        /// [`get_supported_index_names`](crate::deribit::Deribit::get_supported_index_names) is the better call.
        extended: bool,
    }

    /// The names of the indices that there are.
    "public/get_supported_index_names" get_supported_index_names() as GetSupportedIndexNames -> Vec<String> {
        /// Only those of a type: `all`, `spot` or `derivative`.
        index_type = "type": String,
    }

    /// The currencies.
    "public/get_currencies" get_currencies() as GetCurrencies -> Vec<Currency> {}

    /// The dates on which futures, options or both (`any`) of a currency expire; `any` for all currencies.
    "public/get_expirations" get_expirations(currency: String, kind: Kind) as GetExpirations -> Expirations {
        /// Only those of a pair such as `btc_usd`.
        currency_pair: String,
    }

    /// What was traded in 24 hours, by currency.
    "public/get_trade_volumes" get_trade_volumes() as GetTradeVolumes -> Vec<TradeVolumes> {
        /// Whether to say 7 and 30 days, too.
        extended: bool,
    }

    /// The yields of a currency that bears one, such as `usde`.
    "public/get_apr_history" get_apr_history(currency: String) as GetAprHistory -> AprHistory {
        /// At most this many days. 365 by default and at most.
        limit: u64,
        /// Only days before this one, counted from 1970.
        before: u64,
    }

    /// Bars from one time to another, in milliseconds. Resolutions are in minutes (1, 3, 5, 10, 15, 30, 60, 120, 180,
    /// 360, 720), or `1D`.
    "public/get_tradingview_chart_data" get_tradingview_chart_data(
        instrument_name: String, start_timestamp: u64, end_timestamp: u64, resolution: String
    ) as GetTradingviewChartData -> ChartData {}

    /// Candles of the volatility index from one time to another, in milliseconds. Resolutions are in seconds (1, 60,
    /// 3600, 43200), or `1D`.
    "public/get_volatility_index_data" get_volatility_index_data(
        currency: String, start_timestamp: u64, end_timestamp: u64, resolution: String
    ) as GetVolatilityIndexData -> VolatilityIndexData {}

    /// The historical volatility of a currency, in percent.
    "public/get_historical_volatility" get_historical_volatility(currency: String)
        as GetHistoricalVolatility -> Vec<Sample> {}

    /// The mark prices of an instrument from one time to another, in milliseconds. Of few instruments.
    "public/get_mark_price_history" get_mark_price_history(
        instrument_name: String, start_timestamp: u64, end_timestamp: u64
    ) as GetMarkPriceHistory -> Vec<Sample> {}

    /// The funding of a perpetual by hours, from one time to another, in milliseconds.
    "public/get_funding_rate_history" get_funding_rate_history(
        instrument_name: String, start_timestamp: u64, end_timestamp: u64
    ) as GetFundingRateHistory -> Vec<FundingRate> {}

    /// The funding of a perpetual from one time to another, in milliseconds, as a fraction.
    "public/get_funding_rate_value" get_funding_rate_value(
        instrument_name: String, start_timestamp: u64, end_timestamp: u64
    ) as GetFundingRateValue -> f64 {}

    /// The funding of a perpetual over a length of time: `8h`, `24h` or `1m` (a month).
    "public/get_funding_chart_data" get_funding_chart_data(instrument_name: String, length: String)
        as GetFundingChartData -> FundingChart {}

    /// The prices at which an index's instruments were delivered, the newest first.
    "public/get_delivery_prices" get_delivery_prices(index_name: String) as GetDeliveryPrices -> DeliveryPrices {
        /// How many to pass over.
        offset: u64,
        /// At most this many. 10 by default, 1000 at most.
        count: u64,
    }

    /// Everybody's last settlements, deliveries and bankruptcies in a currency.
    "public/get_last_settlements_by_currency" get_last_settlements_by_currency(currency: String)
        as GetLastSettlementsByCurrency -> Settlements
    {
        /// Only those of a type.
        settlement_type = "type": SettlementType,
        /// At most this many. 20 by default, 1000 at most.
        count: u64,
        /// Where the page begins, from the page before.
        continuation: String,
        /// The latest time to begin with, in milliseconds.
        search_start_timestamp: u64,
    }

    /// Everybody's last settlements, deliveries and bankruptcies in an instrument.
    "public/get_last_settlements_by_instrument" get_last_settlements_by_instrument(instrument_name: String)
        as GetLastSettlementsByInstrument -> Settlements
    {
        /// Only those of a type.
        settlement_type = "type": SettlementType,
        /// At most this many. 20 by default, 1000 at most.
        count: u64,
        /// Where the page begins, from the page before.
        continuation: String,
        /// The latest time to begin with, in milliseconds.
        search_start_timestamp: u64,
    }

    /// The active combos of a currency, `any` for all.
    "public/get_combos" get_combos(currency: String) as GetCombos -> Vec<Combo> {}

    /// The names of combos of a currency.
    "public/get_combo_ids" get_combo_ids(currency: String) as GetComboIds -> Vec<String> {
        /// Only those in a state.
        state: ComboState,
    }

    /// A combo.
    "public/get_combo_details" get_combo_details(combo_id: String) as GetComboDetails -> Combo {}

    /// Requests for quotes in a currency that traded, `any` for all.
    "public/get_block_rfq_trades" get_block_rfq_trades(currency: String) as GetBlockRfqTrades -> BlockRfqTrades {
        /// At most this many. 1000 at most.
        count: u64,
        /// Where the page begins, from the page before.
        continuation: String,
    }

    /// Announcements, the newest first.
    "public/get_announcements" get_announcements() as GetAnnouncements -> Vec<Announcement> {
        /// Only those before this time, in milliseconds.
        start_timestamp: u64,
        /// At most this many. 5 by default, 50 at most.
        count: u64,
    }
}

impl Deribit {
    /// The dates on which futures, options or both (`any`) expire, by currency: `public/get_expirations`, grouped.
    pub fn get_expirations_by_currency(&self, kind: impl Into<Kind>) -> Answer<GroupedExpirations> {
        let params = serde_json::json!({ "currency": "grouped", "kind": kind.into() });
        Target::of(self).request(GetExpirations::METHOD, Request::with(GetExpirations::METHOD, &params))
    }
}
