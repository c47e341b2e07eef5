//! The words that orders are made of.

/// Declares an enum whose variants are words on the wire.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($variant),+ }

        impl $name {
            /// All words.
            #[allow(dead_code, reason = "not every list is offered to clients")]
            pub(crate) const WORDS: &[&str] = &[$($word),+];

            /// The word on the wire.
            #[allow(dead_code, reason = "not every word is told again")]
            pub(crate) fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads a word.
            #[allow(dead_code, reason = "not every word comes from clients")]
            pub(crate) fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! {
    /// The type of an order.
    Kind {
        Limit = "limit",
        StopLimit = "stop_limit",
        TakeLimit = "take_limit",
        Market = "market",
        StopMarket = "stop_market",
        TakeMarket = "take_market",
        MarketLimit = "market_limit",
        TrailingStop = "trailing_stop",
    }
}

impl Kind {
    /// Whether it waits for a price.
    pub(crate) fn is_trigger(self) -> bool {
        self.is_stop() || self.is_take() || self == Self::TrailingStop
    }

    pub(crate) fn is_stop(self) -> bool {
        matches!(self, Self::StopLimit | Self::StopMarket)
    }

    pub(crate) fn is_take(self) -> bool {
        matches!(self, Self::TakeLimit | Self::TakeMarket)
    }

    /// Whether it names a price of its own.
    pub(crate) fn has_price(self) -> bool {
        matches!(self, Self::Limit | Self::StopLimit | Self::TakeLimit)
    }

    /// Whether it shows no price, only that it will take the market's.
    pub(crate) fn is_trigger_market(self) -> bool {
        self.is_trigger() && !self.has_price()
    }
}

words! {
    /// How long an order lives.
    TimeInForce {
        GoodTilCancelled = "good_til_cancelled",
        GoodTilDay = "good_til_day",
        FillOrKill = "fill_or_kill",
        ImmediateOrCancel = "immediate_or_cancel",
    }
}

words! {
    /// What an order has come to.
    State {
        Open = "open",
        Filled = "filled",
        Rejected = "rejected",
        Cancelled = "cancelled",
        Untriggered = "untriggered",
        Triggered = "triggered",
    }
}

impl State {
    /// Whether something can still happen to it.
    pub(crate) fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::Untriggered)
    }
}

words! {
    /// The price that a trigger watches.
    TriggerBy {
        Index = "index_price",
        Mark = "mark_price",
        Last = "last_price",
    }
}

words! {
    /// Why an order was cancelled.
    CancelReason {
        User = "user_request",
        Disconnect = "cancel_on_disconnect",
        Mmp = "mmp_trigger",
        MmpConfig = "mmp_config_curtailment",
        EditPostOnly = "edit_post_only_reject",
        OtherClosed = "oco_other_closed",
        PrimaryClosed = "oto_primary_closed",
        Settlement = "settlement",
    }
}

words! {
    /// How orders hang together.
    LinkType {
        Oto = "one_triggers_other",
        Oco = "one_cancels_other",
        Otoco = "one_triggers_one_cancels_other",
    }
}

words! {
    /// How much of a fill sets off what is linked.
    FillCondition {
        FirstHit = "first_hit",
        CompleteFill = "complete_fill",
        Incremental = "incremental",
    }
}

words! {
    /// In what an option's price is given.
    Advanced {
        Usd = "usd",
        Implv = "implv",
    }
}
