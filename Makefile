# `make` says what there is to make.
.DEFAULT_GOAL := help
WASM := wasm32-unknown-unknown

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## Install what the tests need and this machine lacks
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust from https://rustup.rs"; exit 1; }
	@rustup target list --installed | grep -qx $(WASM) || { \
		echo "installing the Rust target $(WASM), for browsers"; \
		rustup target add $(WASM); }

test: setup web-test ## Run every test
	cargo test --locked --workspace --features webpki-roots

web-test: setup ## Run the simulation and the browser's transport in a real browser
	tests/browser

ticker: ## Show live market data from the local exchange, which cuts the connection now and then
	cargo run --release --example ticker -- --chaos

exchange: ## Run the local exchange on port 8080
	cargo run --release -p steadysocket-exchange --bin exchange -- --port 8080

sim: ## Simulate 100 hours of connection life; SEED=n replays
	cargo test --release --test sim storm -- --nocapture

doc: ## Build the documentation
	cargo doc --workspace --no-deps

ci: ## Run what CI runs
	.ci/run

.PHONY: help setup test web-test ticker exchange sim doc ci
