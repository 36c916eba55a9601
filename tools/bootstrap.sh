#!/usr/bin/env bash
# Makes a virtual environment with pip in it, and brings what only the system can provide: Python's
# headers, Catch2, Google Benchmark, Boost and Clang. As root on Debian missing packages are installed; elsewhere
# a message says what to install.
#
#   tools/bootstrap.sh venv DIR       create DIR with pip in it
#   tools/bootstrap.sh catch2         make Catch2 available, or leave it to CMake's download
#   tools/bootstrap.sh clang          make Clang available, the other compiler that is supported
#   tools/bootstrap.sh benchmark      the same for Google Benchmark, and Boost, which is a peer in the benchmarks
set -euo pipefail

python=${PYTHON:-python3}

say() { printf 'constellm: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

# Installs Debian packages if this user may; the status tells whether they are there now.
apt_install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  say "installing $* with apt-get"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get install -y -q "$@" || { apt-get update -q && apt-get install -y -q "$@"; }; } >&2
}

need_tools() {
  command -v "$python" >/dev/null || fail "no '$python'; install Python 3.9 or newer, or set PYTHON=/path/to/python3"
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' ||
    fail "$("$python" --version) is too old; set PYTHON to Python 3.9 or newer"
  command -v "${CXX:-c++}" >/dev/null || apt_install g++ ||
    fail "no C++ compiler; install GCC 12 or newer, or Clang 14 or newer (Debian: apt-get install g++)"
  local header='import os, sysconfig; print(os.path.join(sysconfig.get_paths()["include"], "Python.h"))'
  [ -e "$("$python" -c "$header")" ] || apt_install python3-dev ||
    fail "Python's headers are missing (Debian: apt-get install python3-dev)"
}

make_venv() {
  need_tools
  "$python" -m venv "$1" 2>/dev/null && return
  rm -rf "$1"
  say "'$python -m venv' does not work here (Debian keeps it in python3-venv); trying virtualenv"
  "$python" -m virtualenv -q "$1" 2>/dev/null && return
  virtualenv -q -p "$python" "$1" 2>/dev/null && return
  apt_install python3-venv && "$python" -m venv "$1" && return
  rm -rf "$1"
  fail "cannot make a virtual environment; install python3-venv (Debian: apt-get install python3-venv) or virtualenv"
}

# A header tells that the library is there; where it is not, CMake downloads a pinned release.
have_header() {
  printf '#include <%s>\n' "$1" | "${CXX:-c++}" -std=c++20 -E -x c++ - >/dev/null 2>&1
}

case "${1:-}" in
  venv) make_venv "${2:?folder}" ;;
  catch2)
    have_header catch2/catch.hpp || have_header catch2/catch_all.hpp || apt_install catch2 ||
      say "Catch2 is not installed (Debian: apt-get install catch2); CMake will download it" ;;
  clang)
    command -v clang++ >/dev/null || apt_install clang ||
      fail "Clang is missing; install version 14 or newer (Debian: apt-get install clang)" ;;
  benchmark)
    have_header benchmark/benchmark.h || apt_install libbenchmark-dev ||
      say "Google Benchmark is not installed (Debian: apt-get install libbenchmark-dev); CMake will download it"
    have_header boost/graph/r_c_shortest_paths.hpp || apt_install libboost-graph-dev ||
      fail "Boost Graph, a peer in the benchmarks, is missing (Debian: apt-get install libboost-graph-dev)" ;;
  *) fail "usage: $0 venv DIR | catch2 | clang | benchmark" ;;
esac
