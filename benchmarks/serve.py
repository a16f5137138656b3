"""The upload check over HTTP: lookups a second, a 12-megapixel upload, and how soon a registration matches.

`script/bench serve`. About ten minutes on two cores: the server has one, the load the other. The peers run in
the same run: python-threatexchange's `PdqSignal` and `PDQIndex`, the latter behind the same web stack as HMA.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks import corpus, report, serve_bank
from benchmarks.serve_load import Load, Target, check_wrk, load
from staydown.matching.linear import LinearIndex

CODES = 1_000_000
SERVER_CPU, LOAD_CPU = 0, 1
SECONDS = 5
CONNECTIONS = 16
BODIES = 5000
BATCH = 100
IN_BATCHES = f"one code, in batches of {BATCH}"
REGISTRATIONS = 200
QUERIES = 300
UPLOADS = 15
TWELVE_MEGAPIXELS = (4000, 3000)
# HMA 2 with its own index and PostgreSQL: one gunicorn worker, 1M codes, a lookup that finds nothing.
# Measured before this project began, on an Intel Xeon core; told for orientation beside what runs here.
HMA_LOOKUPS_A_SECOND = 243


def lookups(house: serve_bank.House, folder: Path) -> dict[str, Any]:
    """Lookups a second with one process, and latencies at half of that."""
    chance = np.random.default_rng(3)

    def code() -> dict[str, Any]:
        return {"hex": chance.bytes(32).hex(), "quality": 100}

    one = [json.dumps({"fingerprints": {"pdq": code()}, "content_id": f"c{n}"}) for n in range(BODIES)]
    whole = [
        json.dumps(
            {
                "fingerprints": {
                    "pdq": code(),
                    "pdq512": code(),
                    "sha256": chance.bytes(32).hex(),
                    "md5": chance.bytes(16).hex(),
                },
                "content_id": f"c{n}",
            }
        )
        for n in range(BODIES)
    ]
    port = serve_bank.free_port()
    result: dict[str, Any] = {}
    with serve_bank.served(serve_bank.staydown(port), ready="/readyz", port=port, cpu=SERVER_CPU) as server:
        for name, lines in (("one code", one), ("two codes and two digests", whole)):
            target = Target(port, "/api/v1/check", lines, f"Bearer {house.token}")
            result[name] = _measured(target, folder)
        batches = ["\n".join(one[at : at + BATCH]) for at in range(0, BODIES, BATCH)]
        target = Target(
            port,
            "/api/v1/check/batch",
            batches,
            f"Bearer {house.token}",
            content_type="application/jsonl",
            lookups=BATCH,
        )
        result[IN_BATCHES] = _measured(target, folder, connections=2)
        own, shared = serve_bank.memory_of(server.pid)
        result["memory_mb"] = {"own": round(own / 1e6), "shared": round(shared / 1e6)}
    return result


def recall(house: serve_bank.House) -> dict[str, int]:
    """Codes near stored ones, asked over HTTP, against comparing them with every code one by one."""
    codes, chance = serve_bank.codes_of(house), np.random.default_rng(6)
    linear = LinearIndex()
    linear.add(codes.reshape(-1, 32), np.repeat(np.arange(len(codes), dtype=np.uint64), codes.shape[1]))
    sought = codes[
        chance.integers(len(codes), size=QUERIES), chance.integers(codes.shape[1], size=QUERIES)
    ].copy()
    for row in sought:
        turned = np.unpackbits(row)
        turned[chance.choice(256, size=int(chance.integers(40)), replace=False)] ^= 1
        row[:] = np.packbits(turned)
    hits = linear.search(sought)
    expected = [sorted(hits.distance_bits[hits.query == row].tolist()) for row in range(QUERIES)]
    port = serve_bank.free_port()
    lines = [{"fingerprints": {"pdq": {"hex": row.tobytes().hex(), "quality": 100}}} for row in sought]
    with serve_bank.served(serve_bank.staydown(port), ready="/readyz", port=port):
        answers = httpx.post(
            f"http://127.0.0.1:{port}/api/v1/check/batch",
            content="\n".join(map(json.dumps, lines)),
            headers={"Content-Type": "application/jsonl", "Authorization": f"Bearer {house.token}"},
            timeout=60,
        ).text.splitlines()
    found = [sorted(match["distance_bits"] for match in json.loads(line)["matches"]) for line in answers]
    if found != expected:
        raise RuntimeError("the check does not find what comparing one by one finds")
    return {"queries": QUERIES, "expected": sum(map(len, expected)), "found": sum(map(len, found))}


def peer_lookups(folder: Path) -> dict[str, Any]:
    """The same of the peer, with as many random codes."""
    chance = np.random.default_rng(4)
    codes = np.frombuffer(chance.bytes(32 * CODES), np.uint8).reshape(-1, 32)
    np.save(folder / "codes.npy", codes)
    os.environ["PEER_CODES"] = str(folder / "codes.npy")
    port = serve_bank.free_port()
    program = str(Path(sys.executable).with_name("gunicorn"))
    command = [program, "--bind", f"127.0.0.1:{port}", "--workers", "1", "--timeout", "300"]
    command += ["--log-level", "warning", "benchmarks.serve_peer:application()"]
    lines = [f"?signal_type=pdq&signal={chance.bytes(32).hex()}" for _ in range(BODIES)]
    with serve_bank.served(command, ready="/status", port=port, cpu=SERVER_CPU) as server:
        found = _measured(Target(port, "/m/lookup", lines, method="GET"), folder)
        del server
    return found


def floor(folder: Path) -> dict[str, Any]:
    """The same of a server that looks at nothing and answers at once."""
    port = serve_bank.free_port()
    command = [sys.executable, "-m", "benchmarks.serve_floor", str(port)]
    with serve_bank.served(command, ready="/", port=port, cpu=SERVER_CPU):
        return _measured(Target(port, "/", ["{}"] * 10), folder)


def _measured(target: Target, folder: Path, *, connections: int = CONNECTIONS) -> dict[str, Any]:
    def run(connections: int, pause_ms: float = 0) -> Load:
        return load(
            target,
            folder=folder,
            seconds=SECONDS,
            connections=connections,
            cpu=LOAD_CPU,
            pause_ms=pause_ms,
        )

    run(connections)
    full = [run(connections) for _ in range(report.RUNS)]
    rate = statistics.median(one.per_second for one in full)
    # So many connections, each of which pauses so long that all together ask for half of what it takes.
    many = 4 * connections
    pause_ms = many / (rate / target.lookups / 2) * 1000
    half = [run(many, pause_ms=pause_ms) for _ in range(report.RUNS)]
    return {
        "full": [one.as_dict() for one in full],
        "half": [one.as_dict() for one in half],
        "per_second": report.spread([one.per_second for one in full], scale=1, digits=0),
        "p99_ms_at_half": report.spread([one.p99_ms for one in half], scale=1, digits=2),
        "per_second_at_half": round(statistics.median(one.per_second for one in half)),
    }


def uploads(house: serve_bank.House) -> dict[str, Any]:
    """A 12-megapixel JPEG: the whole check over HTTP at each level, against hashing it alone."""
    from threatexchange.signal_type.pdq.signal import PdqSignal

    media = _twelve_megapixels()
    port = serve_bank.free_port()
    with (
        serve_bank.served(serve_bank.staydown(port), ready="/readyz", port=port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        client.headers["Authorization"] = f"Bearer {house.token}"

        def check(level: str) -> Callable[[], None]:
            def once() -> None:
                files = {"media": ("photo.jpg", media, "image/jpeg")}
                answer = client.post("/api/v1/check", files=files, data={"level": level})
                if answer.status_code != 200:
                    raise RuntimeError(f"the check answered {answer.status_code}")

            return once

        calls: dict[str, Callable[[], Any]] = {
            "PdqSignal.hash_from_bytes": lambda: PdqSignal.hash_from_bytes(media),
            **{f"check, {level}": check(level) for level in ("plain", "geo9", "deep")},
        }
        times = report.timed_in_turn(calls, runs=UPLOADS)
    theirs = statistics.median(times["PdqSignal.hash_from_bytes"])
    return {
        "bytes": len(media),
        "ms": {name: report.spread(values, digits=1) for name, values in times.items()},
        "ratio": {name: round(theirs / statistics.median(values), 1) for name, values in times.items()},
    }


def _twelve_megapixels() -> bytes:
    from PIL import Image

    from benchmarks import edits

    picture = max(corpus.pictures("photo"), key=lambda one: one.width * one.height)
    pixels = edits.crop_to_aspect(corpus.pixels_of(picture), 4 / 3, 0.5)
    out = io.BytesIO()
    image = Image.fromarray(pixels).resize(TWELVE_MEGAPIXELS, Image.Resampling.BICUBIC)
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def freshness(house: serve_bank.House) -> dict[str, Any]:
    """From the beginning of a registration to its first match, and of a withdrawal to its last.

    Over HTTP at two processes that know of it from files alone; the later one counts. The registration itself
    (its transaction, ledger entries, receipt) is in the time.
    """
    from datetime import UTC, datetime

    from staydown.journeys.register_pictures import open_case_with_pictures
    from staydown.journeys.withdraw import withdraw_everything

    chance = np.random.default_rng(5)
    ports = [serve_bank.free_port() for _ in range(2)]
    times: dict[str, list[float]] = {"register": [], "withdraw": []}
    with (
        serve_bank.served(serve_bank.staydown(ports[0]), ready="/readyz", port=ports[0]),
        serve_bank.served(serve_bank.staydown(ports[1]), ready="/readyz", port=ports[1]),
        httpx.Client(timeout=30) as client,
    ):
        client.headers["Authorization"] = f"Bearer {house.token}"
        for _ in range(REGISTRATIONS):
            picture = serve_bank.a_picture(chance)
            code = picture.fingerprints[int(chance.integers(32))].hex
            body = {"fingerprints": {"pdq": {"hex": code, "quality": 100}}}
            start = time.perf_counter()
            receipt = open_case_with_pictures([picture], now=datetime.now(UTC))
            _until("hold", client, ports, body)
            times["register"].append(time.perf_counter() - start)
            start = time.perf_counter()
            withdraw_everything(case_number=receipt.number, now=datetime.now(UTC))
            _until("allow", client, ports, body)
            times["withdraw"].append(time.perf_counter() - start)
    return {
        name: {
            "median_ms": round(statistics.median(values) * 1000, 1),
            "p99_ms": round(sorted(values)[int(len(values) * 0.99)] * 1000, 1),
            "most_ms": round(max(values) * 1000, 1),
        }
        for name, values in times.items()
    }


def _until(action: str, client: httpx.Client, ports: Sequence[int], body: dict[str, Any]) -> None:
    for port in ports:
        while client.post(f"http://127.0.0.1:{port}/api/v1/check", json=body).json()["action"] != action:
            time.sleep(0.001)


def lines_of(result: dict[str, Any]) -> list[str]:
    """The result as Markdown."""
    rows = []
    peer = result["peer"]["per_second"]["median"]
    for name in ("one code", "two codes and two digests", IN_BATCHES):
        one = result["lookups"][name]
        rows.append([f"Staydown, {name}", *_cells(one), f"{one['per_second']['median'] / peer:.1f}"])
    rows.append(["Flask, gunicorn, PDQIndex, one code", *_cells(result["peer"]), "1"])
    rows.append(["uvicorn, an empty answer", *_cells(result["floor"]), ""])
    memory, fresh, upload = result["lookups"]["memory_mb"], result["freshness"], result["uploads"]
    one = result["lookups"]["one code"]["per_second"]["median"]
    return [
        "# The upload check over HTTP",
        "",
        "Made by `script/bench serve`.",
        "",
        *report.environment_lines(result["environment"]),
        "",
        f"## Lookups by fingerprints, {result['codes']:,} codes, one process on one core",
        "",
        f"`wrk` on the other core, {CONNECTIONS} connections, another random code each time; nothing matches."
        f" Medians of {report.RUNS} runs of {SECONDS} seconds; least and most in parentheses. Staydown's"
        " answers include the token, the record of the check in the journal, and the action. The last row is"
        " what the server and the machine take before anybody looks at a request.",
        "",
        *report.table(
            ["", "lookups a second", "p99 ms at half load", "times the peer"],
            rows,
        ),
        "",
        f"Recall: of {result['recall']['queries']} codes, most of them within 31 bits of a stored one, the"
        f" check found {result['recall']['found']} entries of {result['recall']['expected']} that comparing"
        " with every code finds.",
        "",
        f"HMA itself, measured elsewhere (one Xeon core, PostgreSQL beside it): {HMA_LOOKUPS_A_SECOND} a"
        f" second; ours is {one / HMA_LOOKUPS_A_SECOND:.0f} times that, on another machine.",
        "",
        f"The process has {memory['own']} MB of its own and shares {memory['shared']} MB of mapped files.",
        "",
        f"## A 12-megapixel JPEG of {upload['bytes'] / 1e6:.1f} MB",
        "",
        f"The whole check over HTTP (form, digests, decoding process, search, record), against hashing the"
        f" bytes alone. Medians of {UPLOADS}.",
        "",
        *report.table(
            ["", "ms", "times as quick"],
            [
                [name, f"{values['median']} ({values['least']}–{values['most']})", upload["ratio"][name]]
                for name, values in upload["ms"].items()
            ],
        ),
        "",
        "## How soon a change is in force",
        "",
        f"{REGISTRATIONS} registrations of {serve_bank.CODES_A_PICTURE} codes in a bank of"
        f" {result['codes']:,}, each withdrawn again: from the beginning of the journey to the answer of the"
        " slower of two processes. SQLite, synchronous=FULL.",
        "",
        *report.table(
            ["", "median ms", "p99 ms", "most ms"],
            [[name, *values.values()] for name, values in fresh.items()],
        ),
        "",
        "HMA rebuilds its index: 86 to 107 seconds at a million codes, measured elsewhere.",
        "",
        "## What is lost",
        "",
        "A check by fingerprints with two codes and two digests costs several searches, so it is slower than"
        " one code. A registration waits for the disk several times: transaction, ledger, journal.",
    ]


def _cells(one: dict[str, Any]) -> list[str]:
    return [_spread(one["per_second"]), _spread(one["p99_ms_at_half"])]


def _spread(values: dict[str, float]) -> str:
    return f"{values['median']:g} ({values['least']:g}–{values['most']:g})"


def main() -> None:
    """Measure and publish."""
    check_wrk()
    env = report.environment("staydown", "threatexchange", "faiss-cpu", "uvicorn", "flask", "gunicorn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        serve_bank.set_up(folder / "data")
        house = serve_bank.build(CODES)
        result: dict[str, Any] = {
            "environment": env,
            "codes": house.codes,
            "recall": recall(house),
            "lookups": lookups(house, folder),
            "floor": floor(folder),
            "peer": peer_lookups(folder),
            "uploads": uploads(house),
            "freshness": freshness(house),
        }
    report.publish("serve", result, lines_of(result))
    print("\n".join(lines_of(result)))


if __name__ == "__main__":
    main()
