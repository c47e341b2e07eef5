//! steadysocket.
