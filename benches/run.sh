#!/usr/bin/env bash
# Builds the benchmarks as a release and runs them.
#
# usage: benches/run.sh [--smoke] [CASE ...]     cases: find tree many memory start function
# pin serve serve-chaos serve-abuse mirror (default: all)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec cargo bench --locked --bench bench -- "$@"
