"""What a photo costs on the device: ms per megapixel of each way to decode and code it, and memory.

Chromium, headless, beside `pdqhash` in Python on the same file. The memory is the high-water mark
(VmHWM) of the largest renderer on the machine, so never less than this page's. Pictures are painted.
"""

from __future__ import annotations

import io
import json
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import pdqhash
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.web.conftest import ARGUMENTS, CHROMIUM
from tests.web.harness import Harness
from tests.web.pictures import encoded, scene
from tests.web.register_page import choose, open_register, upload
from tests.web.test_fingerprints import FALSIFY, before_worker

RESULTS = Path(__file__).parent / "results"
RUNS = 5
SIZES = {12: (4000, 3000), 48: (8000, 6000)}
WITHOUT_WASM = "default-src 'none'"


def photo(megapixels: int) -> bytes:
    """A JPEG of so many megapixels."""
    painted = scene(1000, 750, seed=megapixels)
    return encoded(painted.resize(SIZES[megapixels], Image.Resampling.BICUBIC), "JPEG", quality=85)


def renderer_megabytes(page: Page) -> float:
    """The high-water mark of the largest renderer; run it where no other browser is open."""
    del page
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            command = (status.parent / "cmdline").read_bytes()
            if b"--type=renderer" in command:
                lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
                found.append(int(lines["VmHWM"].split()[0]) / 1000)
        except (OSError, KeyError):
            continue  # it has ended meanwhile
    return max(found)


def in_browser(browser: Browser, content: bytes, *, kernel: str, falsified: bool) -> tuple[float, float]:
    """Seconds from choosing to ready, and the renderer's memory in MB."""
    policies: dict[str, Any] = {"worker_csp": lambda _: WITHOUT_WASM} if kernel == "js" else {}
    with Harness(**policies) as harness:
        if falsified:
            before_worker(harness, FALSIFY)
        page = browser.new_context().new_page()
        page.set_default_timeout(180_000)
        open_register(page, harness.url)
        begin = time.perf_counter()
        choose(page, upload("photo.jpg", content), timeout_ms=180_000)
        seconds = time.perf_counter() - begin
        assert "Ready. Exact copies and many" in page.inner_text("#file-list")
        memory = renderer_megabytes(page)
        page.context.close()
    return seconds, memory


def in_python(content: bytes) -> float:
    """Seconds for one code of the whole picture, decoding and all."""
    begin = time.perf_counter()
    pdqhash.compute(np.ascontiguousarray(np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))))
    return time.perf_counter() - begin


def main() -> None:
    rows: list[dict[str, Any]] = []
    ways = [("browser's decoder, wasm", "wasm", False), ("browser's decoder, JavaScript", "js", False)]
    ways.append(("decode-worker.js, wasm", "wasm", True))
    for megapixels in SIZES:
        content = photo(megapixels)
        for name, kernel, falsified in ways:
            runs, memory = [], 0.0
            for _ in range(RUNS):
                with sync_playwright() as playwright:  # a browser of its own: its high-water mark begins anew
                    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                    seconds, used = in_browser(browser, content, kernel=kernel, falsified=falsified)
                    browser.close()
                runs.append(seconds * 1000 / megapixels)
                memory = max(memory, used)
            rows.append(row(name, megapixels, runs, memory))
        runs = [in_python(content) * 1000 / megapixels for _ in range(RUNS)]
        rows.append(row("pdqhash in Python, one code", megapixels, runs))
    RESULTS.mkdir(exist_ok=True)
    machine = f"{platform.machine()}, Python {platform.python_version()}, {RUNS} runs each"
    (RESULTS / "browser_photos.json").write_text(
        json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n"
    )
    (RESULTS / "browser_photos.md").write_text(page_of(rows, machine))
    print(page_of(rows, machine))


def row(name: str, megapixels: int, runs: list[float], memory: float | None = None) -> dict[str, Any]:
    figures = {"median": statistics.median(runs), "least": min(runs), "most": max(runs)}
    return {"way": name, "megapixels": megapixels, "ms_per_megapixel": figures, "renderer_mb": memory}


def page_of(rows: list[dict[str, Any]], machine: str) -> str:
    """The results as a page."""
    lines = [
        "# Photos on the device",
        "",
        "Written by `script/bench browser_photos`. From choosing the file to all codes (33, with digests),",
        f"in Chromium, on a machine that others share: {machine}. `pdqhash` makes one code of the whole.",
        "",
        "| way | megapixels | ms per megapixel: median (least to most) | renderer's memory at most, MB |",
        "|---|---:|---:|---:|",
    ]
    for found in rows:
        ms = found["ms_per_megapixel"]
        memory = "" if found["renderer_mb"] is None else f"{found['renderer_mb']:.0f}"
        figures = f"{ms['median']:.0f} ({ms['least']:.0f} to {ms['most']:.0f})"
        lines.append(f"| {found['way']} | {found['megapixels']} | {figures} | {memory} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
