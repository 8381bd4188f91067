# make run: the product on http://127.0.0.1:8000/ (PORT=8001: there)     make test: every test
# Needs Python 3.11 or newer and nothing else; PYTHON=/path/to/python chooses another one.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LINT_KEY := "for the linters alone, which answer no request, not one"
DEBIAN_15 := /usr/lib/postgresql/15/bin

# A virtual environment that cannot import what it should is made again.
ifneq ($(shell $(BIN)/python -c 'import django, psycopg, rich' 2>/dev/null && echo good),good)
$(shell rm -f $(VENV)/run-ready $(VENV)/dev-ready $(VENV)/bench-ready)
endif

.PHONY: help run test test-15 lint types bench format clean

help:
	@sed -n '1,2s/^# //p' Makefile

run: $(VENV)/run-ready
	@$(BIN)/python -m local.launch

test: $(VENV)/dev-ready
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)
	@if [ -x $(DEBIAN_15)/postgres ] && [ -z "$$DATABASE_URL" ]; then $(MAKE) test-15; fi

# Without the soak and fault tests and those for which the version of PostgreSQL makes no difference.
test-15: $(VENV)/dev-ready
	POSTGRES_BIN=$(DEBIAN_15) $(BIN)/python -m pytest -n auto --dist loadgroup \
	  -m "not slow" --ignore=tests/browser --ignore=tests/typescript $(ARGS)

lint: $(VENV)/dev-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	SECRET_KEY=$(LINT_KEY) $(BIN)/mypy .
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
