# make run    starts the portal, or its demo; PORT, DATA_DIR and CONFIG can be given
# make test   runs the tests, except the longest; ARGS goes to pytest
# make lint   checks format, style, types and dangerous patterns
# make audit  asks whether a locked package is known to be vulnerable
# make screenshots  takes the pictures of README.md
# make bench  makes the figures of docs/figures.md, with the peers that are installed

PYTHON ?= python3
PORT ?=
DATA_DIR ?=
CONFIG ?=
VENV := .venv
BIN := $(VENV)/bin

.SILENT:
.PHONY: run test lint audit format bench screenshots lock clean

run: $(VENV)/run
	PORT="$(PORT)" DATA_DIR="$(DATA_DIR)" CONFIG="$(CONFIG)" exec $(BIN)/python -m demo

test: $(VENV)/dev $(VENV)/axe
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive server.py handlers portal sql demo

audit: $(VENV)/dev
	$(BIN)/python .ci/audit.py $(ARGS)

format: $(VENV)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The benchmarks take their save files and the stand-in for Umami from the tests.
bench: $(VENV)/dev $(VENV)/bench
	$(BIN)/python -m benchmarks $(ARGS)

# Needs Chromium. Look at each picture before it is committed.
screenshots: $(VENV)/dev $(VENV)/axe
	$(BIN)/python -m tests.support.browser.pictures

# Locks all packages with their hashes; needs pip-tools on the PATH.
lock:
	for name in run dev bench; do \
		pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras --no-header \
			--no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
			--annotation-style=line --output-file requirements/$$name.txt requirements/$$name.in; \
	done

clean:
	rm -rf $(VENV)

$(BIN)/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "The portal needs Python 3.11 or newer; $(PYTHON) is older."; exit 1; }
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python's venv module is missing. Install it, then run make again:"; \
		     echo "  sudo apt-get install --yes python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run: requirements/run.txt | $(BIN)/pip
	echo "Installing the packages of $< ..."
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement $<
	touch $@

# Without its dependencies; requirements/axe.txt says why.
$(VENV)/axe: requirements/axe.txt $(VENV)/run
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps --requirement $<
	touch $@

$(VENV)/dev $(VENV)/bench: $(VENV)/%: requirements/%.txt $(VENV)/run
	echo "Installing the packages of $< ..."
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement $<
	touch $@
