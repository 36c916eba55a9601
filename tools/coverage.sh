#!/usr/bin/env bash
# Which lines the tests run: builds with counters beside the usual build, runs the C++ and the Python tests on it, and
# leaves in build/coverage: cpp.json and python.json (summaries), cpp/ and python/ (pages).
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
build=build/coverage

cmake --preset coverage >/dev/null
find "$build" -name '*.gcda' -delete
cmake --build --preset coverage
rm -rf "$build/site"
mkdir "$build/site"
cp -r python/constellm "$build/site/"
rm -f "$build"/site/constellm/*.so
cmake --install "$build" --prefix "$build/site" >/dev/null

"$build/tests/cpp/constellm_tests"
# Absolute, for tests that start programs in folders of their own.
PYTHONPATH="$PWD/$build/site" COVERAGE_FILE="$PWD/$build/python.data" python -m pytest -q --cov=constellm \
  --cov-report="json:$build/python.json" --cov-report="html:$build/python" --cov-report=term

mkdir -p "$build/cpp"
# Some loops of the codec do run more than 2^32 times, which gcovr takes for an error of gcov.
gcovr --root . --filter cpp/include --filter cpp/src --exclude-throw-branches \
  --gcov-ignore-parse-errors=negative_hits.warn_once_per_file --gcov-suspicious-hits-threshold=0 "$build" \
  --json-summary "$build/cpp.json" --html-details "$build/cpp/index.html" --txt
