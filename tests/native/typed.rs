//! The typed surface of the venue, against the exchange.

use steadysocket::deribit::data::OrderResponse;
use steadysocket::deribit::data::{OrderState, OrderType, TimeInForce};
use steadysocket::deribit::order::{Close, Edit, Named, TriggerAt};
use steadysocket::deribit::{
    AnyOrder, Code, Deribit, Editing, Interval, Options, Order, Outcome, Placing, Scope, topics,
};
use steadysocket::{Error, Native, Subscription, Update};
use steadysocket_exchange::Exchange;

use crate::support::*;

const PERPETUAL: &str = "BTC-PERPETUAL";

async fn log_in(exchange: &Exchange) -> Deribit {
    let options = Options::testnet().credentials("local", "local-secret");
    let config = config(exchange.url()).limiter(Some(plenty()));
    soon(Deribit::connect_with(options, config, Native::new())).await.unwrap()
}

fn requests(exchange: &Exchange, method: &str) -> usize {
    exchange.journal().requests().filter(|request| request.method == method).count()
}

/// The answer to an order that is taken.
async fn placed(placing: Placing) -> OrderResponse {
    soon(placing.into_future()).await.unwrap().accepted().unwrap()
}

/// The order after an edit that is taken.
async fn after_edit<B: Named + 'static>(editing: Editing<B>) -> Order {
    soon(editing.into_future()).await.unwrap().accepted().unwrap().order
}

fn field(error: Error) -> &'static str {
    match error {
        Error::Config(error) => error.field,
        other => panic!("{other:?}"),
    }
}

