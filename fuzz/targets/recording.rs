#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| steadysocket_fuzz::recording::run(data));
