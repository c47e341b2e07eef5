//! Requests that concern many orders at once. None of them names the orders, so what is learned after an unknown outcome is
//! not what the request did, but how things stand.

use std::future::IntoFuture;

use futures::future::try_join_all;

use super::Outcome;
use super::calls::{Prepared, early};
use super::pending::check_passing;
use super::search::{Pauses, is_settled};
use crate::deribit::Deribit;
use crate::deribit::data::{MassQuoteResponse, Order};
use crate::deribit::query::{MassQuote, Query, Targeted};
use crate::error::{ConfigError, Error};
use crate::platform::BoxFuture;
use crate::protocol::Request;

/// A mass cancel whose outcome is unknown: `Q` is the query that was made.
#[derive(Clone, Debug)]
#[must_use = "orders may be live: resolve it"]
pub struct PendingMassCancel<Q> {
    query: Q,
    reason: Box<Error>,
}

pub(crate) async fn mass_cancel<Q: Query + Targeted>(query: Q) -> Outcome<Q::Answer, PendingMassCancel<Q>> {
    match query.target().call(&query).await {
        Ok(answer) => Outcome::Accepted(answer),
        Err(error) => Outcome::of_error(error, |reason| PendingMassCancel { query, reason }),
    }
}

#[allow(private_bounds, reason = "it is made of the queries of this crate")]
impl<Q: Query + Targeted> PendingMassCancel<Q> {
    /// Why the outcome is unknown.
    pub fn reason(&self) -> &Error {
        &self.reason
    }

    /// Cancels again, until the exchange has answered: then none of the orders that were meant is live, whichever request
    /// it was that cancelled them. Returns the answer to the last.
    ///
    /// What the first did is not known even then: the venue keeps no record of mass cancels. Nor have they a
    /// `valid_until`, so that the first may be carried out late. **Orders placed meanwhile are cancelled, too**: resolve
    /// it before you place new ones. And an order whose own outcome is unknown may still arrive after it: resolve that,
    /// too. To cancel something by an order's id has none of this: see [`Deribit::cancel`].
    ///
    /// It waits for the connection as long as it takes, and goes on through more cuts; drop it to give up.
    ///
    /// # Errors
    /// [`Error::Connect`] when the client has ended: make the same call on another one. [`Error::Rejected`] when the
    /// exchange refuses it.
    pub async fn resolve(&self) -> Result<Q::Answer, Error> {
        let (client, mut pauses) = (self.query.target().client(), Pauses::default());
        loop {
            client.ready().await?;
            match self.query.target().call(&self.query).await {
                Ok(answer) => return Ok(answer),
                Err(error) => check_passing(error)?,
            }
            client.sleep(pauses.next()).await;
        }
    }
}

/// A mass quote whose outcome is unknown.
#[derive(Clone, Debug)]
#[must_use = "quotes may be live: resolve it"]
pub struct PendingMassQuote {
    deribit: Deribit,
    quote_id: String,
    mmp_group: String,
    instruments: Vec<String>,
    valid_until: u64,
    reason: Box<Error>,
}

impl PendingMassQuote {
    /// Why the outcome is unknown.
    pub fn reason(&self) -> &Error {
        &self.reason
    }

    /// The message's name, which is the [`quote_id`](Order#structfield.quote_id) of the orders that it made.
    pub fn quote_id(&self) -> &str {
        &self.quote_id
    }

    /// From when on the exchange refuses the message, in milliseconds of its clock.
    pub fn valid_until(&self) -> u64 {
        self.valid_until
    }

    /// The live quotes of the message's group and instruments, once the message cannot change them any more: some seconds
    /// after its [`valid_until`](Self::valid_until).
    ///
    /// One with the message's [`quote_id`](Self::quote_id) shows that it was carried out. **Where a side has none, the
    /// venue does not tell why**: it was refused, it was executed in full (the user's trades tell, by `quote_id`), it was
    /// cancelled with the connection, or the message never arrived.
    ///
    /// It waits for the connection as long as it takes, and goes on through more cuts; drop it to give up.
    ///
    /// # Errors
    /// [`Error::Connect`] when the client has ended: [`resolve_by`](Self::resolve_by) another one.
    /// [`Error::Rejected`] when the exchange does not let this account look.
    pub async fn resolve(&self) -> Result<Vec<Order>, Error> {
        self.resolve_by(&self.deribit).await
    }

    /// As [`resolve`](Self::resolve), by another client of the same account.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub async fn resolve_by(&self, deribit: &Deribit) -> Result<Vec<Order>, Error> {
        let mut pauses = Pauses::default();
        loop {
            deribit.client().ready().await?;
            let now = deribit.server_time();
            if is_settled(self.valid_until, now) {
                match deribit.get_open_orders().await {
                    Ok(orders) => {
                        return Ok(orders.into_iter().filter(|order| self.is_meant(order)).collect());
                    }
                    Err(error) => check_passing(error)?,
                }
            }
            deribit.client().sleep(pauses.next_until(self.valid_until, now)).await;
        }
    }

    fn is_meant(&self, order: &Order) -> bool {
        order.quote
            && order.mmp_group.as_ref() == Some(&self.mmp_group)
            && self.instruments.contains(&order.instrument_name)
    }
}

impl MassQuote {
    async fn run(mut self) -> Result<Outcome<MassQuoteResponse, PendingMassQuote>, ConfigError> {
        let deribit = self.deribit.clone();
        let instruments = try_join_all(
            self.quotes
                .iter()
                .map(|quote| async { deribit.instruments().require(&quote.instrument_name).await }),
        );
        let Prepared { known: instruments, left, end, .. } =
            match deribit.prepare(instruments, self.timeout).await {
                Ok(prepared) => prepared,
                Err(error) => return early(error),
            };
        let quotes = self.quotes.into_iter().zip(&instruments);
        self.quotes =
            quotes.map(|(quote, instrument)| quote.checked(instrument)).collect::<Result<_, _>>()?;
        let valid_until = self.valid_until.map_or(end, |wanted| wanted.min(end));
        self.valid_until = Some(valid_until);
        let request = match Request::with(Self::METHOD, &self) {
            Ok(request) => request,
            Err(reason) => return Ok(Outcome::NotSent(reason)),
        };
        Ok(match deribit.answer(request, left).await {
            Ok(answer) => Outcome::Accepted(answer),
            Err(error) => Outcome::of_error(error, |reason| PendingMassQuote {
                deribit,
                quote_id: self.quote_id,
                mmp_group: self.mmp_group,
                instruments: self.quotes.into_iter().map(|quote| quote.instrument_name).collect(),
                valid_until,
                reason,
            }),
        })
    }
}

impl IntoFuture for MassQuote {
    type Output = Result<Outcome<MassQuoteResponse, PendingMassQuote>, ConfigError>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
