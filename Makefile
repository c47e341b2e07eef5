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

web-setup: setup pkg/node_modules tests/browser-kit/node_modules ## Install what the browser's side needs and this machine lacks
	@command -v wasm-pack >/dev/null || { \
		echo "installing wasm-pack, which takes some minutes"; cargo install wasm-pack --locked --quiet; }
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || { \
		echo "installing Debian's chromium and chromium-driver"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -qq -y --no-install-recommends chromium chromium-driver >/dev/null; }

%/node_modules: %/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node 20 or later"; exit 1; }
	@echo "installing the npm packages of $*"
	@cd $* && npm ci --no-audit --no-fund --loglevel=error && touch node_modules

test: setup web-test pkg-test dashboard-test ## Run every test
	cargo test --locked --workspace --features webpki-roots
	cargo test --locked --features webpki-roots --example test_a_bot

web-test: web-setup ## Run the simulation and the browser's transport in a real browser
	tests/browser

pkg: web-setup ## Build the npm package into pkg/dist
	pkg/build.sh

size: pkg ## Say what the npm package's wasm is made of; CRATE=name lists its functions
	node pkg/size.mjs pkg/build/core_named.wasm $(CRATE)

pkg-test: pkg pkg/test/node_modules ## Test the npm package: its types, in Node, in pages, and through bundlers
	pkg/test/run

dashboard: www/dist ## Serve the market dashboard, with a local exchange that can be broken from it
	@www/dashboard

dashboard-test: www/dist ## Test the dashboard in a real browser
	cd www && node --test --test-timeout=180000 test/*.test.mjs

dashboard-shots: www/dist ## Take pictures of the dashboard into www/shots, calm and under faults
	cd www && node test/shots.mjs

www/dist: pkg www/node_modules
	@cd www && npm run --silent build

ticker: ## Show live market data from the local exchange, which cuts the connection now and then
	cargo run --release --example ticker -- --chaos

exchange: ## Run the local exchange on port 8080
	cargo run --release -p steadysocket-exchange --bin exchange -- --port 8080

sim: ## Simulate 100,000 short lives of a connection, or SEEDS=n of them; SEED=n replays one
	$(if $(SEED),,SEEDS=$${SEEDS:-100000}) cargo test --locked --release --test sim lives -- --nocapture

outcomes: ## Place 10,000 orders while connections are cut, and compare each outcome with the exchange's ledger
	ORDERS=$${ORDERS:-10000} cargo test --locked --release --test native outcomes -- --nocapture

pool: ## Cut one of two connections 1,000 times, and count what is lost or comes twice; CUTS=n, SEED=n
	CUTS=$${CUTS:-1000} cargo test --locked --release --test native pool -- --nocapture

autobahn: ## Run the Autobahn test suite's 301 cases against the native transport, in a network namespace
	tests/autobahn/run

books: ## Check live order books against the venue's through 1,000,000 messages with faults; SEED=n replays
	MESSAGES=$${MESSAGES:-1000000} cargo test --locked --release --test sim books -- --nocapture

wire: wire-setup ## Break real networks, name servers, proxies and processes, and time the recovery; ONLY='words' chooses
	cargo test --locked --features webpki-roots --test wire -- $(ONLY)

wire-setup: setup wire-tools tests/wire/foreign/node_modules target/wire-python

wire-tools:
	@command -v nft >/dev/null && command -v nginx >/dev/null && command -v haproxy >/dev/null && \
		python3 -c 'import ensurepip' 2>/dev/null || { \
		[ "$$(id -u)" = 0 ] || { echo "nothing can be installed without root: what is missing is skipped"; exit 0; }; \
		echo "installing Debian's nftables, iproute2, nginx, haproxy and python3-venv"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
			nftables iproute2 nginx-light haproxy python3-venv >/dev/null || \
			echo "not all of it can be installed: what is missing is skipped"; }

target/wire-python: tests/wire/foreign/requirements.txt | wire-tools
	@echo "installing the Python packages of tests/wire/foreign"
	@python3 -m venv $@ && $@/bin/pip install --quiet --disable-pip-version-check -r $< && touch $@

soak: pkg ## Reconnect 10,000 times under load, natively and in a browser, and watch what grows; HOURS=1, or MINUTES=2 for trying
	HOURS=$(HOURS) MINUTES=$(MINUTES) cargo test --locked --features webpki-roots --test soak

bench: ## Measure against peers: one table, and target/bench.json; ONLY='words' chooses measures, QUICK=1 only tries them
	@mkdir -p target
	cargo run --locked $(if $(QUICK),,--release) --manifest-path benches/Cargo.toml $(if $(QUICK),--target-dir target) -- \
		--json target/bench.json $(if $(QUICK),--quick) $(if $(ONLY),--only '$(ONLY)')

bench-browser: pkg benches/browser/node_modules ## Compare what messages cost a page, by this package and by others; ROUNDS=n, ONLY=load
	@node benches/browser/run.mjs

telemetry-cost: setup ## Count the instructions that telemetry takes, with an observer and without
	tests/cost/run

recordings: ## Make the recordings that the tests replay anew
	RECORD=$(CURDIR)/tests/recordings/cut.jsonl cargo test --locked --test sim a_recording_on_file

fuzz: ## Fuzz each target for 60 s; SECONDS=n, TARGET=name for one
	@SECONDS_EACH=$(or $(SECONDS),60) fuzz/run

doc: ## Build the documentation
	cargo doc --workspace --no-deps

ci: ## Run what CI runs
	.ci/run

.PHONY: help setup web-setup test web-test pkg size pkg-test dashboard dashboard-test dashboard-shots www/dist ticker exchange sim outcomes pool autobahn books wire wire-setup wire-tools soak bench bench-browser telemetry-cost recordings fuzz doc ci
