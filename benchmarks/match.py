"""How long a search takes in banks of a million codes and more, against python-threatexchange and FAISS.

`script/bench match`; `--fifty-million` opens 50 million codes instead of ten, `--small` tries the script out.
Each bank is measured in a process of its own, so that memory is its own. Every bank is first asked whether it
misses anything.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import packages, report
from benchmarks.match_codes import random_codes, real_codes
from staydown.matching import Index
from staydown.matching.arrays import Codes

MILLION = 1_000_000
BITS = 31
# Half near a stored code, half near none. What is timed of us and of a peer takes about as long, so that both
# meet their own traces in the processor's caches.
QUERIES = 5000
# Queries of each distance 0..31 that are compared with a plain scan of every code.
CHECKED_EACH = 2
EQUAL_CODES = 100_000
# Codes that are made and added at once: 64 MB, which the allocator gives back when they are let go.
PART = 2 * MILLION


def queries_near(codes: Codes, count: int, *, seed: int) -> Codes:
    """(count, 32): stored codes of which 0, 1, ... 31, 0, ... bits were changed."""
    chance = np.random.default_rng(seed)
    made = codes[chance.integers(0, len(codes), count)].copy()
    for at, code in enumerate(made):
        for bit in chance.choice(256, size=at % (BITS + 1), replace=False):
            code[bit // 8] ^= np.uint8(1 << int(bit % 8))
    return made


def mixed_queries(codes: Codes, count: int) -> Codes:
    """Half of them near a stored code, half random."""
    half = count // 2
    both = np.concatenate([queries_near(codes, half, seed=1), random_codes(count - half, seed=2)])
    return np.random.default_rng(3).permutation(both)


def check_recall(index: Index, codes: Codes) -> dict[str, Any]:
    """Compares answers with a plain scan. Raises AssertionError if one code is missed or one too many."""
    queries = queries_near(codes, CHECKED_EACH * (BITS + 1), seed=4)
    hits = index.search(queries, BITS)
    found = expected = 0
    words = codes.view(np.uint64)
    for row, query in enumerate(queries.view(np.uint64)):
        near: list[tuple[int, int]] = []
        for first in range(0, len(words), PART):
            part = words[first : first + PART]
            distances = np.zeros(len(part), np.uint16)
            for word in range(4):
                distances += np.bitwise_count(part[:, word] ^ query[word])
            near += [(int(distances[at]), first + int(at)) for at in np.flatnonzero(distances <= BITS)]
        mine = hits.query == row
        ours = zip(hits.distance_bits[mine].tolist(), hits.id[mine].tolist(), strict=True)
        if list(ours) != sorted(near):
            raise AssertionError(f"query {row} is not answered as by a plain scan")
        found, expected = found + int(mine.sum()), expected + len(near)
    return {
        "queries": len(queries),
        "codes_within_31_bits": expected,
        "found": found,
        "recall": found / expected,
    }


def ours(codes: Codes) -> Index:
    """An index of these codes under their row numbers, added at once: one segment."""
    index = Index()
    index.add(codes, np.arange(len(codes), dtype=np.uint64))
    return index


def per_query(times: dict[str, list[float]], counts: dict[str, int]) -> dict[str, Any]:
    """Microseconds a query: median, least and most; and how often the first fits into the others."""
    result: dict[str, Any] = {
        name: report.spread([seconds / counts[name] for seconds in runs], scale=1e6, digits=2)
        for name, runs in times.items()
    }
    return result


def against_pdqindex(kind: str, count: int) -> dict[str, Any]:
    """Searching and adding beside PDQIndex, as python-threatexchange calls it; its FAISS with one thread."""
    import faiss
    from threatexchange.signal_type.pdq.pdq_index import PDQIndex

    faiss.omp_set_num_threads(1)
    codes = random_codes(count, seed=0) if kind == "random" else real_codes(count)
    index = ours(codes)
    recall = check_recall(index, codes)
    texts = [code.tobytes().hex() for code in codes]
    start = time.perf_counter()
    peer = PDQIndex.build(list(zip(texts, range(count), strict=True)))
    build_seconds = time.perf_counter() - start
    queries = mixed_queries(codes, QUERIES)
    hexes = [code.tobytes().hex() for code in queries]
    fewer = hexes[: QUERIES // 25]
    times = report.timed_in_turn(
        {
            "staydown, one call a query": lambda: [
                index.search(queries[at : at + 1], BITS) for at in range(QUERIES)
            ],
            "staydown, one call for all": lambda: index.search(queries, BITS),
            "PDQIndex.query": lambda: [peer.query(text) for text in fewer],
        }
    )
    differ = sum(
        sorted(match.metadata for match in peer.query(text))
        != sorted(index.search(query[np.newaxis], BITS).id)
        for text, query in zip(fewer, queries, strict=False)
    )
    result: dict[str, Any] = {
        "codes": count,
        "recall": recall,
        "answers_that_differ_from_the_peer": differ,
        "microseconds": per_query(
            times,
            {
                "staydown, one call a query": QUERIES,
                "staydown, one call for all": QUERIES,
                "PDQIndex.query": len(fewer),
            },
        ),
        "peer_build_seconds": round(build_seconds, 1),
    }
    if kind == "random":
        fresh = random_codes(200_000, seed=9)
        place = iter(range(len(fresh)))

        def add_ours() -> None:
            for _ in range(20_000):
                at = next(place)
                index.add(fresh[at : at + 1], np.array([count + at], np.uint64))

        add_times = report.timed_in_turn(
            {
                "staydown": add_ours,
                "PDQIndex.add": lambda: peer.add(random_codes(1, seed=8)[0].tobytes().hex(), -1),
            }
        )
        result["add_microseconds"] = per_query(add_times, {"staydown": 20_000, "PDQIndex.add": 1})
        index.settle()
        result["codes_after_adding"] = len(index)
    return result


def against_flat(count: int) -> dict[str, Any]:
    """Searching beside FAISS's plain scan, IndexBinaryFlat, by range search with one thread."""
    import faiss

    faiss.omp_set_num_threads(1)
    codes = random_codes(count, seed=0)
    start = time.perf_counter()
    index = ours(codes)
    build_seconds = time.perf_counter() - start
    recall = check_recall(index, codes)
    peer = faiss.IndexBinaryFlat(256)
    start = time.perf_counter()
    peer.add(codes)
    peer_seconds = time.perf_counter() - start
    queries = mixed_queries(codes, QUERIES)
    few = queries[:10]
    far = 96
    times = report.timed_in_turn(
        {
            "staydown, one call a query": lambda: [
                index.search(queries[at : at + 1], BITS) for at in range(QUERIES)
            ],
            "IndexBinaryFlat.range_search": lambda: [
                peer.range_search(few[at : at + 1], BITS + 1) for at in range(10)
            ],
            "staydown, 96 bits": lambda: index.search(few, far),
            "IndexBinaryFlat, 96 bits": lambda: [
                peer.range_search(few[at : at + 1], far + 1) for at in range(10)
            ],
        }
    )
    return {
        "codes": count,
        "recall": recall,
        "microseconds": per_query(
            times,
            {
                "staydown, one call a query": QUERIES,
                "IndexBinaryFlat.range_search": 10,
                "staydown, 96 bits": 10,
                "IndexBinaryFlat, 96 bits": 10,
            },
        ),
        "build_seconds": {"staydown": round(build_seconds, 1), "IndexBinaryFlat": round(peer_seconds, 2)},
    }


