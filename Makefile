# make demo   a complete site with a synthetic case, on http://127.0.0.1:$(PORT)
# make test   everything that CI runs
# make bench  how fast a click is answered on this machine
# make bench-browser      the same as a person at the canvas sees it, in headless Chromium
# make bench-team         how long pages take with 10 000 cases and 200 people, on SQLite and PostgreSQL
# make demo-learning DEMO="--data …"   the learning loop on real CT, from labelling to promotion (docs/learning.md)
# make bench-peers PEERS="--data … --out …"   our masks beside other methods' (docs/peers.md)
# make bench-peers-web    clicks at our server and at MONAI Label's, one after the other
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:

PYTHON ?= python3
PORT ?= 8000
ANNOTATOR_DATA ?= $(CURDIR)/data
export ANNOTATOR_DATA
BIN := .venv/bin
FRONTEND_SOURCES := $(shell find frontend -path frontend/node_modules -prune -o -path frontend/dist -prune -o -type f -print)

.PHONY: help setup demo demo-learning test lint test-python test-frontend bench bench-browser bench-team bench-peers bench-peers-web lock messages clean

help:
	@sed -n '1,/^SHELL/s/^# //p' Makefile

setup: .make/python frontend/dist/.vite/manifest.json

# ---------------------------------------------------------------------------------------------- what gets installed

.make/python: requirements.txt requirements.lock scripts/setup_python.sh
	scripts/setup_python.sh $(PYTHON) requirements.txt
	mkdir -p .make && touch $@

.make/python-dev: .make/python requirements-dev.txt
	scripts/setup_python.sh $(PYTHON) requirements-dev.txt
	touch $@

.make/python-peers: requirements.txt requirements.lock tests/peers/requirements.txt scripts/setup_python.sh
	scripts/setup_python.sh $(PYTHON) tests/peers/requirements.txt .venv-peers
	mkdir -p .make && touch $@

.make/python-monailabel: tests/peers/requirements-monailabel.txt scripts/setup_python.sh
	scripts/setup_python.sh $(PYTHON) $< .venv-monailabel $<
	mkdir -p .make && touch $@

.make/npm: frontend/package-lock.json scripts/npm.sh | .make/python
	scripts/npm.sh ci --no-audit --no-fund --loglevel=error
	touch $@

frontend/dist/.vite/manifest.json: .make/npm $(FRONTEND_SOURCES)
	scripts/npm.sh run --silent build
	touch $@

.make/test-system: scripts/test_system.sh
	scripts/test_system.sh
	mkdir -p .make && touch $@

# ---------------------------------------------------------------------------------------------- what one does

demo: export ANNOTATOR_DEBUG := 1
demo: export ANNOTATOR_URL := http://127.0.0.1:$(PORT)
demo: setup
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py load_demo
	exec $(BIN)/honcho start --port $(PORT)

demo-learning: setup .make/python-dev
	$(BIN)/python tests/load/learning_demo.py $(DEMO)

test: lint test-python test-frontend

lint: .make/python-dev .make/npm
	$(BIN)/ruff check
	$(BIN)/mypy
	scripts/npm.sh run --silent lint
	scripts/npm.sh run --silent format:check
	scripts/npm.sh run --silent typecheck

test-python: .make/python-dev .make/test-system frontend/dist/.vite/manifest.json
	$(BIN)/python manage.py makemigrations --check --dry-run --verbosity 0
	OMP_NUM_THREADS=1 $(BIN)/pytest -q --numprocesses auto --maxprocesses 4 --dist loadfile $(PYTEST)

test-frontend: .make/npm
	scripts/npm.sh run --silent test

bench: setup
	$(BIN)/python tests/load/bench.py $(BENCH)

bench-browser: setup .make/python-dev .make/test-system
	$(BIN)/python tests/load/browser_bench.py $(BENCH)

bench-team: setup .make/test-system
	$(BIN)/python tests/load/team_bench.py $(BENCH)

bench-peers: .make/python-peers
	.venv-peers/bin/python tests/peers/bench.py $(PEERS)

bench-peers-web: setup .make/python-dev .make/python-monailabel
	$(BIN)/python tests/peers/web_bench.py $(PEERS)

lock: .make/python-dev
	$(BIN)/python scripts/lock.py

messages: .make/python-dev
	trap 'rm -f $(CURDIR)/annotator/frontend.js' EXIT
	$(BIN)/python scripts/frontend_texts.py annotator/frontend.js
	cd annotator
	for domain in django djangojs; do
	  ../$(BIN)/python -m django makemessages --domain $$domain --all --no-location --no-wrap -v 0
	done
	../$(BIN)/python -m django compilemessages -v 0

clean:
	rm -rf .make .venv .venv-peers .venv-monailabel frontend/node_modules frontend/dist .mypy_cache .ruff_cache .pytest_cache
