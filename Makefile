# make demo    set up, train for a minute on text that comes with Python, and generate more;
#              then train for a minute on fiddle tunes, generate one, draw and synthesise it
# make test    set up, run the tests
# make test-fast   set up, run the tests that need no training
# make test-native   the tests of kernels, engines and training with slower C code, and without C
# make kill-test     kill training runs 50 times, and check that nothing is lost
# make test-sanitized   the tests of the C library, built with CC="gcc -fsanitize=address,undefined"
# make fuzz    set up, run the fuzzers: SEED=1 MINUTES=10
# make check   set up, run ruff, mypy and import-linter
# make docs    set up, build the documentation: build/site/index.html
# make wasm    set up, compile the engine of shared pages: seqgen/sharing/page/engine.wasm
# make wheels  set up, build a wheel for every platform and check it: dist/
# make bench   set up, print the figures of docs/benchmarks.md
# make clean   remove the files that the other targets made, except models

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready

DEMO_MINUTES ?= 1
DEMO_MODEL   ?= models/demo.keras
DEMO_TUNES   ?= fiddle-tunes
DEMO_TUNE    ?= $(DEMO_MODEL:.keras=-tune)

# pip builds seqgen in a separate environment, in which this variable applies, too.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt

# Tests that neither train nor compile nor start many processes.
FAST := tests/utils tests/native/test_native.py tests/corpus tests/copying/test_exact.py tests/copying/test_index.py \
        tests/sampling tests/music/tokens tests/music/analysis tests/cells/test_activations.py tests/tasks/text \
        tests/test_config.py tests/test_errors.py tests/test_vocabulary.py

SANITIZED := tests/native/test_native.py tests/network/test_kernels.py \
             tests/inference/test_c_engine.py tests/sampling/test_c_sampler.py \
             tests/fuzz/test_fuzz.py -k 'not checkpoints and not told and not counted'

# The slower instruction sets that this processor has, and none.
export SLOWER := from seqgen.native import ISAS, library as load; \
  print(*[name for i, name in enumerate(ISAS) if i > 1 and load() and load().processor_has(i)], 0)

NATIVE := tests/network tests/inference tests/sampling tests/training

SEED    ?= 1
MINUTES ?= 10

.PHONY: demo test test-fast kill-test test-native test-sanitized fuzz check docs wasm wheels bench clean

$(READY): pyproject.toml constraints.txt $(wildcard seqgen/native/*.[ch] hatch_build.py)
	@$(PYTHON) -c 'import sys; assert (3, 10) <= sys.version_info < (3, 14), sys.version' \
	  || { echo "seqgen needs Python 3.10 to 3.13; name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(READY)
	$(BIN)/seqgen train python-docs -o $(DEMO_MODEL) --minutes $(DEMO_MINUTES)
	@for temperature in 0.3 0.7 1.0; do \
	  printf '\n== temperature %s\n' $$temperature; \
	  $(BIN)/seqgen generate $(DEMO_MODEL) --prompt 'The ' --length 400 --seed 1 \
	    --temperature $$temperature || exit 1; \
	done
	@printf '\n\nThe model is %s; generate more text with\n' $(DEMO_MODEL)
	@echo '  $(BIN)/seqgen generate $(DEMO_MODEL) --prompt "The "'
	@echo
	$(BIN)/seqgen train $(DEMO_TUNES) -o $(DEMO_TUNE)s.keras --minutes $(DEMO_MINUTES)
	$(BIN)/seqgen generate $(DEMO_TUNE)s.keras -o $(DEMO_TUNE).mid --bars 16 --seed 1
	$(BIN)/seqgen render $(DEMO_TUNE).mid -o $(DEMO_TUNE).png
	$(BIN)/seqgen render $(DEMO_TUNE).mid -o $(DEMO_TUNE).wav
	@printf '\nA new tune: %s, its score: %s, its audio: %s; generate another one with\n' \
	  $(DEMO_TUNE).mid $(DEMO_TUNE).png $(DEMO_TUNE).wav
	@echo '  $(BIN)/seqgen generate $(DEMO_TUNE)s.keras --bars 16'

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-fast: $(READY)
	$(BIN)/python -m pytest -n 2 $(FAST)

test-native: $(READY)
	for set in $$($(BIN)/python -c "$$SLOWER"); do \
	  SEQGEN_NATIVE=$$set $(BIN)/python -m pytest -n 2 $(NATIVE) || exit 1; \
	done

kill-test: $(READY)
	$(BIN)/python -m tests.kill_harness --kills 50

# Python is not instrumented, so the sanitizer's runtime is preloaded, and leaks are not reported.
# pytest hides what a test prints, so undefined behaviour ends the process.
test-sanitized: $(READY)
	LD_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so)" \
	  ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1 $(BIN)/python -m pytest -n 0 $(SANITIZED)

fuzz: $(READY)
	$(BIN)/python -m tests.fuzz --seed $(SEED) --minutes $(MINUTES)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# Without -fno-unroll-loops, which Clang applies to loops with a pragma, too.
wasm: $(READY)
	$(BIN)/python -m ziglang cc -target wasm32-wasi -mexec-model=reactor -mcpu=generic+simd128 \
	  -O3 -std=gnu11 -fno-math-errno -fvisibility=hidden -s -Wall -Wextra -Wno-psabi \
	  seqgen/native/wasm/engine.c -o seqgen/sharing/page/engine.wasm
	chmod 644 seqgen/sharing/page/engine.wasm

wheels: $(READY)
	@rm -rf dist
	for target in linux-x86_64 linux-aarch64 macos-x86_64 macos-arm64 windows-x86_64 windows-arm64; do \
	  SEQGEN_TARGET=$$target $(BIN)/python -m pip wheel --quiet --disable-pip-version-check \
	    --no-deps --wheel-dir dist . || exit 1; \
	done
	$(BIN)/python -m tests.native.wheels dist/*.whl

bench: $(READY)
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.encoding
	$(BIN)/python -m benchmarks.readers
	$(BIN)/python -m benchmarks.generation
	$(BIN)/python -m benchmarks.serving
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.quality
	$(BIN)/python -m benchmarks.choice
	$(BIN)/python -m benchmarks.music
	$(BIN)/python -m benchmarks.mixing
	$(BIN)/python -m benchmarks.labels
	$(BIN)/python -m benchmarks.images
	$(BIN)/python -m benchmarks.sharing

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
