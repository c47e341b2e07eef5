//! The direction of dependencies, held by looking at the text: `src/` names no runtime, no socket and no clock.
#![cfg(not(all(target_family = "wasm", target_os = "unknown")))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

/// Lines of code that contain one of `words`, comments left out.
fn lines_with(folder: &str, words: &[&str]) -> Vec<String> {
    let mut hits = Vec::new();
    for path in files(folder) {
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            let comment = line.trim_start().starts_with("//");
            if !comment && words.iter().any(|word| line.contains(word)) {
                hits.push(format!("{}:{}: {line}", path.display(), number + 1));
            }
        }
    }
    hits
}

#[test]
fn the_core_names_no_runtime_no_browser_and_no_clock() {
    let words = ["tokio", "rustls", "tungstenite", "web_sys", "js_sys", "wasm_bindgen", "JsValue", "gloo_"];
    assert_eq!(lines_with("src", &words), Vec::<String>::new());
    let clocks = ["Instant::now", "SystemTime", "std::time::Instant", "thread::sleep"];
    assert_eq!(lines_with("src", &clocks), Vec::<String>::new());
}

/// What a page loads has no `Debug`: pkg/optimize.mjs takes it out.
#[test]
fn nothing_is_shown_by_debug() {
    let of_a_page = |path: &PathBuf| !path.components().any(|part| part.as_os_str() == "testing");
    for path in ["src", "platform/web", "pkg/src"].into_iter().flat_map(files).filter(of_a_page) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let hits = code.lines().filter(|line| !line.trim_start().starts_with("//") && line.contains("?}"));
        let is_test = path.ends_with("tests.rs");
        assert_eq!(hits.filter(|_| !is_test).collect::<Vec<_>>(), Vec::<&str>::new(), "{}", path.display());
    }
}

#[test]
fn targets_are_told_apart_in_one_place() {
    let hits = lines_with("src", &["cfg(target", "target_family", "target_os", "target_arch"]);
    assert_eq!(hits, Vec::<String>::new());
    for folder in ["platform/native", "platform/web"] {
        assert_eq!(lines_with(folder, &["target_family"]), Vec::<String>::new());
    }
}

#[test]
fn the_platform_folder_belongs_to_the_package() {
    let manifests: Vec<_> =
        files("platform").into_iter().filter(|path| path.ends_with("Cargo.toml")).collect();
    assert!(manifests.is_empty(), "Cargo would leave the folder out of the package: {manifests:?}");
}

#[test]
fn the_exchange_shares_nothing_with_the_client() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchange/Cargo.toml");
    let dependencies = fs::read_to_string(manifest).unwrap();
    assert!(!dependencies.lines().any(|line| line.trim_start().starts_with("steadysocket =")));
    assert_eq!(lines_with("tests/exchange", &["use steadysocket::"]), Vec::<String>::new());
}
