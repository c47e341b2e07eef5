//! The table of codes. Source: the "complete" table at the end of Deribit's article on errors (2026); the one at its
//! top is made up. Classes and advice are ours.

use super::{Class, after};
use crate::error::Advice;
use crate::error::Advice::{Change, Reauthenticate, Reconcile};

/// Temporary: nothing was executed.
const RETRY: Advice = Advice::Retry(None);

/// Declares [`Code`] from rows of number, variant, the venue's word, class and advice.
macro_rules! codes {
    ($($number:literal $variant:ident $name:literal $class:ident $advice:expr;)*) => {
        /// The venue's error codes. Those that this version does not know pass through as [`Other`](Self::Other).
        ///
        /// ```
        /// use steadysocket::deribit::{Class, Code};
        /// let code = Code::from(11054);
        /// assert_eq!((code, code.name(), code.class()), (Code::PostOnlyReject, "post_only_reject", Class::Order));
        /// assert_eq!(Code::from(99), Code::Other(99));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $name, "` (", $number, ")")] $variant,)*
            /// A code that is not in the table.
            Other(i64),
        }

        impl Code {
            /// All codes of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The number on the wire.
            pub fn number(self) -> i64 {
                match self {
                    $(Self::$variant => $number,)*
                    Self::Other(number) => number,
                }
            }

            /// The venue's word. The message of an error may add a value to it, such as the limit that was passed.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other(_) => "other",
                }
            }

            /// What it is about.
            pub fn class(self) -> Class {
                match self {
                    $(Self::$variant => Class::$class,)*
                    Self::Other(_) => Class::Other,
                }
            }

            /// What to do next, whatever the request was. With a code that is not in the table nothing is certain.
            pub fn advice(self) -> Advice {
                match self {
                    $(Self::$variant => $advice,)*
                    Self::Other(_) => Reconcile,
                }
            }
        }

        impl From<i64> for Code {
            fn from(number: i64) -> Self {
                match number {
                    $($number => Self::$variant,)*
                    other => Self::Other(other),
                }
            }
        }
    };
}

