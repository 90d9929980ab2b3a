# `make demo` and `make test` install what they need. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Python compiles each module once. Without it, a start of ansible-playbook costs three times as much.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
UV := 0.13.9
# A file of tests stays on one worker, with the lab that it started. Five workers keep two cores busy, because they often wait.
PARALLEL := --numprocesses 5 --dist loadfile --no-loadscope-reorder
ROOT := $(filter 0,$(shell id -u))
AXE := .cache/browser/node_modules/axe-core/axe.min.js
COLLECTION := .venv/collections/ansible_collections/crossaccount/ecr

# The demo uses the environments of the tests if both exist, and otherwise a small one of its own.
DEMO_READY := $(if $(and $(wildcard .venv/ready),$(wildcard .venv-lab/ready)),setup,.venv-demo/ready)
# A comma in an argument of a call.
, := ,

# Says what is done, and afterwards how long it took.
timed = @echo "== $(1)"; began=$$SECONDS; $(2); echo "   $$((SECONDS - began)) s: $(1)"

.PHONY: help setup lock demo demo-audit test lint docs pictures molecule integration matrix faults judges estates ends load replicas mutants pages bench test-live pytest lab-up lab-down engines build clean

help: ## List the targets.
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/ready .venv-lab/ready ## Make .venv and .venv-lab.

.venv/ready: tests/requirements.txt
	$(call timed,virtual environment .venv,tests/make-venv "$(PYTHON)" .venv tests/requirements.txt "about a minute$(,) 580 MB")
	@mkdir -p $(dir $(COLLECTION)) && ln -sfn "$(CURDIR)" $(COLLECTION)
	@touch $@

.venv-lab/ready: tests/lab/requirements.txt
	$(call timed,virtual environment .venv-lab,tests/make-venv "$(PYTHON)" .venv-lab tests/lab/requirements.txt "less than a minute$(,) 60 MB")
	@touch $@

.venv-demo/ready: tests/demo-requirements.txt
	$(call timed,virtual environment .venv-demo,tests/make-demo-venv "$(PYTHON)" .venv-demo)
	@touch $@

lock: ## Pin every package of the environments with its hashes, from the files *requirements.in.
	@$(PYTHON) -m venv --clear .cache/lock
	@.cache/lock/bin/pip install --quiet --disable-pip-version-check uv==$(UV)
	@for file in tests/requirements tests/lab/requirements tests/demo-requirements; do \
	  .cache/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --custom-compile-command "make lock" --output-file $$file.txt $$file.in; \
	done

lab-up: setup ## Start the lab: two AWS accounts on loopback.
	@.venv-lab/bin/python -m tests.lab up

lab-down: ## Stop the lab.
	@if [ -x .venv-lab/bin/python ]; then .venv-lab/bin/python -m tests.lab down; fi

demo: $(DEMO_READY) ## Share as the owner account, pull as the consumer account, on a lab of its own.
	@tests/demo

demo-audit: $(DEMO_READY) ## Audit a share and one extra access path, on a lab of its own; the report is in build/demo-audit.
	@tests/demo-audit

test: ## Run every check and every test.
	@$(MAKE) --no-print-directory --jobs 3 setup engines
	@tests/all

lint: setup ## The linters, ansible-test sanity, some of ansible-test units, the Galaxy importer.
	@tests/lint

docs: setup ## Build the documentation site into build/docs/.
	$(call timed,documentation site,PATH="$(CURDIR)/$(BIN):$$PATH" tests/make-docs)

pictures: setup engines ## Draw the pictures of the documentation; the demo and Chromium run for two of them.
	@$(BIN)/python docs/pictures.py
	@$(BIN)/python docs/record_demo.py
	@$(BIN)/python docs/record_audit.py

molecule: setup ## Run the molecule scenarios against a lab of their own.
	$(call timed,molecule,tests/molecule)

integration: setup ## Run the targets of ansible-test integration. Each of them has a lab of its own.
	$(call timed,ansible-test integration,tests/targets)

matrix: setup ## Run the scenario on older and newer versions of ansible-core, amazon.aws and boto3.
	@tests/matrix

