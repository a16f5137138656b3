#!/bin/sh
# Builds the browser's kernel from the same C as CPython's, into web/kernel/ (or the folder given).
# Both files are committed, so nobody needs clang to run Staydown; tests/native/test_wasm.py rebuilds and compares.
# Debian: apt-get install clang-14 lld-14. Another compiler version gives other bytes (and the same codes).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:-$root/web/kernel}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
cd "$root/native" # relative paths, so that no folder name of this machine can reach the output

# Compile and link apart: clang's driver would run any wasm-opt it finds on PATH, and that fails on SIMD.
# -fno-builtin: no loop may become a call of a memset or memcpy that does not exist here.
# -fno-vectorize -fno-unroll-loops: the four-row vectors are written out; more unrolling trebles the size for no speed.
sources="photo exact operator code digest"
build() {
  name=$1
  shift
  for source in $sources; do
    clang-14 --target=wasm32 -nostdlib -ffreestanding -fno-builtin -std=c11 -O2 -ffp-contract=off \
      -fvisibility=hidden -fno-vectorize -fno-slp-vectorize -fno-unroll-loops -Wall -Wextra -Werror \
      "$@" -Iinclude -c "$source.c" -o "$work/$source.o"
  done
  # wasm-ld fails on an undefined symbol, so the result imports nothing.
  wasm-ld-14 --no-entry --strip-all --export=__heap_base -z stack-size=65536 \
    $(for source in $sources; do echo "$work/$source.o"; done) -o "$out/staydown.$name.wasm"
  chmod 644 "$out/staydown.$name.wasm"
}

build simd -msimd128 -mbulk-memory
build base
