//! Market maker protection: too many fills in too short a time take all quotes away.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value, json};

use crate::api::error::ApiError;
use crate::api::params;

type Params = Map<String, Value>;

/// Groups that an account may have.
const MOST_GROUPS: usize = 16;

/// An index, and the group of mass quotes; none for ordinary orders.
pub(crate) type Scope = (String, Option<String>);

/// What triggers a protection, as it was set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub(crate) interval_s: i64,
    /// 0: until it is reset by hand.
    pub(crate) frozen_s: i64,
    pub(crate) quantity: Option<f64>,
    pub(crate) delta: Option<f64>,
    pub(crate) vega: Option<f64>,
    /// What one side of a book may hold of quotes, in base currency.
    pub(crate) max_quote: Option<f64>,
}

impl Config {
    /// Reads the parameters of `private/set_mmp_config`; none when they remove the protection.
    pub(crate) fn read(params: &Params) -> Result<Option<Self>, ApiError> {
        let whole = |name: &str| {
            let value = params::integer(params, name)?;
            if value < 0 { Err(ApiError::invalid_param(name, "must not be negative")) } else { Ok(value) }
        };
        let limit = |name: &str| match params::optional_number(params, name)? {
            Some(value) if value <= 0.0 => Err(ApiError::invalid_param(name, "must be positive")),
            value => Ok(value),
        };
        let config = Self {
            interval_s: whole("interval")?,
            frozen_s: whole("frozen_time")?,
            quantity: limit("quantity_limit")?,
            delta: limit("delta_limit")?,
            vega: limit("vega_limit")?,
            max_quote: limit("max_quote_quantity")?,
        };
        Ok((config.interval_s > 0).then_some(config))
    }

    pub(crate) fn describe(&self, (index, group): &Scope) -> Value {
        let mut object = json!({
            "index_name": index, "interval": self.interval_s, "frozen_time": self.frozen_s,
        });
        let limits = [
            ("quantity_limit", self.quantity),
            ("delta_limit", self.delta),
            ("vega_limit", self.vega),
            ("max_quote_quantity", self.max_quote),
        ];
        for (name, limit) in limits {
            if let Some(limit) = limit {
                object[name] = json!(limit);
            }
        }
        if let Some(group) = group {
            object["mmp_group"] = json!(group);
        }
        object
    }
}

/// A fill as the protection counts it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exposure {
    pub(crate) ms: i64,
    pub(crate) quantity: f64,
    pub(crate) delta: f64,
    pub(crate) vega: f64,
}

#[derive(Debug, Clone)]
struct Guard {
    config: Config,
    fills: VecDeque<Exposure>,
    /// Since it was triggered: until when, 0 for no end.
    frozen_until: Option<i64>,
}

/// The protections of one account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mmp {
    guards: BTreeMap<Scope, Guard>,
}

impl Mmp {
    /// Sets, replaces or removes a protection.
    pub(crate) fn set(&mut self, scope: Scope, config: Option<Config>) -> Result<(), ApiError> {
        let Some(config) = config else {
            self.guards.remove(&scope);
            return Ok(());
        };
        if let Some(group) = &scope.1 {
            let elsewhere =
                self.guards.keys().any(|(index, other)| other.as_ref() == Some(group) && *index != scope.0);
            let groups = self.guards.keys().filter(|(_, group)| group.is_some()).count();
            if elsewhere || (groups >= MOST_GROUPS && !self.guards.contains_key(&scope)) {
                return Err(ApiError::invalid_param("mmp_group", "taken by another index, or one too many"));
            }
        }
        self.guards.insert(scope, Guard { config, fills: VecDeque::new(), frozen_until: None });
        Ok(())
    }

    pub(crate) fn config(&self, scope: &Scope) -> Option<&Config> {
        self.guards.get(scope).map(|guard| &guard.config)
    }

    pub(crate) fn configs(&self) -> impl Iterator<Item = (&Scope, &Config)> {
        self.guards.iter().map(|(scope, guard)| (scope, &guard.config))
    }

    /// The protections that are triggered now.
    pub(crate) fn triggered(&self, now_ms: i64) -> impl Iterator<Item = (&Scope, i64)> {
        self.guards.iter().filter_map(move |(scope, guard)| {
            guard.frozen_until.filter(|until| *until == 0 || now_ms < *until).map(|until| (scope, until))
        })
    }

    /// The index that a group is for.
    pub(crate) fn index_of(&self, group: &str) -> Option<&str> {
        self.guards.keys().find(|(_, other)| other.as_deref() == Some(group)).map(|(index, _)| index.as_str())
    }

    pub(crate) fn is_triggered(&self, scope: &Scope, now_ms: i64) -> bool {
        self.triggered(now_ms).any(|(other, _)| other == scope)
    }

    /// `private/reset_mmp`.
    pub(crate) fn reset(&mut self, scope: &Scope) {
        if let Some(guard) = self.guards.get_mut(scope) {
            guard.fills.clear();
            guard.frozen_until = None;
        }
    }

    /// Takes a fill in. Says until when everything is frozen, when this was one too many.
    pub(crate) fn fill(&mut self, scope: &Scope, fill: Exposure) -> Option<i64> {
        let guard = self.guards.get_mut(scope)?;
        let config = &guard.config;
        guard.fills.push_back(fill);
        guard.fills.retain(|old| old.ms + config.interval_s * 1_000 > fill.ms);
        let sum = |part: fn(&Exposure) -> f64| guard.fills.iter().map(part).sum::<f64>().abs();
        let over = |limit: Option<f64>, sum: f64| limit.is_some_and(|limit| sum >= limit * (1.0 - 1e-9));
        let hit = over(config.quantity, sum(|fill| fill.quantity))
            || over(config.delta, sum(|fill| fill.delta))
            || over(config.vega, sum(|fill| fill.vega));
        if !hit {
            return None;
        }
        let until = if config.frozen_s == 0 { 0 } else { fill.ms + config.frozen_s * 1_000 };
        guard.fills.clear();
        guard.frozen_until = Some(until);
        Some(until)
    }
}