faults: setup ## Try every fault at every API call of the playbooks; the whole of it takes a while.
	@$(BIN)/python -m tests.faults

judges: setup ## Compare the evaluator of IAM policies with two others on 100,000 random questions.
	$(call timed,100000 random questions,$(BIN)/python -m tests.judge.compare 100000)

estates: setup ## Compare the audit of 300 random estates with real calls to the lab; about an hour. COUNT=20 tries fewer.
	$(call timed,random estates,$(BIN)/python -m tests.estates $(if $(COUNT),--count $(COUNT)))

ends: setup ## Compare 10,000 verdicts around random ends of access with real requests to the lab. COUNT=300 tries fewer.
	$(call timed,random ends of access,$(BIN)/python -m tests.ends $(if $(COUNT),--count $(COUNT)))

load: setup ## Let 20 consumers pull 5,000 times while the access of three of them ends.
	$(call timed,ends of access under load,$(BIN)/python -m tests.load)

replicas: setup ## Kill and resume a replication of 2,000 images with signatures at each of its calls. COUNT=100 has fewer images.
	$(call timed,killed and resumed replications,$(BIN)/python -m tests.replicas $(if $(COUNT),--count $(COUNT)))

mutants: setup ## Break one place of the pure core at a time; a unit test must fail. SAMPLE=300 tries as many of them.
	$(call timed,mutants,$(BIN)/python -m tests.mutants $(if $(SAMPLE),--sample $(SAMPLE)))

pages: setup ## Run the commands of every page, and correct the output that the pages print.
	$(call timed,commands of the pages,$(BIN)/python -m tests.pages --write)

bench: setup engines ## Measure against bare boto3, the aws CLI, skopeo and docker; about 45 minutes on a quiet machine.
	@if [ -n "$(ROOT)" ] && ! command -v docker-registry >/dev/null; then \
	  echo "Installing docker-registry, which rows 8 and 9 pull from."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker-registry >/dev/null; \
	fi
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench.growth

test-live: setup ## The live suite, between two real AWS accounts: OWNER_PROFILE=… CONSUMER_PROFILE=….
	@$(BIN)/python -m tests.live

# Before the workers start, pytest rewrites the assertions of every file, and stores them. Otherwise, each worker would do it.
pytest: setup
	@echo "== pytest"
	@$(BIN)/python -m pytest --collect-only --quiet >/dev/null || true
	@if [ -z "$(ROOT)" ] && [ -z "$${CI:-}" ]; then \
	  echo "Not root: dockerd cannot be started here, so the tests marked 'engine' are left out."; \
	  $(BIN)/python -m pytest $(PARALLEL) -m 'not engine'; \
	else $(BIN)/python -m pytest $(PARALLEL); fi

engines: ## Install what the tests pull with and look at pages with from Debian's packages, where this is root.
	@if [ -n "$(ROOT)" ] && ! { command -v dockerd && command -v podman && command -v skopeo && command -v openssl && command -v docker-credential-ecr-login && command -v chromium && command -v xmllint; } >/dev/null; then \
	  echo "Installing docker.io, podman, skopeo and amazon-ecr-credential-helper, which the tests pull with, openssl, chromium and xmllint."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io podman skopeo amazon-ecr-credential-helper openssl ca-certificates chromium libxml2-utils >/dev/null; \
	fi
	@if [ -n "$(ROOT)" ] && ! command -v npm >/dev/null; then \
	  echo "Installing npm, which installs axe-core."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends npm >/dev/null; \
	fi
	@if [ -n "$(ROOT)" ]; then $(MAKE) --no-print-directory $(AXE); fi

# The accessibility engine that the tests run in the browser.
$(AXE): tests/browser/package-lock.json
	@mkdir -p .cache/browser && cp tests/browser/package.json tests/browser/package-lock.json .cache/browser
	@cd .cache/browser && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

build: setup ## Build the collection's archive into build/.
	@mkdir -p build && $(BIN)/ansible-galaxy collection build --force --output-path build .

clean: lab-down ## Remove everything that make made.
	@rm -rf .venv .venv-lab .venv-demo .lab .cache build
