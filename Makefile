# Shiming - run `make` for the list of targets.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: browser screenshots help setup server dev demo test test-long check lint types contracts format lock benchmark evaluate clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: ## create .venv from hash-pinned locks and fetch the recognition models
	@$(PYTHON) tools/setup/environment.py

server: ## setup + the optional parts of a larger installation (S3, NATS, telemetry, PKCS#11)
	@$(PYTHON) tools/setup/environment.py --server

dev: ## setup + what tests and tools need
	@$(PYTHON) tools/setup/environment.py --dev

demo: setup ## run the main job on shipped specimens, then open a guided tour in your browser (Ctrl-C deletes it)
	@$(BIN)/shiming demo && $(BIN)/shiming tour --if-terminal

# Processes are killed, clocks run and a browser plays here: what fails on a busy machine is tried once more, and
# the summary names it (RERUN). What is named there twice in a month is a fault to be mended.
ONCE_MORE := --reruns 1 -rR

test: check browser ## everything that CI runs: style, types, import contracts, all tests
	$(BIN)/pytest -m "not long" -n 3 --dist worksteal $(ONCE_MORE) --ignore tests/browser
	$(BIN)/pytest -m "not long" $(ONCE_MORE) tests/browser  # one at a time: a camera that starves loses frames

browser: ## install Debian's Chromium where that is allowed; the tests of pages are skipped without it
	@tools/setup/chromium.sh

screenshots: dev ## pictures of the pages in both languages, into docs/screenshots
	@tools/setup/chromium.sh --with-fonts
	$(BIN)/python -m tools.screenshots

test-long: dev browser ## the tests that take minutes
	$(BIN)/pytest -m long --ignore tests/browser
	HYPOTHESIS_EXAMPLES=200 $(BIN)/pytest -m "not long" -n 2 --dist worksteal tests/vocabulary tests/identity_proofing tests/registrations
	$(BIN)/pytest -m long $(ONCE_MORE) tests/browser

check: dev lint types contracts ## style, types and import contracts only

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

contracts:
	$(BIN)/lint-imports

format: dev ## rewrite the sources in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: dev ## resolve requirements/*.in into hash-pinned lock files (no host names in them)
	sh requirements/compile.sh

benchmark: dev ## measure speed as ratios
	$(BIN)/python -m benchmarks.proofing
	$(BIN)/python -m benchmarks.parallel_proofs
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.registration
	$(BIN)/python -m benchmarks.registration_http
	$(BIN)/python -m benchmarks.rules
	$(BIN)/python -m benchmarks.counter_journey
	$(BIN)/python -m benchmarks.counters
	$(BIN)/python -m benchmarks.bulk_import
	$(BIN)/python -m benchmarks.hot_race
	$(BIN)/python -m benchmarks.vault
	$(BIN)/python -m benchmarks.ledger
	$(BIN)/python -m benchmarks.crash_proof --kills 60

evaluate: dev ## measure recognition on the evaluation sets, write docs/reference/recognition.md
	$(BIN)/python -m evaluation

clean: ## remove the environment and caches
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
