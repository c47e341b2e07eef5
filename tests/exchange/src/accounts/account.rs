//! Accounts and their API keys, as they are given to the exchange before it starts.

use std::collections::BTreeMap;
use std::fmt;

use super::scope::Rights;
use crate::credits::Tier;

/// The key of the account that is there when no other is given.
pub const DEMO_CLIENT_ID: &str = "local";
/// Its secret. It guards nothing: the exchange is on loopback and its money is not real.
pub const DEMO_CLIENT_SECRET: &str = "local-secret";

/// A text that does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hidden(pub(crate) String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// An API key.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: Hidden,
    pub(crate) rights: Rights,
}

/// An account of the exchange: keys, balances, and what it may do.
#[derive(Debug, Clone)]
pub struct Account {
    pub(crate) name: String,
    pub(crate) keys: Vec<Key>,
    pub(crate) balances: BTreeMap<String, f64>,
    pub(crate) parent: Option<String>,
    pub(crate) tier: Tier,
}

impl Account {
    /// An account without keys, with 100 BTC, 1,000 ETH and a million each of USDC, USDT and EURR.
    pub fn new(name: impl Into<String>) -> Self {
        let balances =
            [("BTC", 100.0), ("ETH", 1_000.0), ("USDC", 1e6), ("USDT", 1e6), ("EURR", 1e6)].into_iter();
        Self {
            name: name.into(),
            keys: Vec::new(),
            balances: balances.map(|(currency, amount)| (currency.to_owned(), amount)).collect(),
            parent: None,
            tier: Tier::default(),
        }
    }

    /// The account `local` with one key: [`DEMO_CLIENT_ID`] and [`DEMO_CLIENT_SECRET`].
    pub fn demo() -> Self {
        Self::new("local").key(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET)
    }

    /// Adds a key that may do everything.
    pub fn key(self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.with(id.into(), secret.into(), Rights::all())
    }

    /// Adds a key that may only read.
    pub fn read_only_key(self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.with(id.into(), secret.into(), Rights::read_only())
    }

    /// Sets the balance of a currency.
    pub fn balance(mut self, currency: impl Into<String>, amount: f64) -> Self {
        self.balances.insert(currency.into(), amount);
        self
    }

    /// Makes it a subaccount of the account with this name.
    pub fn subaccount_of(mut self, name: impl Into<String>) -> Self {
        self.parent = Some(name.into());
        self
    }

    /// Sets how much it may ask of the matching engine; the lowest tier unless set.
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = tier;
        self
    }

    fn with(mut self, id: String, secret: String, rights: Rights) -> Self {
        self.keys.push(Key { id, secret: Hidden(secret), rights });
        self
    }
}
