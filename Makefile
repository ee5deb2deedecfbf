# The front door: `make build`, `make demo`, `make test`; the rest of the targets are listed by `make help`.
# CMake and Ninja do the work (CMakeLists.txt), tools/setup sets the machine up.
JOBS  ?= $(or $(RELAYX_BUILD_JOBS),$(shell nproc))
ARGS  ?=
FUZZ_SECONDS ?= 60
# Most integration tests wait for a call to go its way in real time.
TEST_JOBS ?= 4
ASAN_TESTS := calls gateway reliability

CMAKE := cmake -S . -G Ninja
VENV  := build/venv
UBSAN := UBSAN_OPTIONS=print_stacktrace=1

.PHONY: help build demo test unit asan asan-integration tsan fuzz bench integration tidy check clean setup

help:
	@echo "make build        set the machine up; build/relayx, build/relayx-speech"
	@echo "make demo         a real AI phone call on this machine (ARGS='--exit --json')"
	@echo "make test         everything that must pass before a change is taken"
	@echo "make unit         the unit tests alone; asan, tsan: the same under sanitizers"
	@echo "make integration  the tests of the whole system (PYTEST_ARGS='-k name')"
	@echo "make fuzz         fuzz every parser for FUZZ_SECONDS ($(FUZZ_SECONDS)) each"
	@echo "make bench        measurements (ARGS=--limits fails when the demo is late, --save keeps a baseline)"
	@echo "make check        test, tsan, fuzz and clang-tidy"
	@echo "make clean        remove what was built (the models' cache stays: tools/setup clean)"

setup:
	tools/setup build
	tools/setup models

build: setup
	$(CMAKE) -B build/cmake -DCMAKE_BUILD_TYPE=RelWithDebInfo
	ninja -C build/cmake -j $(JOBS)
	ln -sf cmake/bin/relayx cmake/bin/relayx-speech build/

demo: build
	build/relayx demo $(ARGS)

unit: build
	tools/check-includes build/cmake
	ctest --test-dir build/cmake -j $(JOBS) --output-on-failure

asan: setup
	$(CMAKE) -B build/asan -DCMAKE_BUILD_TYPE=Debug -DRLX_SANITIZE=address,undefined
	ninja -C build/asan -j $(JOBS)
	$(UBSAN) ctest --test-dir build/asan -j $(JOBS) --output-on-failure

tsan: setup
	$(CMAKE) -B build/tsan -DCMAKE_BUILD_TYPE=Debug -DRLX_SANITIZE=thread
	ninja -C build/tsan -j $(JOBS)
	ctest --test-dir build/tsan -j $(JOBS) --output-on-failure -L unit

$(VENV)/ready: tests/requirements.txt
	python3 -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

integration: build $(VENV)/ready
	$(VENV)/bin/python -m pytest tests/integration -m "not models" -n $(TEST_JOBS) --dist loadgroup $(PYTEST_ARGS)
	$(VENV)/bin/python -m pytest tests/integration -m models $(PYTEST_ARGS)

# The roles themselves under ASan and UBSan: calls, providers that fail, 200 calls in a row.
asan-integration: asan $(VENV)/ready
	ASAN_OPTIONS=detect_leaks=1 $(UBSAN) RELAYX_PROGRAM=$(CURDIR)/build/asan/bin/relayx \
		$(VENV)/bin/python -m pytest $(addprefix tests/integration/test_,$(addsuffix .py,$(ASAN_TESTS))) \
		-n $(TEST_JOBS) --dist loadgroup $(PYTEST_ARGS)

test: unit asan integration asan-integration

fuzz: setup
	CC=clang CXX=clang++ $(CMAKE) -B build/fuzz -DRLX_FUZZ=ON -DRLX_SPEECH=OFF \
		-DRLX_SANITIZE=address,undefined,fuzzer-no-link
	ninja -C build/fuzz -j $(JOBS)
	set -e; for target in build/fuzz/bin/fuzz_*; do \
		name=$${target##*/fuzz_}; mkdir -p build/fuzz/corpus/$$name; \
		echo "fuzzing $$name for $(FUZZ_SECONDS) s"; \
		$$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -verbosity=0 \
			-artifact_prefix=build/fuzz/$$name- build/fuzz/corpus/$$name tests/fuzz/corpus/$$name; \
	done

bench: build $(VENV)/ready
	bench/run $(ARGS)

tidy: build
	clang-tidy --quiet -p build/cmake $(shell git ls-files 'src/*.c' 'phone/*.c')

check: test tsan fuzz tidy

clean:
	rm -rf build
