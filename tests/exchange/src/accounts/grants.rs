//! Tokens: who got which, where they are valid, until when.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use fastrand::Rng;

use super::AccountId;
use super::scope::{Reach, Scope};

/// Sessions that one key may have; one more removes the oldest.
const SESSIONS_PER_KEY: usize = 16;

/// A grant: one login. Refreshing changes its tokens, not its number.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) account: AccountId,
    pub(crate) key: String,
    pub(crate) scope: Scope,
    /// The connection it was made on.
    pub(crate) connection: u64,
    pub(crate) lifetime: Duration,
    expires_at: Duration,
    access: String,
    refresh: String,
}

/// The tokens of a grant, to be told to its client.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) grant: u64,
    pub(crate) account: AccountId,
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) lifetime: Duration,
    pub(crate) scope: String,
}

/// Where and when a token is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) connection: u64,
    pub(crate) ip: IpAddr,
    pub(crate) now: Duration,
}

/// A grant about to be made.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) account: AccountId,
    pub(crate) key: String,
    pub(crate) scope: Scope,
    pub(crate) lifetime: Duration,
}

/// All grants.
#[derive(Debug)]
pub(crate) struct Grants {
    grants: BTreeMap<u64, Grant>,
    by_access: HashMap<String, u64>,
    by_refresh: HashMap<String, u64>,
    count: u64,
    rng: Rng,
}

impl Grants {
    pub(crate) fn new(rng: Rng) -> Self {
        Self { grants: BTreeMap::new(), by_access: HashMap::new(), by_refresh: HashMap::new(), count: 0, rng }
    }

    /// Makes a grant. A session of the same name is the same one, so it is replaced; the seventeenth session
    /// of a key removes the oldest.
    pub(crate) fn make(&mut self, wanted: Wanted, place: Place) -> Option<Tokens> {
        let Wanted { account, key, scope, lifetime } = wanted;
        if let Reach::Session(name) = &scope.reach {
            let same = |grant: &Grant| {
                (grant.account, &grant.key) == (account, &key)
                    && grant.scope.reach == Reach::Session(name.clone())
            };
            if let Some(number) = self.grants.iter().find(|(_, grant)| same(grant)).map(|(n, _)| *n) {
                return self.renew(number, place.now, Some((scope, lifetime)));
            }
            self.make_room(&key, place.now);
        }
        self.count += 1;
        let grant = Grant {
            account,
            key,
            scope,
            connection: place.connection,
            lifetime,
            expires_at: place.now,
            access: String::new(),
            refresh: String::new(),
        };
        self.grants.insert(self.count, grant);
        self.renew(self.count, place.now, None)
    }

    /// The grant of an access token, if it is valid here and now.
    pub(crate) fn by_access(&self, token: &str, place: Place) -> Option<(u64, &Grant)> {
        let number = *self.by_access.get(token)?;
        Some((number, self.valid(number, place)?))
    }

    /// The grant with this number, if it is valid here and now.
    pub(crate) fn valid(&self, number: u64, place: Place) -> Option<&Grant> {
        let grant = self.grants.get(&number)?;
        (grant.is_here(place) && place.now < grant.expires_at).then_some(grant)
    }

    /// The grant of a refresh token, if it may be refreshed here. It outlives the access token.
    pub(crate) fn by_refresh(&self, token: &str, place: Place) -> Option<(u64, &Grant)> {
        let number = *self.by_refresh.get(token)?;
        let grant = self.grants.get(&number)?;
        grant.is_here(place).then_some((number, grant))
    }

    /// New tokens for a grant; the old ones are void.
    pub(crate) fn refresh(&mut self, number: u64, now: Duration) -> Option<Tokens> {
        self.renew(number, now, None)
    }

    pub(crate) fn remove(&mut self, number: u64) {
        if let Some(grant) = self.grants.remove(&number) {
            self.by_access.remove(&grant.access);
            self.by_refresh.remove(&grant.refresh);
        }
    }

    /// All access tokens end now.
    pub(crate) fn expire_all(&mut self, now: Duration) {
        self.grants.values_mut().for_each(|grant| grant.expires_at = grant.expires_at.min(now));
    }

    /// All logins are void.
    pub(crate) fn revoke_all(&mut self) {
        self.grants.clear();
        self.by_access.clear();
        self.by_refresh.clear();
    }

    /// A connection ended, and with it what was valid on it alone.
    pub(crate) fn forget_connection(&mut self, connection: u64) {
        let its = |grant: &Grant| grant.scope.reach == Reach::Connection && grant.connection == connection;
        let gone: Vec<u64> = self.grants.iter().filter(|(_, grant)| its(grant)).map(|(n, _)| *n).collect();
        gone.into_iter().for_each(|number| self.remove(number));
    }

    fn make_room(&mut self, key: &str, now: Duration) {
        let session = |grant: &Grant| grant.key == key && grant.scope.reach != Reach::Connection;
        let over: Vec<u64> = self
            .grants
            .iter()
            .filter(|(_, grant)| session(grant) && grant.expires_at <= now)
            .map(|(number, _)| *number)
            .collect();
        over.into_iter().for_each(|number| self.remove(number));
        let live: Vec<u64> =
            self.grants.iter().filter(|(_, grant)| session(grant)).map(|(number, _)| *number).collect();
        let surplus = (live.len() + 1).saturating_sub(SESSIONS_PER_KEY);
        live.into_iter().take(surplus).for_each(|number| self.remove(number));
    }

    fn renew(&mut self, number: u64, now: Duration, anew: Option<(Scope, Duration)>) -> Option<Tokens> {
        let (access, refresh) = (self.token(now), self.token(now));
        let grant = self.grants.get_mut(&number)?;
        if let Some((scope, lifetime)) = anew {
            (grant.scope, grant.lifetime) = (scope, lifetime);
        }
        grant.expires_at = now + grant.lifetime;
        let tokens = Tokens {
            grant: number,
            account: grant.account,
            access: access.clone(),
            refresh: refresh.clone(),
            lifetime: grant.lifetime,
            scope: grant.scope.words(),
        };
        self.by_access.remove(&std::mem::replace(&mut grant.access, access.clone()));
        self.by_refresh.remove(&std::mem::replace(&mut grant.refresh, refresh.clone()));
        self.by_access.insert(access, number);
        self.by_refresh.insert(refresh, number);
        Some(tokens)
    }

    fn token(&mut self, now: Duration) -> String {
        let mut word = |length: usize| -> String { (0..length).map(|_| self.rng.alphanumeric()).collect() };
        format!("{}.{}.{}", now.as_millis(), word(8), word(64))
    }
}

impl Grant {
    fn is_here(&self, place: Place) -> bool {
        let near = self.scope.reach != Reach::Connection || self.connection == place.connection;
        near && self.scope.ip.is_none_or(|ip| ip == place.ip)
    }
}
