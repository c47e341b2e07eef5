//! Words with a meaning. The venue adds to them, so each type keeps those that it does not know.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

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

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Word(PhantomData))
            }
        }
    };
}

words! {
    /// Whether a book message is the whole book.
    BookMessageKind {
        /// It is.
        Snapshot = "snapshot",
        /// It changes the book before.
        Change = "change",
    }
}

words! {
    /// Who takes which side.
    Direction {
        /// The taker bought.
        Buy = "buy",
        /// The taker sold.
        Sell = "sell",
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

/// Reads a word, also where it is sent as a number or a boolean.
struct Word<T>(PhantomData<T>);

impl<T: for<'a> From<&'a str>> Visitor<'_> for Word<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<T, E> {
        Ok(T::from(word))
    }

    fn visit_bool<E: Error>(self, word: bool) -> Result<T, E> {
        Ok(T::from(if word { "true" } else { "false" }))
    }

    fn visit_u64<E: Error>(self, word: u64) -> Result<T, E> {
        Ok(T::from(&*word.to_string()))
    }
}
