# The whole of a contributor's vocabulary. Everything lives in .venv; `make clean` removes it.
PYTHON ?= python3
BIN := .venv/bin
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
endif

.PHONY: run test check bench model clean help

help:  ## what there is
	@grep -hE '^[a-z]+: .*##|^[a-z]+:  ##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

run: .venv/ready  ## solve a puzzle with a real model on this machine
	$(BIN)/promptkit run tot -P game24 "1 4 9 11"

test: .venv/ready-dev  ## the tests, in parallel and in random order
	$(BIN)/python -m pytest

check: .venv/ready-dev  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-cache

bench: .venv/ready-dev  ## what takes minutes: accuracy on held-out puzzles, start-up, the slow tests
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.optimize
	$(BIN)/promptkit bench builtin
	$(BIN)/python -m pytest -m slow -n 2

model: .venv/ready-training  ## train the built-in model anew: lessons, tokenizer, weights, GGUF; stopped, it goes on
	$(BIN)/python -m training

clean:  ## remove the environment and all caches
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin-ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "promptkit needs Python 3.11 or newer; name one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv .venv || { echo "this Python cannot make environments; on Debian and Ubuntu: apt install python3-venv"; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@touch $@

.venv/ready: .venv/bin-ready pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/ready-dev: .venv/ready
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

.venv/ready-training: .venv/ready
	$(BIN)/python -m pip install --quiet --editable . --group training
	@touch $@
