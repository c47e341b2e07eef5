#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| steadysocket_fuzz::json::run(data));
