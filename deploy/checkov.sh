#!/usr/bin/env bash
# checkov over what is rendered, built and planned; deploy/checkov.yaml says what it asks for in vain, and why.
set -euo pipefail
cd "$(dirname "$0")/.."

version=3.3.0
venv=${XDG_CACHE_HOME:-$HOME/.cache}/stoa/venv/checkov-$version
if [ ! -f "$venv/complete" ]; then
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "checkov==$version"
  touch "$venv/complete"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check() { "$venv/bin/checkov" --config-file deploy/checkov.yaml "$@"; }

cargo xtask render "$work"
mkdir "$work/objects"
# One object a file: checkov says nothing of files as large as all together.
for overlay in "$work"/*.yaml; do
  awk -v out="$work/objects/$(basename "$overlay" .yaml)" '
    function flush() { if (text != "") { printf "%s", text > (out "-" n ".yaml"); close(out "-" n ".yaml") } }
    /^---$/ { flush(); text = ""; n++; next }
    { text = text $0 "\n" }
    END { flush() }' "$overlay"
done
check --framework kubernetes --directory "$work/objects"
check --framework dockerfile --file deploy/docker/Dockerfile
check --framework terraform --directory terraform
