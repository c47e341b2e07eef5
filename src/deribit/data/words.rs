//! Words with a meaning. The venue adds to them, so each type keeps those that it does not know.

/// Declares a type for words: the known ones as variants, any other as `Unknown`.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// Another word, as it was sent.
            Unknown(String),
        }

        impl $name {
            /// The venue's word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($text => Self::$variant,)*
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::deribit::data::lenient::Member::read(deserializer)
            }
        }

        impl crate::deribit::data::lenient::FromScalar for $name {
            const EXPECTED: &'static str = "a word";

            fn from_scalar(scalar: &crate::deribit::data::lenient::Scalar<'_>) -> Option<Self> {
                scalar.word().map(|word| Self::from(&*word))
            }
        }
    };
}

words! {
    /// Whether a message of a book or an incremental ticker is the whole, or a change to it.
    BookMessageKind {
        /// The whole.
        Snapshot = "snapshot",
        /// What changed since the message before.
        Change = "change",
    }
}

words! {
    /// A side. Of a public trade it is the taker's.
    Direction {
        /// Buys.
        Buy = "buy",
        /// Sells.
        Sell = "sell",
    }
}

words! {
    /// The side of a position.
    PositionDirection {
        /// Long.
        Buy = "buy",
        /// Short.
        Sell = "sell",
        /// There is no position.
        Zero = "zero",
    }
}

words! {
    /// Which side of a trade was being liquidated.
    Liquidation {
        /// The maker.
        Maker = "M",
        /// The taker.
        Taker = "T",
        /// Both.
        Both = "MT",
    }
}

words! {
    /// Whether an order waited in the book or took from it.
    Liquidity {
        /// It waited.
        Maker = "M",
        /// It took.
        Taker = "T",
    }
}

words! {
    /// The part that somebody plays in a trade.
    Role {
        /// Whose price it was.
        Maker = "maker",
        /// Who took it.
        Taker = "taker",
    }
}

words! {
    /// How a trade's price compares to the one before; sent as a number.
    TickDirection {
        /// Higher.
        Plus = "0",
        /// The same, after a rise.
        ZeroPlus = "1",
        /// Lower.
        Minus = "2",
        /// The same, after a fall.
        ZeroMinus = "3",
    }
}

words! {
    /// Kinds of instruments. `Combo` and `Any` are for filters.
    Kind {
        /// Futures, perpetuals among them.
        Future = "future",
        /// Options.
        Option = "option",
        /// Spot.
        Spot = "spot",
        /// Combinations of futures.
        FutureCombo = "future_combo",
        /// Combinations of options.
        OptionCombo = "option_combo",
        /// Combinations of either.
        Combo = "combo",
        /// All kinds.
        Any = "any",
    }
}

words! {
    /// Calls and puts.
    OptionType {
        /// The right to buy.
        Call = "call",
        /// The right to sell.
        Put = "put",
    }
}

words! {
    /// What an instrument is settled in.
    InstrumentType {
        /// In the quote currency; amounts are in the base currency.
        Linear = "linear",
        /// In the base currency; amounts of futures are in US dollars. Called inverse elsewhere.
        Reversed = "reversed",
    }
}

words! {
    /// Whether an instrument trades. The venue's documents of different years name different states.
    InstrumentState {
        /// It trades.
        Open = "open",
        /// It was announced.
        Created = "created",
        /// Trading began.
        Started = "started",
        /// Trading is locked.
        Locked = "locked",
        /// Trading is halted.
        Halted = "halted",
        /// It does not trade.
        Inactive = "inactive",
        /// It is being settled.
        Settlement = "settlement",
        /// It was settled.
        Settled = "settled",
        /// It was delivered.
        Delivered = "delivered",
        /// Trading is over.
        Closed = "closed",
        /// It was ended before its time.
        Terminated = "terminated",
        /// It is history.
        Archived = "archivized",
    }
}

words! {
    /// Whether trading is locked; sent as a word or as a boolean.
    Locked {
        /// Everything is.
        Yes = "true",
        /// Some of it is.
        Partially = "partial",
        /// Nothing is.
        No = "false",
    }
}

words! {
    /// Types of orders. Trigger orders keep theirs after they were triggered.
    OrderType {
        /// At a price or better.
        Limit = "limit",
        /// At whatever price there is.
        Market = "market",
        /// As market; what is left stays as a limit order at the price reached.
        MarketLimit = "market_limit",
        /// A limit order, once the price went against the position.
        StopLimit = "stop_limit",
        /// A market order, once the price went against the position.
        StopMarket = "stop_market",
        /// A limit order, once the price went with the position.
        TakeLimit = "take_limit",
        /// A market order, once the price went with the position.
        TakeMarket = "take_market",
        /// A market order, once the price fell back from its peak.
        TrailingStop = "trailing_stop",
        /// By the venue, in a trade of a liquidation.
        Liquidation = "liquidation",
    }
}

words! {
    /// The states of an order.
    OrderState {
        /// In the book.
        Open = "open",
        /// Executed in full.
        Filled = "filled",
        /// Refused.
        Rejected = "rejected",
        /// Cancelled, maybe after a part of it was executed.
        Cancelled = "cancelled",
        /// Waiting for its trigger.
        Untriggered = "untriggered",
        /// Its trigger made another order of it.
        Triggered = "triggered",
        /// History.
        Archived = "archive",
    }
}