async fn found<T, F>(stream: &mut Subscription<T>, mut pick: F) -> T
where
    T: steadysocket::FromPayload + std::fmt::Debug,
    F: FnMut(&T) -> bool,
{
    loop {
        match next(stream).await {
            Update::Data(data) if pick(&data) => return data,
            Update::Data(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_order_from_its_placing_to_its_end() {
    let exchange = exchange().frozen(true).start().await.unwrap();
    let deribit = log_in(&exchange).await;
    let scope = || Scope::instrument(PERPETUAL);
    let mut raw = soon(deribit.subscribe(&topics::user_orders(scope(), Interval::Raw))).await.unwrap();
    let mut grouped = soon(deribit.subscribe(&topics::user_orders(scope(), Interval::Ms100))).await.unwrap();

    let ticker = soon(deribit.ticker(PERPETUAL).into_future()).await.unwrap();
    let instrument = soon(deribit.instruments().require(PERPETUAL)).await.unwrap();
    let low = instrument.tick_below(ticker.best_bid_price.unwrap() - 100.0);

    let placed =
        placed(deribit.buy(Order::limit(PERPETUAL, 50.0, low).post_only().label("typed-1")).exact_label())
            .await;
    let order = placed.order;
    assert_eq!((order.order_state.clone(), order.order_type.clone()), (OrderState::Open, OrderType::Limit));
    assert_eq!((order.label(), order.limit_price(), order.filled()), (Some("typed-1"), Some(low), 0.0));
    assert!(order.post_only && order.is_live() && placed.trades.is_empty());
    for update in [found(&mut raw, |_| true).await, found(&mut grouped, |_| true).await] {
        assert_eq!((update.len(), &update[0].order_id), (1, &order.order_id), "alone or in a list");
    }

    let open = soon(deribit.get_open_orders_by_instrument(PERPETUAL).into_future()).await.unwrap();
    assert_eq!(open.iter().map(|order| &order.order_id).collect::<Vec<_>>(), [&order.order_id]);
    let by_label = deribit.get_order_state_by_label("BTC").label("typed-1");
    assert_eq!(soon(by_label.into_future()).await.unwrap().len(), 1);

    let lower = instrument.tick_below(low);
    let edited = after_edit(deribit.edit(Edit::of(&order).size(40.0).price(lower))).await;
    assert_eq!((edited.amount, edited.limit_price(), edited.replaced), (40.0, Some(lower), true));
    let edited = after_edit(deribit.edit(Edit::label(PERPETUAL, "typed-1", 30.0))).await;
    assert_eq!((&edited.order_id, edited.amount), (&order.order_id, 30.0));

    let cancelled = soon(deribit.cancel(&*order.order_id).into_future()).await.accepted().unwrap();
    assert_eq!(cancelled.order_id, order.order_id);
    found(&mut raw, |orders| orders[0].order_state == OrderState::Cancelled).await;
    let state = soon(deribit.get_order_state(&*order.order_id).into_future()).await.unwrap();
    assert_eq!((state.order_state.clone(), state.is_live()), (OrderState::Cancelled, false));
    let again = soon(deribit.cancel(&*order.order_id).into_future()).await;
    assert!(matches!(again, Outcome::Rejected(_)), "{again:?}");
    let missing = soon(deribit.get_order_state("BTC-0").into_future()).await.unwrap_err();
    assert_eq!(Code::of(&missing), Some(Code::OrderNotFound), "{missing:?}");
}

#[tokio::test]
async fn a_position_opened_protected_and_closed() {
    let exchange = exchange().frozen(true).start().await.unwrap();
    let deribit = log_in(&exchange).await;
    let mut changes =
        soon(deribit.subscribe(&topics::user_changes(Scope::market("any", "any"), Interval::Raw)))
            .await
            .unwrap();
    let mut trades =
        soon(deribit.subscribe(&topics::user_trades(Scope::instrument(PERPETUAL), Interval::Raw)))
            .await
            .unwrap();

    let bought = placed(deribit.buy(Order::market(PERPETUAL, 20.0).label("in")).exact_label()).await;
    assert_eq!((bought.order.order_state.clone(), bought.executed()), (OrderState::Filled, 20.0));
    let trade = &bought.trades[0];
    assert_eq!((&trade.order_id, trade.label.as_deref()), (&bought.order.order_id, Some("in")));
    assert!(trade.fee.is_some() && trade.fee_currency.is_some());
    assert_eq!(found(&mut trades, |_| true).await[0].trade_id, trade.trade_id);
    let change = found(&mut changes, |change| !change.positions.is_empty()).await;
    assert_eq!((&*change.instrument_name, change.positions[0].size), (PERPETUAL, 20.0));

    let ticker = soon(deribit.ticker(PERPETUAL).into_future()).await.unwrap();
    let instrument = soon(deribit.instruments().require(PERPETUAL)).await.unwrap();
    let far = instrument.round_price(ticker.mark_price.unwrap() * 0.9, steadysocket::deribit::Rounding::Down);
    let stop = Order::stop_market(PERPETUAL, 20.0, TriggerAt::mark(far)).reduce_only();
    let stop = placed(deribit.sell(stop)).await.order;
    assert_eq!(
        (stop.order_state.clone(), stop.limit_price()),
        (OrderState::Untriggered, None),
        "{:?}",
        stop.price
    );
    assert_eq!((stop.filled(), stop.trigger_price), (0.0, Some(far)));

    let closed = soon(deribit.close_position(PERPETUAL, Close::Market)).await.unwrap();
    assert_eq!(closed.executed(), 20.0);
    let position = soon(deribit.get_position(PERPETUAL).into_future()).await.unwrap();
    assert_eq!(position.size, 0.0);
    let page = deribit.get_user_trades_by_instrument(PERPETUAL).count(1);
    assert!(soon(page.into_future()).await.unwrap().has_more);
    let cancelled = soon(deribit.cancel_all().settled()).await.unwrap();
    assert!(cancelled <= 1, "the stop, unless the closing took it along");
}

#[tokio::test]
async fn every_page_of_the_trades_and_nothing_twice() {
    use futures::TryStreamExt;
    let exchange = exchange().frozen(true).start().await.unwrap();
    let deribit = log_in(&exchange).await;
    let mut ids = Vec::new();
    for _ in 0..7 {
        let bought = placed(deribit.buy(Order::market(PERPETUAL, 10.0))).await;
        ids.extend(bought.trades.into_iter().map(|trade| trade.trade_id));
    }
    let pages = deribit.get_user_trades_by_instrument(PERPETUAL).count(2).all();
    let all: Vec<_> = soon(pages.try_collect()).await.unwrap();
    let mut found: Vec<_> = all.into_iter().map(|trade| trade.trade_id).collect();
    found.reverse();
    assert_eq!(found, ids, "the newest first");
}

#[tokio::test]
async fn what_is_wrong_does_not_leave() {
    let exchange = exchange().start().await.unwrap();
    let deribit = log_in(&exchange).await;
    let refused = async |order: AnyOrder| soon(deribit.buy(order).into_future()).await.unwrap_err().field;
    assert_eq!(refused(Order::limit(PERPETUAL, 10.0, 60_000.3).into()).await, "price");
    assert_eq!(refused(Order::limit(PERPETUAL, 11.0, 60_000.0).into()).await, "amount");
    assert_eq!(refused(Order::market(PERPETUAL, 10.0).label("x".repeat(65)).into()).await, "label");
    assert_eq!(refused(Order::market("BTC-PERPETUALL", 10.0).into()).await, "instrument_name");
    let edit = Edit::order(PERPETUAL, "1", 10.0).price(0.3);
    assert_eq!(soon(deribit.edit(edit).into_future()).await.unwrap_err().field, "price");
    let close = soon(deribit.close_position(PERPETUAL, Close::Limit(0.3))).await.unwrap_err();
    assert_eq!(field(close), "price");
    for method in ["private/buy", "private/sell", "private/edit", "private/close_position"] {
        assert_eq!(requests(&exchange, method), 0, "{method}");
    }
}

#[tokio::test]
async fn instruments_are_fetched_once() {
    let exchange = exchange().start().await.unwrap();
    let deribit = log_in(&exchange).await;
    let instruments = deribit.instruments();
    assert!(instruments.get(PERPETUAL).is_none());
    let (one, other) =
        soon(async { futures::join!(instruments.find(PERPETUAL), instruments.find(PERPETUAL)) }).await;
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(requests(&exchange, "public/get_instrument"), 1);
    assert_eq!(instruments.get(PERPETUAL).unwrap().contract_size, 10.0);
    assert!(soon(instruments.find("NO-SUCH")).await.unwrap().is_none());

    let all = soon(instruments.all()).await.unwrap();
    assert!(all.len() > 5 && all.is_sorted_by_key(|instrument| instrument.instrument_name.clone()));
    let _again = soon(instruments.all()).await.unwrap();
    assert_eq!(requests(&exchange, "public/get_instruments"), 1);
}

/// Whatever the exchange has of the venue's queries decodes.
#[tokio::test]
async fn the_queries_of_an_account() {
    let exchange = exchange().start().await.unwrap();
    let deribit = log_in(&exchange).await;
    let order = Order::limit(PERPETUAL, 10.0, 1_000.0).good_til_day().label("q");
    let order = placed(deribit.buy(order).exact_label()).await.order;
    assert_eq!(order.time_in_force, Some(TimeInForce::GoodTilDay));
    placed(deribit.sell(Order::market(PERPETUAL, 10.0))).await;

    let summary = soon(deribit.get_account_summary("BTC").extended(true).into_future()).await.unwrap();
    assert_eq!(summary.currency, "BTC");
    assert!(summary.equity.is_some() && summary.limits.is_some());
    assert!(!soon(deribit.get_account_summaries().into_future()).await.unwrap().summaries.is_empty());
    assert_eq!(soon(deribit.get_positions().currency("BTC").into_future()).await.unwrap().len(), 1);
    let open = soon(deribit.get_open_orders().into_future()).await.unwrap();
    assert_eq!(open[0].order_id, order.order_id);
    assert_eq!(soon(deribit.get_open_orders_by_currency("BTC").into_future()).await.unwrap().len(), 1);
    let labelled = deribit.get_open_orders_by_label("BTC").label("q");
    assert_eq!(soon(labelled.into_future()).await.unwrap().len(), 1);
    let history = deribit.get_order_history_by_instrument(PERPETUAL).include_unfilled(true);
    assert_eq!(soon(history.into_future()).await.unwrap().orders.len(), 1);
    let history = deribit.get_order_history_by_currency("BTC").with_continuation(true);
    assert_eq!(soon(history.into_future()).await.unwrap().orders.len(), 1);
    let trades = soon(deribit.get_user_trades_by_currency("BTC").into_future()).await.unwrap().trades;
    let of_order = deribit.get_user_trades_by_order(&*trades[0].order_id);
    assert!(!soon(of_order.into_future()).await.unwrap().is_empty());
    let margins = deribit.get_margins(PERPETUAL, 10.0, 60_000.0);
    assert!(soon(margins.into_future()).await.unwrap().buy.is_some());
    let margins = deribit.get_order_margin_by_ids([order.order_id.clone()]);
    assert_eq!(soon(margins.into_future()).await.unwrap()[0].order_id, order.order_id);
    soon(deribit.get_user_locks().into_future()).await.unwrap();
    soon(deribit.get_subaccounts().into_future()).await.unwrap();
    soon(deribit.get_trigger_order_history("BTC").into_future()).await.unwrap();
    let now = soon(deribit.get_time().into_future()).await.unwrap();
    soon(deribit.get_transaction_log("BTC", now - 60_000, now + 60_000).into_future()).await.unwrap();
    soon(deribit.get_settlement_history_by_currency("BTC").into_future()).await.unwrap();

    let reports = deribit.cancel_all().detailed();
    let reports = soon(reports.settled()).await.unwrap();
    let cancelled: Vec<_> = reports.iter().flat_map(|report| report.orders()).collect();
    assert_eq!(cancelled[0].order_id, order.order_id);
}

#[tokio::test]
async fn market_data_on_request() {
    let exchange = exchange().start().await.unwrap();
    let deribit = log_in(&exchange).await;
    let book = soon(deribit.get_order_book(PERPETUAL).depth(10).into_future()).await.unwrap();
    assert_eq!(book.ticker.instrument_name, PERPETUAL);
    assert!(book.bids[0].price < book.asks[0].price && book.change_id.is_some());
    let options = soon(deribit.get_instruments("BTC").kind("option").into_future()).await.unwrap();
    assert!(options.iter().all(|option| option.is_option() && option.strike.is_some()));
    assert!(soon(deribit.status().into_future()).await.is_ok());
}
