PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
REFERENCE := results/reference/benchmarks.json
GATE := results/reference/ci.json
GATED := results/runs/ci
BENCHMARKS := $(BIN)/pytest -o addopts="--strict-markers --import-mode=importlib" --verbose --no-header --benchmark-quiet $(or $(PART),tests/benchmarks)

.DEFAULT_GOAL := help
.PHONY: help run test lint format slow gate gate-reference bench bench-quick bench-reference clean

help:  ## show the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 17

run: $(READY)  ## prepare the data, run every task with every trained method, write the report
	$(BIN)/bench prepare debian || true
	$(BIN)/bench run --all; status=$$?; $(BIN)/bench report; exit $$status

test: $(READY)  ## run the tests
	$(BIN)/pytest -n 2 --dist loadfile

lint: $(READY)  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

slow: $(READY)  ## run the tests that `make test` leaves out
	$(BIN)/pytest -n 2 --dist loadfile -m slow

# Processors round sums differently, which training magnifies: the margin is wider than on a machine of one's own.
gate: $(READY)  ## run suite ci and hold it against the committed reference
	$(BIN)/bench run --suite ci --out $(GATED)
	$(BIN)/bench check $(GATE) --out $(GATED) --margin 0.03 --speed-tolerance 0.5

gate-reference: $(READY)  ## make that reference anew: make gate-reference REASON="why"
	$(BIN)/bench run --suite ci --out $(GATED)
	$(BIN)/bench check $(GATE) --out $(GATED) --update --reason "$(REASON)"

bench: $(READY)  ## run the benchmarks of the harness itself, hold them against the reference
	$(BENCHMARKS) --save-figures results/runs/benchmarks.json --compare-figures $(REFERENCE)

bench-quick: $(READY)  ## run a minute of them
	$(BENCHMARKS) -m quick --compare-figures $(REFERENCE)

bench-reference: $(READY)  ## run them all, or PART="files", on a quiet machine, for others to be held against
	$(BENCHMARKS) $(if $(PART),--add-figures,--save-figures) $(REFERENCE)

clean:  ## remove the environment and the caches, keep the results
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

# The constraints hold the exact versions that were tested; torch comes first, so that no later step replaces its build.
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(READY)
