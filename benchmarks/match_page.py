"""Writes the page of benchmarks/match.py: ratios first, then what they are made of, then where we lose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks import report


def lines(result: dict[str, Any]) -> Iterator[str]:
    """The page as Markdown."""
    yield "# Search"
    yield ""
    yield "Made by `script/bench match`. Ratios are of medians of five runs, taken in turn on one machine."
    yield ""
    yield from report.environment_lines(result["environment"])
    yield "- one thread for everybody (FAISS with one OpenMP thread); within 31 bits; half of the queries lie"
    yield "  0 to 31 bits from a stored code, half are random"
    yield ""
    yield from report.table(("", "Staydown", "peer", "times", "goal"), list(_ratios(result)))
    yield ""
    yield "## Spread"
    yield ""
    yield "Microseconds: median (least to most) of five runs."
    yield ""
    yield from report.table(("", "a query or addition"), list(_spreads(result)))
    yield ""
    yield "## Recall"
    yield ""
    yield "Every bank was first asked for codes 0 to 31 bits from stored ones, and each answer compared with"
    yield "a plain scan of all codes. A run in which one is missing, or one too many, ends with an error."
    yield ""
    rows = [(name, part["recall"]) for name, part in _checked(result)]
    yield from report.table(
        ("bank", "queries", "codes within 31 bits", "recall"),
        [(name, one["queries"], one["codes_within_31_bits"], f"{one['recall']:.6f}") for name, one in rows],
    )
    yield ""
    differ = [result[part]["answers_that_differ_from_the_peer"] for part in ("random", "real")]
    yield f"Answers that differ from PDQIndex's: {differ[0]} of the random bank, {differ[1]} of the real one."
    yield ""
    yield "## Equal codes, files"
    yield ""
    yield from _other(result)
    yield ""
    yield "## Where we lose"
    yield ""
    yield from _lost(result)


def _median(part: dict[str, Any], name: str, *, key: str = "microseconds") -> float:
    return float(part[key][name]["median"])


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2f}"


def _ratios(result: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, kind in (("random", "random"), ("real", "real-derived")):
        part = result[name]
        mine, peer = _median(part, "staydown, one call a query"), _median(part, "PDQIndex.query")
        yield (
            f"query, {part['codes']:,} {kind} codes, against `PDQIndex`",
            f"{mine:,.1f} us",
            f"{peer:,.1f} us",
            _times(peer / mine),
            "20",
        )
    flat = result["flat"]
    mine, peer = _median(flat, "staydown, one call a query"), _median(flat, "IndexBinaryFlat.range_search")
    yield (
        f"query, {flat['codes']:,} codes, against FAISS `IndexBinaryFlat`",
        f"{mine:,.1f} us",
        f"{peer:,.1f} us",
        _times(peer / mine),
        "200",
    )
    part = result["random"]
    mine = _median(part, "staydown", key="add_microseconds")
    peer = _median(part, "PDQIndex.add", key="add_microseconds")
    yield (
        f"add one to {part['codes']:,}, against `PDQIndex.add`",
        f"{mine:,.2f} us",
        f"{peer:,.0f} us",
        _times(peer / mine),
        "10,000",
    )
    mine, peer = result["memory"]["bytes_a_code"], result["memory_peer"]["bytes_a_code"]
    yield (
        f"memory of a code, {result['memory']['codes']:,} codes, all included; `PDQIndex` at "
        f"{result['memory_peer']['codes']:,}",
        f"{mine:,.0f} B",
        f"{peer:,.0f} B",
        f"1/{peer / mine:.1f}",
        "1/5",
    )


def _spreads(result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for part in ("random", "real", "flat", "equal", "small", "opening"):
        for key in ("microseconds", "add_microseconds"):
            for name, one in result[part].get(key, {}).items():
                what = "add: " if key == "add_microseconds" else ""
                yield (
                    f"{part}, {result[part]['codes']:,} codes: {what}{name}",
                    f"{one['median']:,.2f} ({one['least']:,.2f} to {one['most']:,.2f})",
                )


def _checked(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for part in ("random", "real", "flat", "small"):
        yield f"{part}, {result[part]['codes']:,} codes", result[part]


def _other(result: dict[str, Any]) -> Iterator[str]:
    equal, opening = result["equal"], result["opening"]
    with_them, without = _median(equal, "with"), _median(equal, "without")
    all_of_them = _median(equal, "the query that finds them all")
    yield f"- {equal['equal']:,} equal codes among {equal['codes']:,}: a query that does not find them takes"
    yield f"  {with_them:,.1f} us, without them in the bank {without:,.1f} us; the one that finds them all"
    yield f"  takes {all_of_them / 1000:,.2f} ms for {equal['found']:,} hits."
    yield f"- A file of {opening['codes']:,} codes ({opening['file_bytes_a_code']} bytes a code) is opened"
    yield f"  from the page cache, its checksums verified, in {opening['open_seconds']['median']} s"
    yield f"  ({opening['open_seconds']['least']} to {opening['open_seconds']['most']}); a query in it takes"
    yield f"  {_median(opening, 'query'):,.0f} us. Building it in memory, two million codes a call, took"
    yield f"  {opening['build_seconds']} s, writing it {opening['save_seconds']} s."


def _lost(result: dict[str, Any]) -> Iterator[str]:
    flat, small = result["flat"], result["small"]
    mine, peer = _median(flat, "staydown, 96 bits"), _median(flat, "IndexBinaryFlat, 96 bits")
    built = flat["build_seconds"]
    yield f"- Far searches are scans: within 96 bits among {flat['codes']:,} codes a query takes"
    yield f"  {mine / 1000:,.1f} ms, FAISS's plain scan {peer / 1000:,.1f} ms ({_verdict(mine, peer)})."
    yield f"- Loading {flat['codes']:,} codes takes {built['staydown']} s, FAISS's flat index"
    yield f"  {built['IndexBinaryFlat']} s: it only copies them, 32 bytes a code where we keep"
    yield f"  {result['memory']['bytes_a_code']:.0f}."
    mine, peer = _median(small, "staydown"), _median(small, "IndexBinaryFlat.range_search")
    yield f"- Many queries at once in a bank of {small['codes']:,} codes take {mine:.2f} us each, FAISS's"
    yield f"  plain scan {peer:.2f} us ({_verdict(mine, peer)})."


def _verdict(mine: float, peer: float) -> str:
    return f"{mine / peer:.2f} times as long" if mine > peer else f"{peer / mine:.2f} times as quick"
