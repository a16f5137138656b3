"""What every result says beside its figures: machine, compiler, versions, commit, spread.

Writes benchmarks/results/NAME.json and NAME.md. Refuses paths of this machine in what is published.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks import packages

RESULTS = Path(__file__).with_name("results")
# The fewest runs from which a published median may come (docs/explanation/house.md, claims about speed).
RUNS = 5


class LocalPathPublished(Exception):
    """A result holds a path of the machine that made it."""


def environment(*names: str) -> dict[str, Any]:
    """Date, machine, compiler, commit, and the versions of the named distributions that are installed."""
    load = os.getloadavg()[0]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_before": round(load, 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "compiler": _first_line("cc", "--version"),
        "flags": _flags(),
        "versions": {name: _version(name) for name in names},
        "commit": _first_line("git", "rev-parse", "--short=12", "HEAD"),
        "changed_since_commit": bool(
            _first_line("git", "status", "--porcelain", "--", "src", "native", "benchmarks/*.py")
        ),
    }


def environment_lines(env: dict[str, Any]) -> list[str]:
    """The same as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in env["versions"].items() if version)
    changed = " with uncommitted changes" if env["changed_since_commit"] else ""
    return [
        f"- date: {env['date']}; commit {env['commit']}{changed}",
        f"- machine: {env['processor']}, {env['cores']} cores, {env['system']};"
        f" load before the run {env['load_before']}",
        f"- compiler: {env['compiler']}; flags `{env['flags']}`; Python {env['python']}",
        f"- versions: {versions}",
    ]


def publish(name: str, result: dict[str, Any], lines: Sequence[str]) -> None:
    """Write results/NAME.json and results/NAME.md. Raises LocalPathPublished."""
    RESULTS.mkdir(exist_ok=True)
    texts = {
        f"{name}.json": json.dumps(result, indent=1, ensure_ascii=False) + "\n",
        f"{name}.md": "\n".join(lines) + "\n",
    }
    for file, text in texts.items():
        if str(packages.ROOT) in text or re.search(r"(?<![\w.])/(home|root|tmp|work|Users)/", text):
            raise LocalPathPublished(file)
        (RESULTS / file).write_text(text)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [f"| {' | '.join(head)} |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return lines + [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]


def seconds(call: Callable[[], Any]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def timed_in_turn(calls: dict[str, Callable[[], Any]], *, runs: int = RUNS) -> dict[str, list[float]]:
    """Wall seconds of each call, `runs` times each, in turn, so that all meet the same machine."""
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(runs):
        for name, call in calls.items():
            times[name].append(seconds(call))
    return times


def spread(values: Sequence[float], *, scale: float = 1000.0, digits: int = 3) -> dict[str, float]:
    """Median, least and most, in milliseconds unless scaled otherwise."""
    return {
        "median": round(statistics.median(values) * scale, digits),
        "least": round(min(values) * scale, digits),
        "most": round(max(values) * scale, digits),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"^model name\s*: (.+)$", info.read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or "unknown"


def _flags() -> str:
    text = (packages.ROOT / "CMakeLists.txt").read_text()
    found = re.search(r"target_compile_options\(_native PRIVATE ([^)]*)\)", text)
    return found[1] if found else "unknown"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _first_line(*command: str) -> str:
    ran = subprocess.run(command, cwd=packages.ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip().split("\n")[0]
