//! The Deribit venue.
