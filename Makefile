# Everything a fresh machine needs: `make jam` plays, `make test` tests. The environment lies in .venv; it is
# made once and brought up to date only when pyproject.toml or constraints.txt has changed. `make minimum` has an
# environment of its own beside it, .venv-minimum.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt
PACKAGES := live engine training exports configs
REQUIREMENTS := pyproject.toml constraints.txt
MINIMUM := .venv-minimum
# Processes that share the tests; a third would leave no core of two to those that play in real time.
WORKERS := 2
# For `make minimum`: another version of torch. On Linux that of constraints-minimum.txt is a CUDA build of some GB.
TORCH :=

.DEFAULT_GOAL := help
.PHONY: help jam test long quick check minimum fmt site clean

help: ## Show this list
	@echo "make TARGET [ARGS='...'] [PYTHON=python3.12]"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-7s %s\n", $$1, $$2 }' Makefile

jam: $(VENV)/live.stamp $(VENV)/sounds.stamp ## Play with the companion; without a terminal it answers a bundled phrase
	@$(BIN)/tatumflow jam $(ARGS)

test: $(VENV)/dev.stamp ## Run the tests (ARGS go to pytest; WORKERS=0 runs them one after the other)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup -m "not long" $(ARGS)

long: $(VENV)/dev.stamp ## Run the tests that take minutes each: several machines, clusters, whole corpora
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m long $(ARGS)

quick: $(VENV)/dev.stamp ## Run the tests that are not slow (ARGS go to pytest)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup -m "not slow and not long" $(ARGS)

check: $(VENV)/dev.stamp ## Lint, check formatting, types and import borders
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports

# Pictures of the screen are compared with those that the pinned versions draw.
minimum: $(MINIMUM)/stamp ## Run the quick tests with the lowest versions that pyproject.toml allows
	@$(MINIMUM)/bin/python -m pytest -m "not slow and not long" --ignore tests/snapshots $(ARGS)

fmt: $(VENV)/dev.stamp ## Format, and mend what the linter can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

site: $(VENV)/dev.stamp build/samples/index.html ## Build the site of all pages, with a page of samples, into build/site
	$(BIN)/python .make/site.py build/site --samples build/samples

# Some minutes, so kept until `make clean` or another bundle.
build/samples/index.html: exports/tatumflow-live/manifest.json | $(VENV)/dev.stamp
	$(BIN)/tatumflow samples -o build/samples

clean: ## Remove the environment, caches and build output (models, recordings and data stay)
	rm -rf $(VENV) $(MINIMUM) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@python=$$(.make/find-python.sh) && .make/system-packages.sh live "$$python" && \
	echo "Making the environment in $(VENV) with $$python" && \
	{ "$$python" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; }

$(VENV)/live.stamp: $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing TatumFlow into $(VENV) (some minutes the first time)"
	@$(PIP) --editable .
	@touch $@

# Tried once: a machine that may not install them has the small ones.
$(VENV)/sounds.stamp: | $(BIN)/python
	@.make/system-packages.sh sounds $(BIN)/python
	@touch $@

$(VENV)/dev.stamp: $(REQUIREMENTS) .make/system-packages.sh | $(BIN)/python
	@.make/system-packages.sh test $(BIN)/python
	@echo "Installing TatumFlow, training and test tools into $(VENV) (some minutes the first time)"
	@$(PIP) --editable '.[dev,docs,training,separation,musicgen,publish,score]'
	@mkdir -p $(VENV)/links/tatumflow
	@for package in $(PACKAGES); do ln -sfn ../../../$$package $(VENV)/links/tatumflow/$$package; done
	@touch $(VENV)/live.stamp $@

$(MINIMUM)/stamp: pyproject.toml constraints-minimum.txt
	@python=$$(.make/find-python.sh) && .make/system-packages.sh test "$$python" && \
	echo "Making the environment in $(MINIMUM) with $$python (some minutes)" && \
	rm -rf $(MINIMUM) && "$$python" -m venv $(MINIMUM)
	@sed -e '$(if $(TORCH),s/^torch==.*/torch==$(TORCH)/)' constraints-minimum.txt >$(MINIMUM)/constraints.txt
	@$(MINIMUM)/bin/python -m pip --disable-pip-version-check --quiet install \
		--constraint $(MINIMUM)/constraints.txt --editable '.[dev,docs,training,separation,musicgen,publish,score]'
	@touch $@