codes! {
    10000 AuthorizationRequired "authorization_required" Login Reauthenticate;
    10001 GeneralFailure "error" Temporary Reconcile;
    10002 QtyTooLow "qty_too_low" Order Change;
    10003 OrderOverlap "order_overlap" Order Change;
    10004 OrderNotFound "order_not_found" Order Change;
    10005 PriceTooLow "price_too_low" Order Change;
    10006 PriceTooLowForIndex "price_too_low4idx" Order Change;
    10007 PriceTooHigh "price_too_high" Order Change;
    10009 NotEnoughFunds "not_enough_funds" Order Change;
    10010 AlreadyClosed "already_closed" Order Change;
    10011 PriceNotAllowed "price_not_allowed" Order Change;
    10012 BookClosed "book_closed" Order Change;
    10013 PmeMaxTotalOpenOrders "pme_max_total_open_orders" Order Change;
    10014 PmeMaxFutureOpenOrders "pme_max_future_open_orders" Order Change;
    10015 PmeMaxOptionOpenOrders "pme_max_option_open_orders" Order Change;
    10016 PmeMaxFutureOpenOrdersSize "pme_max_future_open_orders_size" Order Change;
    10017 PmeMaxOptionOpenOrdersSize "pme_max_option_open_orders_size" Order Change;
    10018 NonPmeMaxFuturePositionSize "non_pme_max_future_position_size" Order Change;
    10019 LockedByAdmin "locked_by_admin" Temporary after(60);
    10020 InvalidOrUnsupportedInstrument "invalid_or_unsupported_instrument" Order Change;
    10021 InvalidAmount "invalid_amount" Order Change;
    10022 InvalidQuantity "invalid_quantity" Order Change;
    10023 InvalidPrice "invalid_price" Order Change;
    10024 InvalidMaxShow "invalid_max_show" Order Change;
    10025 InvalidOrderId "invalid_order_id" Order Change;
    10026 PricePrecisionExceeded "price_precision_exceeded" Order Change;
    10027 NonIntegerContractAmount "non_integer_contract_amount" Order Change;
    10028 TooManyRequests "too_many_requests" Pressure after(5);
    10029 NotOwnerOfOrder "not_owner_of_order" Permission Change;
    10030 MustBeWebsocketRequest "must_be_websocket_request" Protocol Change;
    10031 InvalidArgsForInstrument "invalid_args_for_instrument" Order Change;
    10032 WholeCostTooLow "whole_cost_too_low" Order Change;
    10033 NotImplemented "not_implemented" Protocol Change;
    10034 TriggerPriceTooHigh "trigger_price_too_high" Order Change;
    10035 TriggerPriceTooLow "trigger_price_too_low" Order Change;
    10036 InvalidMaxShowAmount "invalid_max_show_amount" Order Change;
    10037 NonPmeTotalShortOptionsPositionsSize "non_pme_total_short_options_positions_size" Order Change;
    10038 PmeMaxRiskReducingOrders "pme_max_risk_reducing_orders" Order Change;
    10039 NotEnoughFundsInCurrency "not_enough_funds_in_currency" Order Change;
    10040 Retry "retry" Temporary RETRY;
    10041 SettlementInProgress "settlement_in_progress" Temporary after(1);
    10043 PriceWrongTick "price_wrong_tick" Order Change;
    10044 TriggerPriceWrongTick "trigger_price_wrong_tick" Order Change;
    10045 CanNotCancelLiquidationOrder "can_not_cancel_liquidation_order" Order Change;
    10046 CanNotEditLiquidationOrder "can_not_edit_liquidation_order" Order Change;
    10047 MatchingEngineQueueFull "matching_engine_queue_full" Pressure RETRY;
    10048 NotOnThisServer "not_on_this_server" Temporary RETRY;
    10049 CancelOnDisconnectFailed "cancel_on_disconnect_failed" Temporary RETRY;
    10050 LockTimeExceeded "lock_time_exceeded" Pressure Reconcile;
    10066 TooManyConcurrentRequests "too_many_concurrent_requests" Pressure RETRY;
    10072 DisabledWhilePositionLock "disabled_while_position_lock" Order Change;
    11008 AlreadyFilled "already_filled" Order Change;
    11013 MaxSpotOpenOrders "max_spot_open_orders" Order Change;
    11021 PostOnlyPriceModificationNotPossible "post_only_price_modification_not_possible" Order Change;
    11022 MaxSpotOrderQuantity "max_spot_order_quantity" Order Change;
    11029 InvalidArguments "invalid_arguments" Order Change;
    11030 OtherReject "other_reject" Order Change;
    11031 OtherError "other_error" Order Change;
    11035 NoMoreTriggers "no_more_triggers" Order Change;
    11036 InvalidTriggerPrice "invalid_trigger_price" Order Change;
    11037 OutdatedInstrumentForIvOrder "outdated_instrument_for_IV_order" Order Change;
    11038 NoAdvForFutures "no_adv_for_futures" Order Change;
    11039 NoAdvPostonly "no_adv_postonly" Order Change;
    11041 NotAdvOrder "not_adv_order" Order Change;
    11042 PermissionDenied "permission_denied" Permission Change;
    11043 BadArgument "bad_argument" Order Change;
    11044 NotOpenOrder "not_open_order" Order Change;
    11045 InvalidEvent "invalid_event" Order Change;
    11046 OutdatedInstrument "outdated_instrument" Order Change;
    11047 UnsupportedArgCombination "unsupported_arg_combination" Order Change;
    11048 WrongMaxShowForOption "wrong_max_show_for_option" Order Change;
    11049 BadArguments "bad_arguments" Order Change;
    11050 BadRequest "bad_request" Protocol Change;
    11051 SystemMaintenance "system_maintenance" Temporary after(60);
    11052 SubscribeErrorUnsubscribed "subscribe_error_unsubscribed" Temporary RETRY;
    11053 TransferNotFound "transfer_not_found" Account Change;
    11054 PostOnlyReject "post_only_reject" Order Change;
    11055 PostOnlyNotAllowed "post_only_not_allowed" Order Change;
    11056 UnauthenticatedPublicRequestsTemporarilyDisabled
        "unauthenticated_public_requests_temporarily_disabled" Login Reauthenticate;
    11090 InvalidAddr "invalid_addr" Account Change;
    11091 InvalidTransferAddress "invalid_transfer_address" Account Change;
    11092 AddressAlreadyExist "address_already_exist" Account Change;
    11093 MaxAddrCountExceeded "max_addr_count_exceeded" Account Change;
    11094 InternalServerError "internal_server_error" Temporary Reconcile;
    11095 DisabledDepositAddressCreation "disabled_deposit_address_creation" Account Change;
    11096 AddressBelongsToUser "address_belongs_to_user" Account Change;
    11097 NoDepositAddress "no_deposit_address" Account Change;
    11098 AccountLocked "account_locked" Permission Change;
    12001 TooManySubaccounts "too_many_subaccounts" Account Change;
    12002 WrongSubaccountName "wrong_subaccount_name" Account Change;
    12003 LoginOverLimit "login_over_limit" Login Change;
    12004 RegistrationOverLimit "registration_over_limit" Account Change;
    12005 CountryIsBanned "country_is_banned" Permission Change;
    12100 TransferNotAllowed "transfer_not_allowed" Account Change;
    12998 SecurityKeyAuthorizationOverLimit "security_key_authorization_over_limit" Login RETRY;
    13004 InvalidCredentials "invalid_credentials" Login Reauthenticate;
    13005 PwdMatchError "pwd_match_error" Account Change;
    13006 SecurityError "security_error" Login Change;
    13007 UserNotFound "user_not_found" Login Change;
    13008 RequestFailed "request_failed" Account Change;
    13009 Unauthorized "unauthorized" Login Reauthenticate;
    13010 ValueRequired "value_required" Order Change;
    13011 ValueTooShort "value_too_short" Order Change;
    13012 UnavailableInSubaccount "unavailable_in_subaccount" Permission Change;
    13013 InvalidPhoneNumber "invalid_phone_number" Account Change;
    13014 CannotSendSms "cannot_send_sms" Account Change;
    13015 InvalidSmsCode "invalid_sms_code" Account Change;
    13016 InvalidInput "invalid_input" Order Change;
    13018 InvalidContentType "invalid_content_type" Protocol Change;
    13019 OrderbookClosed "orderbook_closed" Order Change;
    13020 NotFound "not_found" Order Change;
    13021 Forbidden "forbidden" Permission Change;
    13025 MethodSwitchedOffByAdmin "method_switched_off_by_admin" Temporary after(60);
    13028 TemporarilyUnavailable "temporarily_unavailable" Temporary Reconcile;
    13030 MmpTrigger "mmp_trigger" Order Change;
    13031 VerificationRequired "verification_required" Permission Change;
    13032 NonUniqueOrderLabel "non_unique_order_label" Order Change;
    13034 NoMoreSecurityKeysAllowed "no_more_security_keys_allowed" Account Change;
    13035 ActiveComboLimitReached "active_combo_limit_reached" Temporary RETRY;
    13036 UnavailableForComboBooks "unavailable_for_combo_books" Temporary RETRY;
    13037 IncompleteKycData "incomplete_KYC_data" Account Change;
    13040 MmpRequired "mmp_required" Permission Change;
    13042 CodNotEnabled "cod_not_enabled" Order Change;
    13043 QuotesFrozen "quotes_frozen" Temporary after(1);
    13403 ScopeExceeded "scope_exceeded" Permission Change;
    13503 Unavailable "unavailable" Temporary RETRY;
    13666 RequestCancelledByUser "request_cancelled_by_user" Order Change;
    13668 SecurityKeyAuthorizationError "security_key_authorization_error" Login Reauthenticate;
    13777 Replaced "replaced" Order Change;
    13778 RawSubscriptionsNotAvailableForUnauthorized
        "raw_subscriptions_not_available_for_unauthorized" Login Reauthenticate;
    13780 MovePositionsOverLimit "move_positions_over_limit" Pressure RETRY;
    13781 CouponAlreadyUsed "coupon_already_used" Account Change;
    13791 KycTransferAlreadyInitiated "KYC_transfer_already_initiated" Account Change;
    13792 IncompleteKycDataForSharing "incomplete_KYC_data" Account Change;
    13793 KycDataInaccessible "KYC_data_inaccessible" Account Change;
    13888 TimedOut "timed_out" Temporary RETRY;
    13901 NoMoreOtoOrders "no_more_oto_orders" Order Change;
    13902 MassQuotesDisabled "mass_quotes_disabled" Permission Change;
    13903 TooManyQuotes "too_many_quotes" Pressure RETRY;
    13904 SecurityKeySetupRequired "security_key_setup_required" Permission Change;
    13905 TooManyQuotesPerBlockRfq "too_many_quotes_per_block_rfq" Order Change;
    13906 TooManyQuotesPerBlockRfqSide "too_many_quotes_per_block_rfq_side" Order Change;
    // The venue has two words for this one; the other is `too_many_open_block_rfqs`. The message says which.
    13907 NotFullyFilled "not_fully_filled" Order Change;
    13910 QuoteCrossed "quote_crossed" Order Change;
    13911 MaxBrokerClientCount "max_broker_client_count" Permission Change;
    13912 BrokerCannotBeClient "broker_cannot_be_client" Permission Change;
    13913 BrokerAlreadyLinked "broker_already_linked" Permission Change;
    13914 UserIsABrokerClient "user_is_a_broker_client" Permission Change;
    13915 UserIsNotABroker "user_is_not_a_broker" Permission Change;
    13916 AppRegisteredToBroker "app_registered_to_broker" Permission Change;
    13917 AccountQuoteLimitCrossed "account_quote_limit_crossed" Order Change;
    13918 InverseFutureCrossTrading "inverse_future_cross_trading" Order Change;
    13919 ClientOfMainAccount "client_of_main_account" Permission Change;
    -32700 ParseError "Parse error" Protocol Change;
    -32600 RequestEntityTooLarge "request entity too large" Protocol Change;
    -32601 MethodNotFound "Method not found" Protocol Change;
    -32602 InvalidParams "Invalid params" Protocol Change;
    -32000 MissingParams "Missing params" Protocol Change;
}
