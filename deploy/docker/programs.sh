#!/usr/bin/env bash
# Builds the programs as images hold them, into the directory that is given: static, with glibc, for its resolver needs no
# libraries beside it and musl's allocator is slow under many threads; without symbols, a fifth of a program (what panics still
# names its file and line). Each names the crates that it is made of (cargo-auditable), for scanners and the bill of materials:
# a static program would tell them nothing. `programs.sh --cook` compiles only what they depend on, for a layer of its own.
set -euo pipefail

# Static programs need a target that is named; host-tuple is whatever this is built on.
export CARGO_BUILD_TARGET=host-tuple RUSTFLAGS="-C target-feature=+crt-static"
if [ "$1" = --cook ]; then
  exec cargo chef cook --locked --release --workspace --recipe-path recipe.json
fi
programs=$("$(dirname "$0")/images.sh")
# shellcheck disable=SC2046,SC2086 # one argument each
cargo auditable build --locked --release --workspace $(printf -- '--bin %s ' $programs)
mkdir -p "$1"
for program in $programs; do
  strip --strip-all -o "$1/$program" "${CARGO_TARGET_DIR:-target}"/*-linux-*/release/"$program"
  readelf --sections --wide "$1/$program" | grep dep-v0 >/dev/null || { echo "$program does not say what it is made of" >&2; exit 1; }
done
