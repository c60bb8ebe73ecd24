# Every target makes and uses .venv here. Python 3.11 is what constraints.txt is tested with.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
OUT ?= runs/first
MINUTES ?= 7

.PHONY: help grow test lab bench clean-venv
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# $(BIN)/.ready-EXTRA is made when the environment holds that extra; a changed pin or setting makes it anew.
$(BIN)/.ready-%: settings.ini setup.py constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "setting up .venv for '$*' (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat -c constraints.txt -e ".[$*]"
	@touch $@

grow: $(BIN)/.ready-train ## Grow a first model on the embedded corpus into runs/first, and let it speak
	$(BIN)/thau grow --minutes $(MINUTES) --out $(OUT) --resume

test: $(BIN)/.ready-dev ## Clean and export leave no change, every notebook runs, pytest
	$(BIN)/python tests/in_step.py
	$(BIN)/python -m pytest -q

lab: $(BIN)/.ready-train $(BIN)/.ready-lab ## JupyterLab on the tour
	$(BIN)/jupyter lab nbs/00_tour.ipynb

bench: $(BIN)/.ready-dev ## Training speed next to the plain loop, into data/bench
	$(BIN)/python -m thau.growth.bench data/bench/training.json

clean-venv: ## Remove the environment
	rm -rf .venv
