"""The health page: the state of the upload check in plain words, for the person who is on call.

One file without script, picture or anything fetched. Refuses to show what was uploaded, or by whom.
"""

from __future__ import annotations

import base64
import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib.metadata import PackageNotFoundError, version

from staydown.match_api.exposition import Whole
from staydown.match_api.meter import CHECKS, INDEX, POOLS, REASONS, SLUGS, SentBy, Wish
from staydown.matching import Action

# New entries are live within a second; five times that is something to look at, half a minute is a fault.
LATE_SECONDS = 5.0

_STYLE = """
:root{color-scheme:light dark;--ground:#fbfaf7;--ink:#1d2733;--soft:#4d5a68}
@media (prefers-color-scheme:dark){:root{--ground:#12181f;--ink:#eef2f5;--soft:#b4c0cb}}
body{background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
body{margin:0 auto;max-width:46rem;padding:1rem}
h1{font-size:1.4rem;margin:.5rem 0}h2{font-size:1.1rem;margin:1.8rem 0 .4rem}
.state{border-left:.4rem solid #2a7d4f;padding:.5rem .8rem;background:#2a7d4f1f;margin:0}
.state.bad{border-color:#c0392b;background:#c0392b24}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .6rem .35rem 0;border-bottom:1px solid #8886;vertical-align:top}
th{font-weight:400;width:60%}td{font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
td:not(:last-child){padding-right:1rem}
.note{color:var(--soft);font-size:.9rem}
"""
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest())
HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'sha256-"
        + _STYLE_DIGEST
        + b"'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


@dataclass(frozen=True, slots=True)
class State:
    """What the page tells of."""

    trouble: str | None
    """Why no check would be answered, in a sentence."""
    bank: Mapping[str, int]
    whole: Whole
    videos: str
    isolation: str


def page(state: State) -> bytes:
    """The page as HTML in UTF-8."""
    whole = state.whole
    lag_seconds = whole.most("lag_seconds")
    parts = [
        f"<p class='state{' bad' if state.trouble else ''}'>{escape(_verdict(state, lag_seconds))}</p>",
        "<h2>The bank</h2>",
        _table(
            ("Entries", _number(state.bank["entries"])),
            ("Codes that are searched", _number(state.bank["codes"])),
            ("Entries that could not be understood", _number(state.bank["entries_left_out"])),
            ("Parts on disk", _number(state.bank["segments"])),
            ("Entries that are only in memory so far", _number(state.bank["entries_in_memory"])),
            ("Entries overruled or withdrawn, not yet off the disk", _number(state.bank["entries_hidden"])),
            ("Lacks what was published for", f"{lag_seconds:.1f} seconds"),
        ),
        "<h2>Checks so far</h2>",
        _table(
            *(
                (f"Answered with “{action}”", _number(_sum(whole, names)))
                for action, names in _ACTIONS.items()
            ),
            *(
                (f"Took {words}, on average", _average(whole, by))
                for by, words in (
                    (SentBy.FINGERPRINTS, "a check by fingerprints"),
                    (SentBy.MEDIA, "a check of media"),
                    (SentBy.URL, "a check of an address"),
                )
            ),
            ("Could not be made; the platform’s own wish was answered", _number(_sum(whole, _DEGRADED))),
            ("Calls that were refused", _number(_sum(whole, _REFUSED))),
        ),
        *(_pool(whole, pool) for pool in POOLS),
        "<h2>Safety of reading</h2>",
        f"<p>{escape(_isolation_words(state.isolation))} {escape(_video_words(state.videos))}</p>",
        "<h2>This installation</h2>",
        _table(
            ("Upload-check processes", _number(len(whole.alive))),
            ("Staydown", _version()),
            ("Python", platform.python_version()),
        ),
        "<p class='note'>Counts are those of all processes on this machine since its data folder was made. "
        "Programs read them at /metrics. Load the page again for newer ones.</p>",
    ]
    html = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>Upload check</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>Upload check</h1>{''.join(parts)}</main></body></html>"
    )
    return html.encode()


_ACTIONS = {
    wanted: [f"checks {door} {by} {action}" for door, by, action in CHECKS if action is wanted]
    for wanted in Action
}
_DEGRADED = [f"degraded {reason} {wish}" for reason in REASONS for wish in Wish]
_REFUSED = [f"refused {slug}" for slug in SLUGS]


def _verdict(state: State, lag_seconds: float) -> str:
    if state.trouble:
        return f"No upload can be checked: {state.trouble}"
    if lag_seconds > LATE_SECONDS:
        return f"Uploads are checked, but against a bank that is {lag_seconds:.0f} seconds behind."
    return "Uploads are checked, and the bank is up to date."


def _pool(whole: Whole, pool: str) -> str:
    return f"<h2>Reading {pool}</h2>" + _table(
        ("Being read now", _number(whole.now(f"pool {pool} busy"))),
        ("Waiting now", _number(whole.now(f"pool {pool} waiting"))),
        ("Refused because too many waited", _number(whole.count(f"pool {pool} full"))),
        ("Took longer than allowed", _number(whole.count(f"pool {pool} timed_out"))),
        ("Broke the process that read them", _number(whole.count(f"pool {pool} crashed"))),
        ("Processes started", _number(whole.count(f"pool {pool} started"))),
    )


def _isolation_words(isolation: str) -> str:
    if isolation == "none":
        return (
            "The processes that read media could use the network: the kernel does not let them give it up "
            "(isolation: none)."
        )
    return f"The processes that read media have no network (isolation: {isolation})."


def _video_words(videos: str) -> str:
    if videos == "frames":
        return "Videos are compared by their frames."
    return "Videos are compared by their digests only: the extra “video” is not installed."


def _table(*rows: tuple[str, str]) -> str:
    cells = (f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{''.join(cells)}</table>"


def _sum(whole: Whole, names: list[str]) -> float:
    return sum(whole.count(name) for name in names)


def _average(whole: Whole, by: SentBy) -> str:
    times = sum(whole.count(name) for name in INDEX if name.startswith(f"took {by} "))
    if not times:
        return "none yet"
    seconds = whole.count(f"seconds {by}") / times
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _number(value: float) -> str:
    return f"{int(value):,}".replace(",", "\u202f")


def _version() -> str:
    try:
        return version("staydown")
    except PackageNotFoundError:
        return "unknown"
