# The door to everything. `make` alone prints the targets; each does its own set-up.
.DEFAULT_GOAL := help
.PHONY: help setup system demo check test cluster-build test-cluster ci fuzz fuzz-worlds fuzz-kernel test-kernels mutants bench lock clean

PYTHON ?= python3
BIN := .venv/bin
SEED ?= 1
READY := .venv/ready

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "ringfence needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock -r requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

system:
	@tools/system-packages nft:nftables ip:iproute2 unshare:util-linux git:git

setup: $(READY) system ## make the virtual environment; install nftables and iproute2 when root

demo: setup ## build the shop out of network namespaces, compare with the kernel, explain a drop
	$(BIN)/ringfence lab demo -f examples/shop/manifests

check: $(READY) ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: setup ## every test: laws, cases, scripts, differential, kernel
	$(BIN)/pytest

cluster-build: $(READY) ## build etcd, the API server and kubectl from their Go modules; kept under ~/.cache
	$(BIN)/python -m tests.cluster.build

test-cluster: setup cluster-build ## compare with a real API server, object by object and word by word
	$(BIN)/pytest tests/cluster -m cluster -rs

ci: ## what CI runs
	$(MAKE) check
	HYPOTHESIS_PROFILE=ci $(MAKE) test
	$(MAKE) test-cluster
	$(MAKE) fuzz SECONDS=60 SEED=$$(git rev-list --count HEAD)
	$(MAKE) mutants SECONDS=300 SEED=$$(git rev-list --count HEAD)

fuzz: $(READY) ## break a million inputs, or as many as fit into SECONDS, and see that nothing is passed over
	$(BIN)/python -m tests.fuzz --seed $(SEED) $(if $(SECONDS),--seconds $(SECONDS) --count 1000000000)

fuzz-worlds: $(READY) ## compare all deciders on many more random worlds
	HYPOTHESIS_PROFILE=wide $(BIN)/pytest tests/differential

fuzz-kernel: setup ## 200 random worlds in the kernel, every probe against the definition; a thousand changes under floods
	$(BIN)/python -m tests.kernel.fuzz 200
	RINGFENCE_CHANGES=1000 RINGFENCE_SEED=$(SEED) RINGFENCE_KILL_EVERY=1 $(BIN)/pytest tests/kernel/test_under_flood.py tests/kernel/test_faults.py

test-kernels: setup ## the rules on other kernels and versions of nft, in virtual machines; hours without KVM
	@tools/system-packages qemu-system-x86_64:qemu-system-x86 depmod:kmod busybox:busybox-static script:bsdutils
	$(BIN)/pip install --quiet --require-hashes -r requirements-kernels.lock
	$(BIN)/python -m tests.kernels $(KERNELS)

mutants: $(READY) ## plant each bug of tests/planted and see its own tests catch it
	$(BIN)/python -m tests.mutants --seed $(SEED) $(if $(SECONDS),--seconds $(SECONDS))

bench: $(READY) ## time the readers and the program on seeded input
	$(BIN)/python -m bench

lock: ## renew the lock files (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group dev pyproject.toml -o requirements-dev.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group kernels -o requirements-kernels.lock

clean: ## remove what the targets made
	rm -rf .venv .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
