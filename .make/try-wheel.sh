#!/usr/bin/env bash
# Install a wheel into a bare environment, away from the repository, and have it answer the bundled phrase.
# Usage: try-wheel.sh WHEEL [PYTHON]
set -euo pipefail
wheel=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${2:-python}" -m venv "$folder/venv"
bin=$folder/venv/bin
[ -d "$bin" ] || bin=$folder/venv/Scripts
cd "$folder"
"$bin/python" -m pip --disable-pip-version-check install --quiet "$wheel"
"$bin/tatumflow" --version
"$bin/tatumflow" models
"$bin/tatumflow" doctor
"$bin/tatumflow" play -o answer.mid --seed 7
test -s answer.mid
