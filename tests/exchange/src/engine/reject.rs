//! What the matching engine says no with.

use crate::api::error::ApiError;

pub(crate) const QTY_TOO_LOW: ApiError = ApiError::order(10002, "qty_too_low");
pub(crate) const ORDER_OVERLAP: ApiError = ApiError::order(10003, "order_overlap");
pub(crate) const ORDER_NOT_FOUND: ApiError = ApiError::order(10004, "order_not_found");
pub(crate) const NOT_ENOUGH_FUNDS: ApiError = ApiError::order(10009, "not_enough_funds");
pub(crate) const ALREADY_CLOSED: ApiError = ApiError::order(10010, "already_closed");
pub(crate) const BOOK_CLOSED: ApiError = ApiError::order(10012, "book_closed");
pub(crate) const LOCKED_BY_ADMIN: ApiError = ApiError::order(10019, "locked_by_admin");
pub(crate) const INVALID_AMOUNT: ApiError = ApiError::order(10021, "invalid_amount");
pub(crate) const INVALID_PRICE: ApiError = ApiError::order(10023, "invalid_price");
pub(crate) const INVALID_ORDER_ID: ApiError = ApiError::order(10025, "invalid_order_id");
pub(crate) const NON_INTEGER_CONTRACTS: ApiError = ApiError::order(10027, "non_integer_contract_amount");
pub(crate) const NOT_OWNER: ApiError = ApiError::order(10029, "not_owner_of_order");
pub(crate) const TRIGGER_TOO_HIGH: ApiError = ApiError::order(10034, "trigger_price_too_high");
pub(crate) const TRIGGER_TOO_LOW: ApiError = ApiError::order(10035, "trigger_price_too_low");
pub(crate) const INVALID_DISPLAY: ApiError = ApiError::order(10036, "invalid_max_show_amount");
pub(crate) const SETTLING: ApiError = ApiError::order(10041, "settlement_in_progress");
pub(crate) const WRONG_TICK: ApiError = ApiError::order(10043, "price_wrong_tick");
pub(crate) const TRIGGER_WRONG_TICK: ApiError = ApiError::order(10044, "trigger_price_wrong_tick");
pub(crate) const QUEUE_FULL: ApiError = ApiError::order(10047, "matching_engine_queue_full");
pub(crate) const INVALID_TRIGGER: ApiError = ApiError::order(11036, "invalid_trigger_price");
pub(crate) const NO_ADV_FOR_FUTURES: ApiError = ApiError::order(11038, "no_adv_for_futures");
pub(crate) const NO_ADV_POST_ONLY: ApiError = ApiError::order(11039, "no_adv_postonly");
pub(crate) const NOT_ADV_ORDER: ApiError = ApiError::order(11041, "not_adv_order");
pub(crate) const NOT_OPEN: ApiError = ApiError::order(11044, "not_open_order");
pub(crate) const UNSUPPORTED_COMBINATION: ApiError = ApiError::order(11047, "unsupported_arg_combination");
pub(crate) const POST_ONLY_REJECT: ApiError = ApiError::order(11054, "post_only_reject");
pub(crate) const POST_ONLY_NOT_ALLOWED: ApiError = ApiError::order(11055, "post_only_not_allowed");
pub(crate) const ORDERBOOK_CLOSED: ApiError = ApiError::order(13019, "orderbook_closed");
pub(crate) const MMP_TRIGGER: ApiError = ApiError::order(13030, "mmp_trigger");
pub(crate) const NON_UNIQUE_LABEL: ApiError = ApiError::order(13032, "non_unique_order_label");
pub(crate) const MMP_REQUIRED: ApiError = ApiError::order(13040, "mmp_required");
pub(crate) const COD_NOT_ENABLED: ApiError = ApiError::order(13042, "cod_not_enabled");
pub(crate) const QUOTES_FROZEN: ApiError = ApiError::order(13043, "quotes_frozen");
pub(crate) const CANCELLED_BY_USER: ApiError = ApiError::order(13666, "request_cancelled_by_user");
pub(crate) const TIMED_OUT: ApiError = ApiError::order(13888, "timed_out");
pub(crate) const MASS_QUOTES_DISABLED: ApiError = ApiError::order(13902, "mass_quotes_disabled");

pub(crate) const TOO_MANY_QUOTES: ApiError = ApiError::order(13903, "too_many_quotes");

/// Too high or too low, with the limit that it passed.
pub(crate) fn price_out_of_band(too_high: bool, limit: f64) -> ApiError {
    let (code, message) = if too_high { (10007, "price_too_high") } else { (10005, "price_too_low") };
    ApiError::order_with(code, message, limit)
}

/// Something that has no code of its own.
pub(crate) fn other(reason: &str) -> ApiError {
    ApiError::order_with(11030, "other_reject", reason)
}
