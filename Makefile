# Everything runs from the environment in .venv, which the first target that needs it makes. Offline after that.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv

# Every run asks all plugins that are installed. Those that read text and score nudity take their time, so they stand aside
# and take part where this folder is on the path.
PLUGINS := build/plugins
PLUGIN_FILES := $(shell find plugins/agpis-text plugins/agpis-safety -name '*.py' -o -name '*.toml' 2>/dev/null)

# A file's tests run in one process, several files side by side; each process computes on one thread.
PARALLEL := -n auto --maxprocesses 4 --dist loadfile
test test-fast test-lowest: export OMP_NUM_THREADS = 1

# The oldest versions that pyproject.toml allows, and what the tests themselves need.
LOWEST := .venv-lowest

.PHONY: demo test test-fast test-plugins test-lowest plugin-jobs lint types laws docs docs-write fuzz-images bench example-catalog graphs clean help

help:  ## Show this list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.venv/.installed: pyproject.toml constraints.txt plugins/agpis-example/pyproject.toml plugins/agpis-marketplaces/pyproject.toml plugins/agpis-vlm/pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) pip install --quiet --python $(BIN)/python --constraints constraints.txt --editable '.[cache,export,metrics,parquet,ray,train,synthetic,review,postgresql,testing]' --group dev
	$(UV) pip install --quiet --python $(BIN)/python --constraints constraints.txt --editable plugins/agpis-example
	$(UV) pip install --quiet --python $(BIN)/python --constraints constraints.txt --editable plugins/agpis-marketplaces
	$(UV) pip install --quiet --python $(BIN)/python --constraints constraints.txt --editable plugins/agpis-vlm
	touch $@

$(LOWEST)/.installed: .venv/.installed
	test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	$(UV) pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct \
		--editable '.[cache,export,metrics,parquet,ray,train,synthetic,review,postgresql,testing]' --group test
	$(UV) pip install --quiet --python $(LOWEST)/bin/python --no-deps --editable plugins/agpis-example --editable plugins/agpis-marketplaces --editable plugins/agpis-vlm
	touch $@

$(PLUGINS)/.installed: .venv/.installed plugins/agpis-text/overrides.txt $(PLUGIN_FILES)
	$(UV) pip install --quiet --python $(BIN)/python --constraints constraints.txt --overrides plugins/agpis-text/overrides.txt --group plugins
	rm -rf $(PLUGINS)
	$(UV) pip install --quiet --python $(BIN)/python --target $(PLUGINS) --no-deps plugins/agpis-text plugins/agpis-safety
	touch $@

demo: .venv/.installed  ## Run the main job on the example catalog.
	mkdir -p demo
	$(BIN)/agpis run examples/catalog/products.jsonl -o demo/outcomes.jsonl --report demo/report.html || test $$? -eq 1
	@echo "Outcomes: demo/outcomes.jsonl"
	@echo "Report:   demo/report.html  (open it in a browser)"

test: .venv/.installed test-plugins  ## Run all tests and doctests.
	$(BIN)/python -m pytest $(PARALLEL)

test-fast: .venv/.installed  ## Run the tests of the SDK but the slow ones.
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

test-plugins: .venv/.installed $(PLUGINS)/.installed  ## Run the tests of the plugins in plugins/.
	$(BIN)/python -m pytest plugins/agpis-example/tests
	$(BIN)/python -m pytest plugins/agpis-marketplaces/tests
	$(BIN)/python -m pytest plugins/agpis-vlm/tests
	PYTHONPATH=$(PLUGINS) $(BIN)/python -m pytest plugins/agpis-text/tests
	PYTHONPATH=$(PLUGINS) $(BIN)/python -m pytest plugins/agpis-safety/tests

test-lowest: $(LOWEST)/.installed  ## Run the tests, but the slow ones, with the lowest versions that pyproject.toml allows.
	$(LOWEST)/bin/python -m pytest $(PARALLEL) -m "not slow" --ignore tests/docs

plugin-jobs: .venv/.installed $(PLUGINS)/.installed  ## Run the main job with no plugin, with each alone, and with all.
	PYTHONPATH=$(PLUGINS) $(BIN)/python plugins/run_each_alone.py

lint: .venv/.installed  ## Check style and format.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed  ## Check types.
	$(BIN)/mypy

laws: .venv/.installed  ## Check that imports run one way.
	$(BIN)/lint-imports

docs: .venv/.installed  ## Build the documentation; a warning is an error.
	$(BIN)/python docs/generate.py --check
	$(BIN)/python docs/draw_rooms.py --check
	$(BIN)/mkdocs build --strict --quiet

docs-write: .venv/.installed  ## Write the generated pages and schemas anew.
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/draw_rooms.py

fuzz-images: .venv/.installed  ## Decode 20,000 mutated pictures of all formats (the suite has 2,000).
	$(BIN)/python -m tests.media.fuzz_images --count 20000

bench: .venv/.installed  ## Measure the speed of a whole run, side by side with parts of it left out.
	$(BIN)/python benchmarks/run_speed.py

graphs: .venv/.installed  ## Export the graphs of a default run anew from their models in torch.
	$(BIN)/python -m agpis_sdk.training.graphs

example-catalog: .venv/.installed  ## Render the example catalog anew (needs the group "render").
	$(UV) pip install --quiet --python $(BIN)/python --group render
	$(BIN)/python examples/catalog/render.py

clean:  ## Remove the environment and everything made.
	rm -rf .venv $(LOWEST) site demo build dist