def memory_ours(count: int) -> dict[str, Any]:
    """Bytes a code that the process grew by, once all is merged; codes are made part by part and let go."""
    before = _resident()
    index = Index()
    for first in range(0, count, PART):
        part = random_codes(min(PART, count - first), seed=first)
        index.add(part, np.arange(first, first + len(part), dtype=np.uint64))
    index.settle()
    del part
    gc.collect()
    return {"codes": len(index), "bytes_a_code": round((_resident() - before) / count, 1)}


def memory_pdqindex(count: int) -> dict[str, Any]:
    """The same of PDQIndex with its row numbers as metadata."""
    from threatexchange.signal_type.pdq.pdq_index import PDQIndex

    warm = PDQIndex.build([(random_codes(1, seed=1)[0].tobytes().hex(), 0)])
    before = _resident()
    peer = PDQIndex.build([(code.tobytes().hex(), at) for at, code in enumerate(random_codes(count, seed=0))])
    gc.collect()
    grown = _resident() - before
    del warm
    return {"codes": len(peer.local_id_to_entry), "bytes_a_code": round(grown / count, 1)}


def equal_codes(count: int) -> dict[str, Any]:
    """A query near one code that is there so often, and one near none, beside the same bank without it."""
    codes = random_codes(count, seed=0)
    plain = ours(codes)
    crowded = ours(np.concatenate([codes, np.repeat(codes[:1], EQUAL_CODES, axis=0)]))
    queries = random_codes(QUERIES, seed=2)
    times = report.timed_in_turn(
        {
            "without": lambda: plain.search(queries, BITS),
            "with": lambda: crowded.search(queries, BITS),
            "the query that finds them all": lambda: crowded.search(codes[:1], BITS),
        }
    )
    counts = {"without": QUERIES, "with": QUERIES, "the query that finds them all": 1}
    found = len(crowded.search(codes[:1], BITS))
    if found != EQUAL_CODES + 1:
        raise AssertionError(f"{found} of {EQUAL_CODES + 1} equal codes were found")
    return {"codes": count, "equal": EQUAL_CODES, "found": found, "microseconds": per_query(times, counts)}


