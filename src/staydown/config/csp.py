"""What a page and what a worker may load, and the headers of every static file.

Plain constants without Django: settings, tests and a reverse proxy's configuration take them from here.
The promise "your picture stays on this device" rests on these lines; tests/web/test_wire.py shows what
happens without them.
"""

from __future__ import annotations

from collections.abc import MutableMapping

# Every file of web/dist that is named so is a worker: one classic script that sees what must not be sent.
WORKER_SUFFIX = "-worker.js"
WORKER_FOLDER = "dist"


def _policy(**directives: str) -> str:
    return "; ".join(f"{name.replace('_', '-')} {value}" for name, value in directives.items())


# For every HTML page of the survivor site. `img-src` has no 'self': /pixel.png?d=... would be a way out.
PAGE_CSP = _policy(
    default_src="'none'",
    script_src="'self'",
    worker_src="'self'",
    style_src="'self'",
    img_src="blob: data:",
    connect_src="'none'",
    form_action="'self'",
    base_uri="'none'",
    frame_ancestors="'none'",
    require_trusted_types_for="'script'",
    trusted_types="staydown-worker",
)

# The page of private notes sends and fetches what its worker has locked, to this site and no other.
NOTES_CSP = PAGE_CSP.replace("connect-src 'none'", "connect-src 'self'")

# A worker does not inherit the page's policy: without one of its own it could send anything anywhere. No
# 'self' here either: import('/x?d=...') or a second worker would be requests.
WORKER_CSP = _policy(default_src="'none'", script_src="'wasm-unsafe-eval'")

# Every other static file: if some script on the page starts it as a worker, it can reach nothing.
STATIC_CSP = _policy(default_src="'none'", frame_ancestors="'none'")


def headers_for_static(name: str) -> dict[str, str]:
    """The headers to add to the static file `name` (a path or URL; only its last two parts count)."""
    folder, _, file = name.rpartition("/")
    is_worker = file.endswith(WORKER_SUFFIX) and folder.rpartition("/")[2] == WORKER_FOLDER
    return {
        "Content-Security-Policy": WORKER_CSP if is_worker else STATIC_CSP,
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def add_static_headers(headers: MutableMapping[str, str], path: str, url: str) -> None:
    """The same, in the form that WhiteNoise calls (WHITENOISE_ADD_HEADERS_FUNCTION)."""
    for name, value in headers_for_static(url).items():
        headers[name] = value
