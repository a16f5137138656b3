"""Load for an HTTP server, by `wrk`: as much as it takes, or a given rate; latencies from wrk's histogram.

Refuses answers other than 200: they are counted, and a run with any of them fails.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Each line of the file is a request's body (with record separators for line feeds), or for GET the end of its
# path. A thread begins at a place of its own.
_SCRIPT = """
local lines, at = {}, 1
for line in io.lines(os.getenv("LOAD_FILE")) do lines[#lines + 1] = line:gsub("\\30", "\\n") end
local method, path = os.getenv("LOAD_METHOD"), os.getenv("LOAD_PATH")
local pause = tonumber(os.getenv("LOAD_PAUSE_MS"))
local headers = {["Content-Type"] = os.getenv("LOAD_TYPE")}
headers["Authorization"] = os.getenv("LOAD_AUTHORIZATION")
math.randomseed(7)
function init(arguments) at = math.random(#lines) end
function request()
  at = at % #lines + 1
  if method == "GET" then return wrk.format("GET", path .. lines[at], headers) end
  return wrk.format("POST", path, headers, lines[at])
end
if pause > 0 then function delay() return math.random(0, 2 * pause) end end
function done(summary, latency, requests)
  local e = summary.errors
  io.stderr:write(string.format(
    '{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"most":%d,"failed":%d}\\n', summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one run."""

    per_second: float
    """Lookups."""
    p50_ms: float
    p99_ms: float
    most_ms: float

    def as_dict(self) -> dict[str, Any]:
        """For a result file."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked, of whom: a line of `lines` is the body of a POST, or the end of a GET's path."""

    port: int
    path: str
    lines: Sequence[str]
    authorization: str = ""
    method: str = "POST"
    content_type: str = "application/json"
    lookups: int = 1
    """In each request."""


def check_wrk() -> None:
    """Exits with what to install if `wrk` is not there."""
    if shutil.which("wrk") is None:
        sys.exit("The load comes from wrk. Debian: apt-get install wrk")


def load(
    target: Target, *, folder: Path, seconds: int, connections: int, cpu: int, pause_ms: float = 0
) -> Load:
    """One run. pause_ms: each connection waits so long between its requests, on average, by chance."""
    (folder / "load.lua").write_text(_SCRIPT)
    lines = (line.replace("\n", "\x1e") for line in target.lines)
    (folder / "load.txt").write_text("\n".join(lines) + "\n")
    environment = {
        **os.environ,
        "LOAD_FILE": str(folder / "load.txt"),
        "LOAD_METHOD": target.method,
        "LOAD_PATH": target.path,
        "LOAD_TYPE": target.content_type,
        "LOAD_PAUSE_MS": str(pause_ms),
        "LOAD_AUTHORIZATION": target.authorization,
    }
    command = [
        *("wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"),
        *("--timeout", "30s", "--script", str(folder / "load.lua"), f"http://127.0.0.1:{target.port}"),
    ]
    ran = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}),
    )
    found = json.loads(ran.stderr.splitlines()[-1])
    if found["failed"] or not found["requests"]:
        raise RuntimeError(f"{found['failed']} of {found['requests']} requests failed")
    return Load(
        per_second=target.lookups * found["requests"] / found["microseconds"] * 1e6,
        p50_ms=found["p50"] / 1000,
        p99_ms=found["p99"] / 1000,
        most_ms=found["most"] / 1000,
    )
