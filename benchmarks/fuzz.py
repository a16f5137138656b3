"""Fuzzes the kernel (libFuzzer under sanitizers) and the decode path (damaged files, processes under limits).

Run as `script/bench fuzz`; writes benchmarks/results/fuzz.md. Refuses to stop at a finding: it is counted,
told with what makes it again, and the rest goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.fuzz_child import ADDRESS_BYTES, CPU_SECONDS, LIMITS, PEAK_KIB, seed_files

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "var" / "fuzz"

CHILD = (sys.executable, "-c", "from benchmarks.fuzz_child import main; main()")

# Runs of one process of the decode fuzzer: enough that a leak shows, and that starting Python costs nothing.
RUNS_PER_CHILD = 20_000
CHILD_SECONDS = 3600.0

# The longest input of each libFuzzer target: a picture repeats it, an index of 96 codes takes 4 kB.
TARGETS = {"photo": 1024, "digest": 2048, "index": 4096}

# What has been found so far, and the test that keeps it mended.
FOUND_SO_FAR: tuple[str, ...] = (
    "decode path: a moving picture whose first bytes were damaged raised what its reader raised, unnamed "
    "(tests/staydown/fingerprint/test_moving.py)",
    "decode path: pi_heif 1.4.0 ended the process at a HEIC item whose kind is no text; twice in 400,000 "
    "runs at commit b40f284, with its 41 seeds and the numbers from 7,000,000,000 on "
    "(tests/staydown/fingerprint/headers/test_isomedia.py)",
)


@dataclass
class Tally:
    """What the runs came to."""

    runs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[dict[str, Any]] = field(default_factory=list)
    peak_kib: int = 0


def fuzz_decoding(first: int, runs: int, *, workers: int) -> Tally:
    """Decodes damaged files of these numbers, in several processes."""
    tally = Tally()
    shares = [
        (at, min(RUNS_PER_CHILD, first + runs - at)) for at in range(first, first + runs, RUNS_PER_CHILD)
    ]
    with ThreadPoolExecutor(workers) as threads:
        for part in threads.map(lambda share: _run_share(*share), shares):
            tally.runs += part.runs
            tally.outcomes += part.outcomes
            tally.findings += part.findings
            tally.peak_kib = max(tally.peak_kib, part.peak_kib)
            _say(f"decode: {tally.runs} runs, {len(tally.findings)} findings, peak {tally.peak_kib} KiB")
    return tally


def _run_share(first: int, count: int) -> Tally:
    """One share; a process that dies is replaced by one that begins behind the number that ended it."""
    tally = Tally()
    while count > 0:
        command = [*CHILD, str(first), str(count)]
        child = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=CHILD_SECONDS, check=False
        )
        lines = child.stdout.splitlines()
        if child.returncode == 0:
            told = json.loads(lines[-1])
            tally.outcomes.update(told["outcomes"])
            tally.findings += told["findings"]
            tally.peak_kib = max(tally.peak_kib, told["peak_kib"])
            tally.runs += count
            break
        last = int(lines[-1]) if lines and lines[-1].isdecimal() else first
        tally.findings.append({"number": last, "what": f"the process ended with {child.returncode}"})
        tally.outcomes["died (outcomes of its share are lost)"] += 1
        tally.runs += last + 1 - first
        first, count = last + 1, count - (last + 1 - first)
    return tally


def fuzz_kernel(target: str, runs: int, *, seed: int, programs: Path) -> Tally:
    """Runs one libFuzzer target; a finding ends it, and its input is kept beside it."""
    corpus = programs / f"corpus-{target}"
    corpus.mkdir(exist_ok=True)
    command = [str(programs / f"fuzz-{target}"), f"-runs={runs}", f"-seed={seed}", "-print_final_stats=1"]
    command += [f"-max_len={TARGETS[target]}", "-timeout=20", "-rss_limit_mb=1024"]
    command += [f"-artifact_prefix={programs}/{target}-", str(corpus)]
    run = subprocess.run(command, cwd=programs, capture_output=True, text=True, check=False)
    done = re.search(r"number_of_executed_units: (\d+)", run.stderr)
    tally = Tally(runs=int(done[1]) if done else 0)
    covered = re.findall(r"cov: (\d+) ft: (\d+)", run.stderr)
    if covered:
        tally.outcomes["edges"] = int(covered[-1][0])
    if run.returncode != 0:
        summary = (
            re.findall(r"^(?:SUMMARY|failed): .*", run.stderr, re.MULTILINE) or run.stderr.splitlines()[-3:]
        )
        tally.findings.append({"target": target, "what": " ".join(summary)})
    _say(f"{target}: {tally.runs} runs, {len(tally.findings)} findings")
    return tally


def build(programs: Path) -> None:
    """Builds the libFuzzer targets. Raises CalledProcessError."""
    programs.mkdir(parents=True, exist_ok=True)
    subprocess.run([ROOT / "native" / "fuzz" / "build.sh", programs], check=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzzes everything, writes the result, and gives 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="script/bench fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("--decode-runs", type=int, default=700_000)
    parser.add_argument("--photo-runs", type=int, default=40_000)
    parser.add_argument("--digest-runs", type=int, default=500_000)
    parser.add_argument("--index-runs", type=int, default=15_000)
    parser.add_argument("--seed", type=int, default=1, help="another seed damages other files in other ways")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args(arguments)
    environment = report.environment("pillow", "pi-heif", "simplejpeg", "numpy")
    environment["compiler"] = report._first_line("clang-14", "--version")
    environment["flags"] = "-O2 -fsanitize=address,undefined,fuzzer -fno-sanitize-recover=all"
    build(FOLDER)
    # Numbers of different seeds lie far apart, so that no two seeds try the same.
    first = asked.seed * 1_000_000_000
    with ThreadPoolExecutor(1) as beside:
        decoding = beside.submit(fuzz_decoding, first, asked.decode_runs, workers=asked.workers)
        tallies = {
            target: fuzz_kernel(target, getattr(asked, f"{target}_runs"), seed=asked.seed, programs=FOLDER)
            for target in TARGETS
        }
        tallies["decode"] = decoding.result()
    result = {
        "environment": environment,
        "seed": asked.seed,
        "first_number": first,
        "tallies": {name: vars(tally) for name, tally in tallies.items()},
    }
    report.publish("fuzz", result, list(_lines(environment, asked.seed, first, tallies)))
    return int(any(tally.findings for tally in tallies.values()))


def _lines(environment: dict[str, Any], seed: int, first: int, tallies: dict[str, Tally]) -> Iterator[str]:
    yield "# Fuzzing"
    yield ""
    yield "Made by `script/bench fuzz`. Every run can be made again: the seed and the numbers decide it."
    yield ""
    yield from report.environment_lines(environment)
    yield f"- seed {seed}; the decode path took the numbers from {first} on"
    yield ""
    yield from report.table(
        ("target", "runs", "findings"),
        [
            *((f"kernel: {name}", tallies[name].runs, len(tallies[name].findings)) for name in TARGETS),
            ("decode path", tallies["decode"].runs, len(tallies["decode"].findings)),
            (
                "all",
                sum(tally.runs for tally in tallies.values()),
                sum(len(tally.findings) for tally in tallies.values()),
            ),
        ],
    )
    yield ""
    yield (
        "Kernel targets run under libFuzzer with the address and undefined-behaviour sanitizers; beside "
        "those they hold the promises of the header (strips leave no trace, a search finds what a plain scan "
        "finds, a lying index file is refused or harmless). Edges reached: "
        + ", ".join(f"{name} {tallies[name].outcomes['edges']}" for name in TARGETS)
        + "."
    )
    yield ""
    yield (
        f"The decode path takes {len(seed_files())} seed files of every format, damages each run's by one to "
        "six flips, lies about lengths and counts, cuts, splices and repetitions, and reads every frame. A "
        "finding is whatever is neither pixels nor a named refusal: an exception, a crash, more than "
        f"{CPU_SECONDS:g} s of processor time, or more than {PEAK_KIB // 1024} MiB of memory, with "
        f"{ADDRESS_BYTES >> 20} MiB of address space and {LIMITS.max_pixels // 1_000_000} megapixel allowed. "
        f"The most memory any process held was {tallies['decode'].peak_kib // 1024} MiB."
    )
    yield ""
    yield from _outcome_table(tallies["decode"].outcomes)
    yield ""
    yield "## Findings of this run"
    yield ""
    found = [finding for tally in tallies.values() for finding in tally.findings]
    yield from (f"- `{json.dumps(finding)}`" for finding in found[:100])
    if not found:
        yield "None."
    yield ""
    yield "## Found before, and mended"
    yield ""
    yield from (f"- {line}" for line in FOUND_SO_FAR)


def _outcome_table(outcomes: Counter[str]) -> list[str]:
    kinds = sorted({name.split(" ", 1)[0] for name in outcomes})
    slugs = sorted({name.split(" ", 1)[1] for name in outcomes if " " in name})
    rows = [(kind, *(outcomes[f"{kind} {slug}"] for slug in slugs)) for kind in kinds]
    return report.table(("decoded as", *slugs), rows)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