words! {
    /// How long an order stays.
    TimeInForce {
        /// Until it is cancelled.
        GoodTilCancelled = "good_til_cancelled",
        /// Until 08:00 UTC.
        GoodTilDay = "good_til_day",
        /// Executed in full at once, or not at all.
        FillOrKill = "fill_or_kill",
        /// Executed at once as far as it goes; the rest is cancelled.
        ImmediateOrCancel = "immediate_or_cancel",
    }
}

words! {
    /// Which price sets off a trigger order.
    Trigger {
        /// The index.
        IndexPrice = "index_price",
        /// The mark price.
        MarkPrice = "mark_price",
        /// The price of the last trade.
        LastPrice = "last_price",
    }
}

words! {
    /// What the price of an order for options is in.
    Advanced {
        /// US dollars.
        Usd = "usd",
        /// Implied volatility in percent.
        ImpliedVolatility = "implv",
    }
}

words! {
    /// When orders that wait for another are placed, or cancelled.
    FillCondition {
        /// At its first execution, in full.
        FirstHit = "first_hit",
        /// Once it was executed in full.
        CompleteFill = "complete_fill",
        /// In proportion to each execution.
        Incremental = "incremental",
    }
}

words! {
    /// How orders are linked.
    LinkedOrderType {
        /// The first one, executed, places the others.
        OneTriggersOther = "one_triggers_other",
        /// One of them, executed, cancels the other.
        OneCancelsOther = "one_cancels_other",
        /// The first one, executed, places two that cancel each other.
        OneTriggersOneCancelsOther = "one_triggers_one_cancels_other",
    }
}

words! {
    /// Why an order was cancelled.
    CancelReason {
        /// The user asked for it.
        UserRequest = "user_request",
        /// The position was liquidated.
        Autoliquidation = "autoliquidation",
        /// The connection it was placed on ended.
        CancelOnDisconnect = "cancel_on_disconnect",
        /// Risk mitigation.
        RiskMitigation = "risk_mitigation",
        /// Risk reduction under portfolio margin.
        PmeRiskReduction = "pme_risk_reduction",
        /// The account is locked under portfolio margin.
        PmeAccountLocked = "pme_account_locked",
        /// The position is locked.
        PositionLocked = "position_locked",
        /// Market maker protection set in.
        MmpTrigger = "mmp_trigger",
        /// The configuration of market maker protection was narrowed.
        MmpConfigCurtailment = "mmp_config_curtailment",
        /// An edit would have made a post-only order take.
        EditPostOnlyReject = "edit_post_only_reject",
        /// The other of two that cancel each other was closed.
        OcoOtherClosed = "oco_other_closed",
        /// The order that was to trigger it was closed.
        OtoPrimaryClosed = "oto_primary_closed",
        /// Settlement.
        Settlement = "settlement",
    }
}

words! {
    /// A side of a quote.
    QuoteSide {
        /// The bid.
        Bid = "bid",
        /// The ask.
        Ask = "ask",
    }
}

words! {
    /// Kinds of settlements.
    SettlementType {
        /// The daily one.
        Settlement = "settlement",
        /// At expiry.
        Delivery = "delivery",
        /// A loss beyond somebody's funds, shared.
        Bankruptcy = "bankruptcy",
    }
}

words! {
    /// Whether a combo trades.
    ComboState {
        /// It does.
        Active = "active",
        /// It does not.
        Inactive = "inactive",
    }
}

words! {
    /// The states of a request for quotes.
    RfqState {
        /// Open for quotes.
        Open = "open",
        /// Executed.
        Filled = "filled",
        /// Cancelled by the taker.
        Cancelled = "cancelled",
        /// Too old.
        Expired = "expired",
    }
}

words! {
    /// How the results of a query are sorted.
    Sorting {
        /// The oldest first.
        Ascending = "asc",
        /// The newest first.
        Descending = "desc",
        /// As they left the venue's database.
        Unsorted = "default",
    }
}

words! {
    /// Which open orders to list.
    OpenOrderType {
        /// All.
        All = "all",
        /// Limit orders.
        Limit = "limit",
        /// All that wait for a trigger.
        TriggerAll = "trigger_all",
        /// Stop orders.
        StopAll = "stop_all",
        /// Stop limit orders.
        StopLimit = "stop_limit",
        /// Stop market orders.
        StopMarket = "stop_market",
        /// Take orders.
        TakeAll = "take_all",
        /// Take limit orders.
        TakeLimit = "take_limit",
        /// Take market orders.
        TakeMarket = "take_market",
        /// Trailing orders.
        TrailingAll = "trailing_all",
        /// Trailing stop orders.
        TrailingStop = "trailing_stop",
    }
}

words! {
    /// Which orders to cancel.
    CancelType {
        /// All.
        All = "all",
        /// Limit orders.
        Limit = "limit",
        /// All that wait for a trigger.
        TriggerAll = "trigger_all",
        /// Stop orders.
        Stop = "stop",
        /// Take orders.
        Take = "take",
        /// Trailing stop orders.
        TrailingStop = "trailing_stop",
    }
}
