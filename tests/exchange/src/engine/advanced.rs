//! Orders for options whose price is given in USD or as volatility: their price in the book follows the index.

use super::Engine;
use super::order::OrderId;

impl Engine {
    /// Moves the orders of an instrument whose price is another one now. Each goes to the end of its line.
    pub(super) fn follow_index(&mut self, position: usize, now_ms: i64) {
        let Some(quoted) = self.market.at(position) else { return };
        let moved = |order: &super::Order| {
            let (kind, value) = order.ticket.advanced?;
            let price = quoted.advanced_price(kind, value);
            (order.ticket.price != Some(price)).then_some((order.id, price))
        };
        let moves: Vec<(OrderId, i64)> = self.orders.following(position).filter_map(moved).collect();
        for (id, price) in moves {
            let Some(order) = self.orders.get(id) else { continue };
            let (side, old) = (order.ticket.side, order.ticket.price);
            // Nobody trades with himself; such an order waits for the next price.
            let (account, left) = (order.account, order.left());
            let Some(quoted) = self.market.at_mut(position) else { return };
            if quoted.book.probe(side, price, left, Some(account)).meets_own {
                continue;
            }
            if let Some(old) = old {
                quoted.book.remove(side, old, id);
            }
            self.alter(id, |order| {
                (order.ticket.price, order.auto_replaced, order.replaced) = (Some(price), true, true);
                order.updated_ms = now_ms;
            });
            self.run(id, now_ms);
        }
    }
}
