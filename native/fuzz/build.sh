#!/usr/bin/env bash
# Builds the fuzzers with clang's libFuzzer under the address and undefined-behaviour sanitizers.
# Usage: native/fuzz/build.sh FOLDER [photo] [digest] [index]   (Debian: apt-get install clang-14 libclang-rt-14-dev)
set -euo pipefail
native="$(cd "$(dirname "$0")/.." && pwd)"
out="${1:?where to put the fuzzers}"
mkdir -p "$out"
# Counters without a record of every comparison: the arithmetic compares all the time, to no purpose of the fuzzer's.
flags=(-std=gnu11 -O2 -g -ffp-contract=off -Wall -Wextra -Werror -pthread
  -fsanitize=address,undefined -fno-sanitize-recover=all -I"$native" -I"$native/include")
counted=(-fsanitize-coverage=inline-8bit-counters,pc-table)
build() {
  local name="$1" objects=()
  shift
  for source in "$native/fuzz/fuzz_$name.c" "$@"; do
    objects+=("$out/$name-$(basename "$source" .c).o")
    clang-14 "${flags[@]}" "${counted[@]}" -c "$source" -o "${objects[-1]}"
  done
  clang-14 "${flags[@]}" -fsanitize=fuzzer "${objects[@]}" -o "$out/fuzz-$name"
  rm "${objects[@]}"
}
shift
[ $# -gt 0 ] || set -- photo digest index
for target in "$@"; do
  case "$target" in
    photo) build photo "$native"/{photo,exact,operator,code,digest}.c ;;
    digest) build digest "$native"/digest.c ;;
    index) build index "$native"/index{,_build,_layout,_search}.c ;;
    *) echo "There is no fuzzer called $target." >&2; exit 2 ;;
  esac
done
