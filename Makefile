# `make` alone lists what there is to do.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTHON_CLIENT := examples/clients/python
TYPESCRIPT_CLIENT := examples/clients/typescript
PYTHON_CLIENT_INSTALLED := $(PYTHON_CLIENT)/.venv/.installed
TYPESCRIPT_CLIENT_INSTALLED := $(TYPESCRIPT_CLIENT)/node_modules/.package-lock.json
# Debian keeps ensurepip in python3-venv. Where it is missing, the pip of PYTHON installs into the environment.
NO_ENSUREPIP = $(shell $(PYTHON) -c 'import ensurepip' 2>/dev/null || echo yes)
PIP = $(if $(NO_ENSUREPIP),$(PYTHON) -m pip --python $(BIN)/python,$(BIN)/python -m pip)
# The tests of one file stay in one process, which shares what they set up.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup engines demo serve test coverage check lint types imports fix docs clients graphiql lock bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Virtual environment with locked dependencies and Clawback itself

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Clawback needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) -V 2>&1`. Name another: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(if $(NO_ENSUREPIP),--without-pip) $(VENV)
	@$(PIP) --version >/dev/null 2>&1 || { echo "$(PYTHON) has neither ensurepip nor a pip from 22.3 on. Install one; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PIP) install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.lock
	$(PIP) install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

engines: $(INSTALLED) ## Install the engines that the tests compare with DuckDB (1.2 GB)
	$(PIP) install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements-engines.lock

demo: $(INSTALLED) ## Load an example company, print what it costs and serve it (ONCE=1: print only)
	$(BIN)/clawback demo $(if $(ONCE),--once)

serve: $(INSTALLED) ## Serve the store of the settings
	$(BIN)/clawback serve

test: $(INSTALLED) ## All tests
	$(PYTEST) -m "real or whole"
	$(PYTEST) -m "not real and not whole"

# In one process: several workers under a tracer fail at random in the bookkeeping of Python 3.11's own stack.
coverage: $(INSTALLED) ## Branch coverage of all tests but the largest
	$(BIN)/python -m pytest -m "not real and not whole" --cov --cov-branch --cov-report=term

check: lint types imports ## Lint, types and import contracts

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

imports: $(INSTALLED)
	$(BIN)/lint-imports

fix: $(INSTALLED) ## Repair what lint can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(INSTALLED) ## Write the pages that are made from metrics.yaml and the settings
	$(BIN)/python scripts/pages.py

bench: $(INSTALLED) ## Print the tables of benchmarks/
	for file in benchmarks/*.py; do $(BIN)/python $$file; done

clients: $(PYTHON_CLIENT_INSTALLED) $(TYPESCRIPT_CLIENT_INSTALLED) docs ## Generate the clients of examples/clients (needs Node.js 20)
	npm --prefix $(TYPESCRIPT_CLIENT) run --silent generate
	cd $(PYTHON_CLIENT) && .venv/bin/ariadne-codegen >/dev/null

# In an environment of its own: the generator needs an older graphql-core than the server.
$(PYTHON_CLIENT_INSTALLED): $(PYTHON_CLIENT)/requirements.lock
	$(PYTHON) -m venv $(if $(NO_ENSUREPIP),--without-pip) $(@D)
	$(subst $(BIN)/python,$(@D)/bin/python,$(PIP)) install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r $<
	@touch $@

$(TYPESCRIPT_CLIENT_INSTALLED): $(TYPESCRIPT_CLIENT)/package-lock.json
	npm --prefix $(TYPESCRIPT_CLIENT) ci
	@touch $@

graphiql: ## Build server/graphiql from locked npm packages (needs Node.js 20.11)
	npm --prefix scripts/graphiql run rebuild

lock: $(INSTALLED) ## Lock the dependencies again, with hashes (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --group dev pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --constraint requirements.lock pyproject.toml --output-file requirements-run.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --constraint requirements.lock --group pyproject.toml:engines \
		--output-file requirements-engines.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header $(PYTHON_CLIENT)/requirements.in --output-file $(PYTHON_CLIENT)/requirements.lock

clean: ## Remove what was made here
	rm -rf $(VENV) demo-home .mypy_cache .ruff_cache .pytest_cache .coverage
