//! Who makes a call, and whether they may.

use serde_json::{Map, Value};

use super::session::Session;
use crate::accounts::AccountId;
use crate::accounts::grants::Place;
use crate::accounts::scope::{Right, Rights};
use crate::api::error::ApiError;
use crate::api::params;

/// Who makes a call.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) account: AccountId,
    pub(crate) grant: u64,
    rights: Rights,
}

impl Identity {
    /// Passes when the right is there.
    pub(crate) fn needs(&self, area: &str, right: Right) -> Result<(), ApiError> {
        if self.rights.of(area) >= right {
            return Ok(());
        }
        let word = if right == Right::Read { "read" } else { "read_write" };
        Err(ApiError::forbidden(&format!("{area}:{word}")))
    }
}

impl Session {
    /// Where and when this client is.
    pub(crate) fn place(&self) -> Place {
        Place { connection: self.handle.number(), ip: self.ip, now: self.state.clock.uptime() }
    }

    /// Who makes a call: the owner of its `access_token`, or whoever logged in on this connection.
    pub(crate) fn identify(&self, params: &Map<String, Value>) -> Result<Identity, ApiError> {
        let token = params::optional_string(params, "access_token")?;
        let accounts = self.state.accounts();
        let place = self.place();
        let found = match token {
            Some(token) => accounts.grants.by_access(token, place),
            None => self.login.and_then(|number| Some((number, accounts.grants.valid(number, place)?))),
        };
        let (grant, found) = found.ok_or_else(ApiError::unauthorized)?;
        Ok(Identity { account: found.account, grant, rights: found.scope.rights.clone() })
    }
}
