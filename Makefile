# make demo    one episode from a feed to its transcript, on this machine
# make test    all checks and tests, as CI runs them
# make setup TORCH=cpu    the set-up alone, with the small CPU builds of torch
# make docs    the pages of docs/ as a site
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
DOCS_VENV := .venv-docs
# pypi or cpu; what was chosen once stays chosen.
TORCH ?= $(or $(shell cat $(VENV)/.torch 2>/dev/null),pypi)
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu
RUN := $(VENV)/bin/python
PACKAGES = $(VENV)/.packages-$(TORCH)
READY = $(VENV)/.ready-$(TORCH)

# What checks the app's scripts, from npm; the app itself has no need of it.
WEB_CHECKS = tests/web/node_modules
TSC = $(WEB_CHECKS)/.bin/tsc

# Two workers share two cores well: each loads the models once. In the order of the folders short tests come last, so
# that both end together; pytest-xdist's own order leaves modules of few tests, such as that of many machines, to the end.
TEST_WORKERS ?= 2

.PHONY: demo test lint hooks bench setup packages models format schema lock system-deps test-deps clean

demo: models
	@$(RUN) -m flows.local.demo

test: test-deps models lint
	$(RUN) -m pytest --numprocesses $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

# What can be said of the code without running it; `make hooks` has git ask before each commit.
lint: $(READY) $(WEB_CHECKS)/.package-lock.json
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	@if [ -e $(TSC) ]; then echo $(TSC) --project tests/web; $(TSC) --project tests/web; else echo "No npm: the types of the app's scripts are not checked"; fi

$(WEB_CHECKS)/.package-lock.json: tests/web/package-lock.json
	@if command -v npm >/dev/null; then \
		{ npm --prefix tests/web ci --silent && touch $@; } || echo "What checks the app's scripts can't be installed by npm: they go unchecked"; \
	fi

hooks: $(READY)
	@printf '#!/bin/sh\nexec make --no-print-directory lint\n' > "$$(git rev-parse --git-path hooks)/pre-commit"
	@chmod +x "$$(git rev-parse --git-path hooks)/pre-commit"
	@echo "git runs make lint before each commit; git commit --no-verify goes without"

setup: models

# Fetches the offline models into the user's cache folder; does nothing when they are there.
# The empty database of local runs is made there too.
models: $(READY)
	@$(VENV)/bin/episcribe models pull >/dev/null
	@$(RUN) -m flows.local.prefect_session

# All that is large, and changes seldom: a layer of its own in deploy/Dockerfile.
packages: $(PACKAGES)

# Everything is pinned with hashes in requirements.lock, so there is nothing for pip to resolve.
$(PACKAGES): requirements.lock
	@$(MAKE) --no-print-directory system-deps
	$(PYTHON) -m venv --clear $(VENV)
ifeq ($(TORCH),cpu)
	$(RUN) -m pip install --quiet --no-deps --index-url $(TORCH_CPU_INDEX) \
		$$(grep -oE '^(torch|torchaudio)==[0-9.]+' requirements.lock)
	awk '/^[^ #]/ {skip = /^(torch|torchaudio|triton|nvidia-[^=]*|cuda-[^=]*)==/} !skip' requirements.lock > $(VENV)/requirements.lock
	$(RUN) -m pip install --quiet --no-deps --require-hashes -r $(VENV)/requirements.lock
else
	$(RUN) -m pip install --quiet --no-deps --require-hashes -r requirements.lock
endif
	@touch $@

$(READY): $(PACKAGES) pyproject.toml
	$(RUN) -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(RUN) -m pip check
	@echo $(TORCH) > $(VENV)/.torch
	@touch $@

# What is needed from the system is Python with venv, which Debian packages apart.
system-deps:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Episcribe needs Python 3.11 or newer; name it with make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		if $(CAN_INSTALL); then \
			echo "Installing python3-venv, which the set-up needs"; $(call install,python3-venv); \
		else \
			echo "Python's venv module is missing: install it (Debian: apt-get install python3-venv)"; exit 1; \
		fi; }

# Some tests take a PostgreSQL server, some a Chromium, some packages from npm; where these can't be had they are skipped, and say so.
# Nothing but `make test` installs them.
test-deps:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || \
		{ $(call test-dep,postgresql,tests of many machines); }
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		{ $(call test-dep,chromium,tests of the pages); }
	@command -v npm >/dev/null || { $(call test-dep,nodejs npm,checks of the app's scripts and of its accessibility); }
	@$(MAKE) --no-print-directory $(WEB_CHECKS)/.package-lock.json

CAN_INSTALL = [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null
install = apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1)
test-dep = if $(CAN_INSTALL); then \
		echo "Installing $(1) of Debian for $(2)"; \
		($(call install,$(1))) || echo "$(1) can't be installed: $(2) are skipped"; \
	else \
		echo "No $(1): $(2) are skipped (Debian: apt-get install $(1))"; \
	fi

# Side by side with other tools, from the same recordings; takes some hours. Each part can be run by itself.
bench: models
	$(RUN) -m tests.bench
	$(RUN) -m tests.bench.transcription
	$(RUN) -m tests.bench.conversations
	$(RUN) -m tests.bench.overlap
	$(RUN) -m tests.bench.tracks
	$(RUN) -m tests.bench.languages
	$(RUN) -m tests.bench.names
	$(RUN) -m tests.bench.witness
	$(RUN) -m tests.bench.voices
	$(RUN) -m tests.bench.channels
	$(RUN) -m tests.bench.counts
	$(RUN) -m tests.bench.polling
	$(RUN) -m tests.bench.batch
	$(RUN) -m tests.bench.short
	$(RUN) -m tests.bench.search 1000
	$(RUN) -m tests.bench.meaning 1000
	$(RUN) -m tests.bench.embedding
	$(RUN) -m tests.bench.edits
	$(RUN) -m tests.bench.page
	$(RUN) -m tests.bench.web
	$(RUN) -m tests.bench.gpu

format: $(READY)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

schema: $(READY)
	$(RUN) -m outputs.formats.schema

# Pins every package anew; needs uv.
lock:
	uv pip compile pyproject.toml --extra score --extra cuda --extra scale --extra translate --extra mcp --extra links --group dev --universal --python-version 3.11 \
		--generate-hashes --quiet --no-header --output-file requirements.lock
	uv pip compile --group docs --universal --python-version 3.11 \
		--generate-hashes --quiet --no-header --output-file docs/requirements.lock

# The pages as a site, by packages of their own: the program and its tests need none of them.
.PHONY: docs
docs: $(DOCS_VENV)/.ready
	NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --strict
	@echo build/site/index.html

$(DOCS_VENV)/.ready: docs/requirements.lock
	@$(MAKE) --no-print-directory system-deps
	$(PYTHON) -m venv --clear $(DOCS_VENV)
	$(DOCS_VENV)/bin/pip install --quiet --no-deps --require-hashes -r docs/requirements.lock
	@touch $@

clean:
	rm -rf $(VENV) $(DOCS_VENV) $(WEB_CHECKS) build .cache
