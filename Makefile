# Every target does its own set-up in .venv and build/; a second run only redoes what changed.
#   PYTHON=...      the Python to start from (default python3)
#   PYTEST_ARGS=... more arguments for pytest
#   MATRIX_ARGS=... arguments for tools/matrix.py, as --all or 3.9
#   WITH_TORCH=1    also install PyTorch, gigabytes on most machines, so that its tests run

PYTHON ?= python3
PYTEST_ARGS ?=
MATRIX_ARGS ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

VENV := .venv
BIN := $(VENV)/bin
STAMPS := build/stamps
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# CMake and Ninja come from the environment's own wheels.
export PATH := $(abspath $(BIN)):$(PATH)
export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)
export PYTHON

# What the wheel is made of: a change of these installs it again.
SOURCES := $(shell find cpp python -type f ! -name '*.so' ! -name '*.pyc' 2>/dev/null) \
           $(shell find tests/cpp -type f) CMakeLists.txt pyproject.toml README.md

.PHONY: help
help:  ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# ---- set-up ---------------------------------------------------------------------------------

$(BIN)/python:
	tools/bootstrap.sh venv $(VENV)

$(STAMPS)/build-tools: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install -q --group build
	@mkdir -p $(@D) && touch $@

$(STAMPS)/installed: $(STAMPS)/build-tools $(SOURCES)
	tools/bootstrap.sh catch2
	$(BIN)/python -m pip install -q --no-build-isolation '.[test]' -C build-dir=build/release \
	  -C cmake.define.CONSTELLM_TESTS=ON -C cmake.define.CONSTELLM_WERROR=ON
	@touch $@

# The version that the shipped weights were trained and are tested with; the others for the tests that want PyTorch.
$(STAMPS)/torch: $(STAMPS)/installed
	$(BIN)/python -m pip install -q torch==2.13.0 'transformers>=4.40' 'stable-baselines3>=2.3'
	@touch $@

$(STAMPS)/dev-tools: $(STAMPS)/build-tools
	$(BIN)/python -m pip install -q --group dev
	@touch $@

$(STAMPS)/peers: $(STAMPS)/build-tools
	$(BIN)/python -m pip install -q --group peers
	@touch $@

$(STAMPS)/docs-tools: $(STAMPS)/build-tools
	$(BIN)/python -m pip install -q --group docs
	@touch $@

$(STAMPS)/wheel-tools: $(STAMPS)/build-tools
	$(BIN)/python -m pip install -q --group wheel
	@touch $@

.PHONY: setup
setup: $(STAMPS)/installed  ## Make .venv with the package and everything its tests need

# ---- what a researcher runs -----------------------------------------------------------------

.PHONY: test
test: $(STAMPS)/installed $(if $(WITH_TORCH),$(STAMPS)/torch)  ## Run the C++ tests, then the Python tests
	@status=0; \
	ctest --test-dir build/release --output-on-failure -j $(JOBS) || status=$$?; \
	$(BIN)/python -m pytest $(PYTEST_ARGS) || status=$$?; \
	exit $$status

.PHONY: reproduce
reproduce: $(STAMPS)/installed  ## Reproduce the papers' comparisons: figures, tables and pages in results/
	$(BIN)/constellm reproduce --out results --notebooks notebooks
	$(BIN)/constellm reproduce space-xnet --out results/space-xnet
	$(BIN)/constellm reproduce satellite-edge --out results/satellite-edge

.PHONY: docs
docs: $(STAMPS)/installed $(STAMPS)/docs-tools  ## Build the documentation site, its examples and notebooks executed, in build/docs
	rm -rf build/docs
	$(BIN)/python -m sphinx -W --keep-going -q -j $(JOBS) -d build/doctrees -E docs build/docs \
	  2> >(grep -v "Kernel is running over TCP" >&2)

.PHONY: wheel
wheel: $(STAMPS)/wheel-tools  ## Build an sdist, and from it a manylinux wheel, in dist/; try them in an empty environment
	rm -rf dist build/dist
	$(BIN)/python -m build -q --outdir build/dist
	$(BIN)/auditwheel repair --wheel-dir dist build/dist/*.whl
	mv build/dist/*.tar.gz dist
	$(BIN)/auditwheel show dist/*.whl
	$(BIN)/python tools/check_dist.py dist build/empty

# ---- what a developer runs ------------------------------------------------------------------

.PHONY: lint
lint: $(STAMPS)/installed $(STAMPS)/dev-tools  ## Check formatting, style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $$(git ls-files '*.cpp' '*.hpp')

.PHONY: tidy
tidy: $(STAMPS)/installed $(STAMPS)/dev-tools  ## Look for defects in the C++ with clang-tidy
	$(BIN)/clang-tidy -p build/release --quiet $$(git ls-files 'cpp/src/*.cpp')

.PHONY: clang
clang: $(STAMPS)/installed  ## Build everything with Clang, warnings as errors, and run the C++ tests
	tools/bootstrap.sh clang
	cmake --preset clang && cmake --build --preset clang && ctest --preset clang

.PHONY: format
format: $(STAMPS)/dev-tools  ## Format the sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $$(git ls-files '*.cpp' '*.hpp')

.PHONY: stubs
stubs: $(STAMPS)/installed  ## Write python/constellm/_core/*.pyi from the compiled module
	$(BIN)/python tools/stubs.py python/constellm/_core

.PHONY: matrix
matrix:  ## Build a wheel for every supported Python found, and try it with the oldest and the newest numpy
	$(PYTHON) tools/matrix.py $(MATRIX_ARGS)

.PHONY: bench
bench: $(STAMPS)/installed $(STAMPS)/peers  ## Run the benchmarks, into docs/benchmarks.md and docs/services-speed.md
	tools/bootstrap.sh benchmark
	cmake --preset bench && cmake --build --preset bench
	cmake -S benchmarks/peers/boost -B build/peers -G Ninja && cmake --build build/peers
	build/bench/benchmarks/cpp/constellm_bench
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/services.py
	$(BIN)/python benchmarks/codec_peers.py --docs docs

.PHONY: coverage
coverage: $(STAMPS)/installed $(STAMPS)/dev-tools  ## Measure which lines the tests run, in C++ and Python
	tools/coverage.sh

.PHONY: verify
verify: $(STAMPS)/installed $(STAMPS)/dev-tools  ## Sanitizers, Clang, fuzzing, 20,000 random problems and coverage, into docs/verify.md
	tools/bootstrap.sh clang
	$(BIN)/python tools/verify.py

.PHONY: clean
clean:  ## Remove .venv, builds and results
	rm -rf $(VENV) build dist results
