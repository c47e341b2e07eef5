//! What a token may do, how long, and where: the words of a `scope`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::api::error::ApiError;

/// How far a right goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    None,
    Read,
    ReadWrite,
}

/// The areas that rights are given for.
const AREAS: [&str; 6] = ["account", "block_rfq", "block_trade", "custody", "trade", "wallet"];

/// A right for each area; none where there is no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rights(BTreeMap<&'static str, Right>);

impl Rights {
    pub(crate) fn all() -> Self {
        Self(AREAS.map(|area| (area, Right::ReadWrite)).into())
    }

    pub(crate) fn read_only() -> Self {
        Self(AREAS.map(|area| (area, Right::Read)).into())
    }

    pub(crate) fn of(&self, area: &str) -> Right {
        self.0.get(area).copied().unwrap_or(Right::None)
    }

    /// The smaller of both rights where `asked` says something, otherwise what there is.
    fn narrowed(&self, asked: &BTreeMap<&'static str, Right>) -> Self {
        let right = |(area, right): (&&'static str, &Right)| {
            (*area, asked.get(area).map_or(*right, |asked| *right.min(asked)))
        };
        Self(self.0.iter().map(right).collect())
    }
}

/// Where a token is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// On the connection that it was made on.
    Connection,
    /// Everywhere, under this name.
    Session(String),
}

/// A scope as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    reach: Reach,
    rights: BTreeMap<&'static str, Right>,
    expires: Option<u64>,
    ip: Option<IpAddr>,
}

impl Asked {
    /// Reads the words. What only the server sets is read over.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut asked = Self { reach: Reach::Connection, rights: BTreeMap::new(), expires: None, ip: None };
        for word in text.split_whitespace() {
            asked.take(word).ok_or_else(|| ApiError::invalid_param("scope", "unsupported value"))?;
        }
        Ok(asked)
    }

    fn take(&mut self, word: &str) -> Option<()> {
        match word.split_once(':') {
            None if word == "connection" => self.reach = Reach::Connection,
            None if word == "mainaccount" => {}
            Some(("session", name)) if !name.is_empty() => self.reach = Reach::Session(name.to_owned()),
            Some(("expires", seconds)) => self.expires = Some(seconds.parse().ok()?),
            Some(("ip", "*")) => self.ip = None,
            Some(("ip", address)) => self.ip = Some(address.parse().ok()?),
            Some(("name", _)) => {}
            Some((area, right)) => {
                let area = AREAS.into_iter().find(|known| *known == area)?;
                self.rights.insert(area, parse_right(right)?);
            }
            None => return None,
        }
        Some(())
    }

    /// Whether it asks for more than these rights.
    pub(crate) fn exceeds(&self, rights: &Rights) -> bool {
        self.rights.iter().any(|(area, right)| *right > rights.of(area))
    }
}

fn parse_right(word: &str) -> Option<Right> {
    match word {
        "none" => Some(Right::None),
        "read" => Some(Right::Read),
        "read_write" => Some(Right::ReadWrite),
        _ => None,
    }
}

/// A scope as it was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) reach: Reach,
    pub(crate) rights: Rights,
    pub(crate) expires: Option<u64>,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) main_account: bool,
}

impl Scope {
    /// What someone with `rights` gets who asks for this.
    pub(crate) fn granted(asked: &Asked, rights: &Rights, main_account: bool) -> Self {
        Self {
            reach: asked.reach.clone(),
            rights: rights.narrowed(&asked.rights),
            expires: asked.expires,
            ip: asked.ip,
            main_account,
        }
    }

    /// The words, as a reply has them: in alphabetical order.
    pub(crate) fn words(&self) -> String {
        let mut words: Vec<String> = self
            .rights
            .0
            .iter()
            .filter_map(|(area, right)| match right {
                Right::None => None,
                Right::Read => Some(format!("{area}:read")),
                Right::ReadWrite => Some(format!("{area}:read_write")),
            })
            .collect();
        words.push(match &self.reach {
            Reach::Connection => "connection".into(),
            Reach::Session(name) => format!("session:{name}"),
        });
        words.extend(self.expires.map(|seconds| format!("expires:{seconds}")));
        words.extend(self.ip.map(|ip| format!("ip:{ip}")));
        words.extend(self.main_account.then(|| "mainaccount".to_owned()));
        words.sort();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(text: &str, rights: &Rights) -> String {
        Scope::granted(&Asked::parse(text).unwrap(), rights, true).words()
    }

    #[test]
    fn a_scope_narrows_and_never_widens() {
        assert_eq!(
            granted("session:bot trade:read wallet:none expires:60", &Rights::all()),
            "account:read_write block_rfq:read_write block_trade:read_write custody:read_write expires:60 \
             mainaccount session:bot trade:read"
        );
        let narrow = granted("trade:read_write", &Rights::read_only());
        assert!(narrow.contains("trade:read ") && narrow.contains("connection"), "{narrow}");
        assert!(Asked::parse("trade:read_write").unwrap().exceeds(&Rights::read_only()));
    }

    #[test]
    fn words_that_mean_nothing_are_refused() {
        for text in ["trade", "trade:write", "expires:soon", "session:", "everything:read", "ip:here"] {
            assert!(Asked::parse(text).is_err(), "{text}");
        }
    }
}