def small_bank(count: int) -> dict[str, Any]:
    """A thousand queries at once in a small bank, beside FAISS's plain scan."""
    import faiss

    faiss.omp_set_num_threads(1)
    codes = random_codes(count, seed=0)
    index, peer = ours(codes), faiss.IndexBinaryFlat(256)
    peer.add(codes)
    queries = mixed_queries(codes, QUERIES)
    times = report.timed_in_turn(
        {
            "staydown": lambda: index.search(queries, BITS),
            "IndexBinaryFlat.range_search": lambda: peer.range_search(queries, BITS + 1),
        }
    )
    return {
        "codes": count,
        "recall": check_recall(index, codes),
        "microseconds": per_query(times, dict.fromkeys(times, QUERIES)),
    }


def opening(count: int) -> dict[str, Any]:
    """Seconds to open a file of so many codes from the page cache, with its checksums, and to search it."""
    with tempfile.TemporaryDirectory(dir=packages.ROOT / "var") as folder:
        path = Path(folder) / "bank.index"
        start = time.perf_counter()
        index = Index()
        for first in range(0, count, PART):
            part = random_codes(min(PART, count - first), seed=first)
            index.add(part, np.arange(first, first + len(part), dtype=np.uint64))
        index.settle()
        built = time.perf_counter()
        index.save(path)
        saved = time.perf_counter()
        del index
        queries = random_codes(QUERIES, seed=2)
        times = report.timed_in_turn({"open": lambda: Index.open(path)})
        opened = Index.open(path)
        planted = opened.search(queries_near(random_codes(min(PART, count), seed=0), 64, seed=4), BITS)
        if len(set(planted.query.tolist())) != 64:
            raise AssertionError("a planted query was missed")
        searched = report.timed_in_turn({"query": lambda: opened.search(queries, BITS)})
        return {
            "codes": len(opened),
            "file_bytes_a_code": round(path.stat().st_size / count, 1),
            "build_seconds": round(built - start, 1),
            "save_seconds": round(saved - built, 1),
            "open_seconds": report.spread(times["open"], scale=1, digits=3),
            "microseconds": per_query(searched, {"query": QUERIES}),
        }


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "random": lambda count: against_pdqindex("random", count),
    "real": lambda count: against_pdqindex("real", count),
    "flat": against_flat,
    "memory": memory_ours,
    "memory_peer": memory_pdqindex,
    "equal": equal_codes,
    "small": small_bank,
    "opening": opening,
}


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def _in_child(part: str, count: int) -> dict[str, Any]:
    print(f"{part}: {count} codes", file=sys.stderr, flush=True)
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.match", "--part", part, "--codes", str(count)],
        cwd=packages.ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures everything and writes results/match.json and results/match.md."""
    parser = argparse.ArgumentParser(prog="script/bench match", description=__doc__.split("\n")[0])
    parser.add_argument("--fifty-million", action="store_true", help="also open and search 50 million codes")
    parser.add_argument("--small", action="store_true", help="with a twentieth of the codes, and print only")
    parser.add_argument("--part", choices=PARTS, help="one part alone, as JSON")
    parser.add_argument("--codes", type=int, default=MILLION, help="how many codes for --part")
    asked = parser.parse_args(arguments)
    if asked.part:
        print(json.dumps(PARTS[asked.part](asked.codes)))
        return
    # One twentieth of a million real codes would be another set of crops: they stay a million.
    scale = 20 if asked.small else 1
    wanted = {
        "random": MILLION // scale,
        "real": MILLION,
        "flat": 10 * MILLION // scale,
        "memory": 10 * MILLION // scale,
        "memory_peer": MILLION // scale,
        "equal": MILLION // scale,
        "small": 200,
        "opening": (50 if asked.fifty_million else 10) * MILLION // scale,
    }
    environment = report.environment("threatexchange", "faiss-cpu", "numpy")
    result: dict[str, Any] = {part: _in_child(part, count) for part, count in wanted.items()}
    result = {"environment": environment, **result}
    from benchmarks.match_page import lines

    page = list(lines(result))
    if asked.small:
        print("\n".join(page))
    else:
        report.publish("match", result, page)


if __name__ == "__main__":
    main()
