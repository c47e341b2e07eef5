//! Who may trade here: accounts, keys, logins.

pub(crate) mod account;
pub(crate) mod grants;
pub(crate) mod scope;
pub(crate) mod signature;

use std::collections::VecDeque;
use std::net::IpAddr;

use fastrand::Rng;
use serde_json::{Value, json};

use self::account::{Account, Key};
use self::grants::{Grant, Grants};
use self::signature::Nonces;
use crate::credits::Tier;

/// The number of an account, which is its user id on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AccountId(pub(crate) u64);

/// Older logins are forgotten beyond this.
const ACCESSES_KEPT: usize = 10_000;

/// The first account's user id.
const FIRST_ID: u64 = 57_001;

/// An account as others know it.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) id: AccountId,
    pub(crate) name: String,
    /// The main account, when this is a subaccount.
    pub(crate) parent: Option<AccountId>,
    pub(crate) tier: Tier,
    keys: Vec<Key>,
}

/// All accounts and what they have been granted.
#[derive(Debug)]
pub(crate) struct Accounts {
    profiles: Vec<Profile>,
    pub(crate) grants: Grants,
    pub(crate) nonces: Nonces,
    accesses: VecDeque<(AccountId, Value)>,
    access_count: u64,
}

impl Accounts {
    pub(crate) fn new(accounts: &[Account], rng: Rng) -> Self {
        let id_of =
            |name: &str| accounts.iter().zip(FIRST_ID..).find(|(a, _)| a.name == name).map(|(_, id)| id);
        let profile = |(account, id): (&Account, u64)| Profile {
            id: AccountId(id),
            name: account.name.clone(),
            parent: account.parent.as_deref().and_then(id_of).map(AccountId),
            tier: account.tier,
            keys: account.keys.clone(),
        };
        let profiles = accounts.iter().zip(FIRST_ID..).map(profile).collect();
        Self {
            profiles,
            grants: Grants::new(rng),
            nonces: Nonces::default(),
            accesses: VecDeque::new(),
            access_count: 0,
        }
    }

    /// Writes a login into the access log. Gives back the entry.
    pub(crate) fn note_access(&mut self, account: AccountId, ip: IpAddr, now_ms: i64) -> Value {
        self.access_count += 1;
        let entry = json!({
            "id": self.access_count, "timestamp": now_ms, "log": "success", "ip": ip.to_string(),
            "country": "Local Country", "city": "Local Town",
        });
        if self.accesses.len() == ACCESSES_KEPT {
            self.accesses.pop_front();
        }
        self.accesses.push_back((account, entry.clone()));
        entry
    }

    /// The logins of an account, newest first.
    pub(crate) fn accesses(&self, account: AccountId) -> impl Iterator<Item = &Value> {
        self.accesses.iter().rev().filter(move |(of, _)| *of == account).map(|(_, entry)| entry)
    }

    /// The account of a key, and the key.
    pub(crate) fn key(&self, id: &str) -> Option<(&Profile, &Key)> {
        self.profiles
            .iter()
            .find_map(|profile| Some((profile, profile.keys.iter().find(|key| key.id == id)?)))
    }

    pub(crate) fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.iter()
    }

    pub(crate) fn profile(&self, id: AccountId) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.id == id)
    }

    /// The account that someone with this grant may change to.
    pub(crate) fn subject(&self, grant: &Grant, id: AccountId) -> Option<&Profile> {
        let from = self.profile(grant.account)?;
        let main = from.parent.unwrap_or(from.id);
        self.profile(id).filter(|to| grant.scope.main_account && (to.id == main || to.parent == Some(main)))
    }
}
