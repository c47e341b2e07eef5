//! Writes the parameters of the adapter's own requests.

use std::fmt::Write as _;

use crate::json;

/// A JSON object that grows member by member.
#[derive(Default)]
pub(super) struct Params(String);

impl Params {
    /// Adds a string.
    pub(super) fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        json::quote(&mut self.0, value);
        self
    }

    /// Adds a string, if there is one.
    pub(super) fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds a number, `true` or `false`.
    pub(super) fn plain(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.name(name);
        // Writing to a string does not fail.
        let _ = write!(self.0, "{value}");
        self
    }

    /// The object's text.
    pub(super) fn done(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }

    fn name(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        json::quote(&mut self.0, name);
        self.0.push(':');
    }
}
