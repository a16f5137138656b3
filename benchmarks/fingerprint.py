"""How long fingerprints take, and how far they are from the reference.

`script/bench fingerprint`. All times are medians of five, taken in turn in one run, so that what counts is
their
ratio. The opponents are `pdqhash` and python-threatexchange as they are published, called as their users
call them.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pdqhash
from PIL import Image
from threatexchange.signal_type.pdq.signal import PdqSignal

from benchmarks import codes, corpus, edits, packages, report
from benchmarks.corpus import Picture
from benchmarks.screens import Pixels
from staydown.fingerprint import DEFAULT_LIMITS, DERIVATION_SETS, Algorithm, QueryLevel
from staydown.fingerprint.decode import decode_picture
from staydown.fingerprint.kernel import Method, PhotoScan, certain_scan, photo_codes, scan_strips
from staydown.fingerprint.query import query_answer
from staydown.fingerprint.registration import derived_fingerprints
from staydown.fingerprint.views import split_derivation, view_rectangle

TWELVE_MEGAPIXELS = (4000, 3000)
# Width and height in pixels: from a thumbnail to the largest phone sensors.
SIZES = ((512, 384), (1024, 768), (2048, 1536), (4000, 3000), (8000, 6000), (12000, 9000))
# pdqhash keeps two float planes and takes seconds from here on.
PDQHASH_UP_TO = 13_000_000
# Uploads on which the levels of a query are timed.
QUERY_UPLOADS = 120


def largest_photos() -> list[Picture]:
    """All photos, those with the most pixels first."""
    return sorted(corpus.pictures("photo"), key=lambda one: (-one.width * one.height, one.sha256))


def scaled(picture: Picture, size: tuple[int, int]) -> Pixels:
    """The photo at this size, cropped to its aspect first; enlarging is fine where only time counts."""
    image = Image.fromarray(edits.crop_to_aspect(corpus.pixels_of(picture), size[0] / size[1], 0.5))
    return np.ascontiguousarray(image.resize(size, Image.Resampling.BICUBIC))


def bits(one: bytes, other: bytes) -> int:
    """Hamming distance."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def from_pixels(pixels: Pixels) -> dict[str, Any]:
    """Times of pdqhash and of both methods on the same pixels."""
    times = report.timed_in_turn(
        {
            "pdqhash.compute": lambda: pdqhash.compute(pixels),
            "exact": lambda: photo_codes(pixels, method=Method.EXACT),
            "fast": lambda: photo_codes(pixels, method=Method.FAST),
        }
    )
    return _with_ratios(times, "pdqhash.compute")


def agreement(photos: Sequence[Picture]) -> dict[str, Any]:
    """Bits between pdqhash and both methods on every photo at its own size, eight turns for the exact one."""
    exact, fast = Counter[int](), Counter[int]()
    megapixels = 0.0
    for picture in photos:
        pixels = np.ascontiguousarray(corpus.pixels_of(picture))
        megapixels += pixels.shape[0] * pixels.shape[1] / 1e6
        vectors, quality = pdqhash.compute_dihedral(pixels)
        wanted = [np.packbits(vector).tobytes() for vector in vectors]
        ours = photo_codes(pixels, method=Method.EXACT).pdq
        exact[sum(bits(code, ours.code(turn)) for code, turn in zip(wanted, codes.TURNS, strict=True))] += 1
        exact[-1] += int(quality) != ours.quality
        fast[bits(wanted[0], photo_codes(pixels, method=Method.FAST).pdq.code())] += 1
    return {
        "photos": len(photos),
        "megapixels": round(megapixels),
        "exact": {"bits_apart_in_eight_turns": _counts(exact), "qualities_that_differ": exact[-1]},
        "fast": {"bits_apart": _counts(fast)},
    }


def _counts(found: Counter[int]) -> dict[str, int]:
    return {str(key): found[key] for key in sorted(found) if key >= 0}


def file_to_code(data: bytes) -> tuple[bytes, int]:
    """A JPEG file's PDQ as an upload is looked up: decoded reduced, collapsed operator."""
    picture = decode_picture(data, limits=DEFAULT_LIMITS, reduce=True)
    _, found = certain_scan(
        picture.strips, width=picture.width, height=picture.height, step=picture.step, method=Method.FAST
    )
    return found.pdq.code(), found.pdq.quality


def from_file(pixels: Pixels) -> dict[str, Any]:
    """Times from a 12-megapixel JPEG file in memory to a code."""
    data = jpeg(pixels, 85)
    times = report.timed_in_turn(
        {
            "PdqSignal.hash_from_bytes": lambda: PdqSignal.hash_from_bytes(data),
            "reduced and fast": lambda: file_to_code(data),
            "decoded whole, exact": lambda: _whole_exact(data),
        }
    )
    return {"bytes": len(data), **_with_ratios(times, "PdqSignal.hash_from_bytes")}


def _whole_exact(data: bytes) -> None:
    picture = decode_picture(data, limits=DEFAULT_LIMITS)
    scan_strips(picture.strips(), width=picture.width, height=picture.height)


def jpeg(pixels: Pixels, quality: int) -> bytes:
    """A JPEG as phones write it: 4:2:0."""
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "JPEG", quality=quality, subsampling=2)
    return held.getvalue()


def files_apart(photos: Sequence[Picture]) -> dict[str, Any]:
    """Bits between PdqSignal and the reduced path, over JPEG files of the corpus large enough to reduce.

    Files with an orientation or a colour profile are left out: PdqSignal ignores both.
    """
    apart, steps = Counter[int](), Counter[int]()
    left_out = 0
    for picture in photos:
        if min(picture.width, picture.height) < 1024 or not picture.path.lower().endswith((".jpg", ".jpeg")):
            continue
        data = corpus.file_of(picture).read_bytes()
        with Image.open(io.BytesIO(data)) as opened:
            plain = (
                opened.mode in {"RGB", "L"}
                and opened.getexif().get(0x0112, 1) == 1
                and "icc_profile" not in opened.info
            )
        if not plain:
            left_out += 1
            continue
        theirs = PdqSignal.hash_from_bytes(data)
        if not theirs:
            left_out += 1
            continue
        steps[decode_picture(data, limits=DEFAULT_LIMITS, reduce=True).step] += 1
        apart[bits(bytes.fromhex(theirs), file_to_code(data)[0])] += 1
    return {
        "files": sum(apart.values()),
        "left_out": left_out,
        "reduced_by": _counts(steps),
        "bits_apart": _counts(apart),
    }


def registration(pixels: Pixels) -> dict[str, Any]:
    """Times of a registration set from pixels, against one call of pdqhash for each of its pdq codes."""
    height, width = pixels.shape[:2]
    result: dict[str, Any] = {}
    for name in ("crops32", "crops64"):
        chosen = DERIVATION_SETS[name]
        names = chosen.derivations[Algorithm.PDQ]
        crops = [_crop(pixels, derivation) for derivation in names]

        def ours(chosen: Any = chosen) -> None:
            scan, found = scan_strips([pixels], width=width, height=height, keeps_plane=True)
            derived_fingerprints(scan, found, chosen, width=width, height=height)

        def theirs(crops: list[Pixels] = crops) -> None:
            for crop in crops:
                pdqhash.compute(crop)

        distinct_views = list({split_derivation(d)[0]: c for d, c in zip(names, crops, strict=True)}.values())

        def theirs_sharing(views: list[Pixels] = distinct_views) -> None:
            for crop in views:
                pdqhash.compute_dihedral(crop)

        times = report.timed_in_turn(
            {
                "pdqhash, one call a code": theirs,
                "pdqhash, one call a view": theirs_sharing,
                "staydown": ours,
            },
            runs=report.RUNS if name == "crops32" else 3,
        )
        result[name] = {
            "codes": len(names),
            "views": len(distinct_views),
            **_with_ratios(times, "pdqhash, one call a code"),
            "bits_from_pdqhash_of_the_crop": view_bits(pixels, names),
        }
    return result


def _crop(pixels: Pixels, derivation: str) -> Pixels:
    height, width = pixels.shape[:2]
    at = view_rectangle(split_derivation(derivation)[0], width=width, height=height)
    assert at is not None
    return np.ascontiguousarray(pixels[at.top : at.top + at.height, at.left : at.left + at.width])


def view_bits(pixels: Pixels, names: Sequence[str]) -> dict[str, int]:
    """Bits between the codes of the views and pdqhash of the cut-out pixels."""
    apart = Counter[int]()
    height, width = pixels.shape[:2]
    scan, _ = scan_strips([pixels], width=width, height=height, keeps_plane=True)
    for view in dict.fromkeys(split_derivation(name)[0] for name in names):
        at = view_rectangle(view, width=width, height=height)
        assert at is not None
        theirs = np.packbits(pdqhash.compute(_crop(pixels, view))[0]).tobytes()
        apart[bits(theirs, scan.view(at).code())] += 1
    return _counts(apart)


def sizes(picture: Picture) -> list[dict[str, Any]]:
    """Milliseconds and peak memory of the kernel from pixels, by size."""
    rows = []
    for width, height in SIZES:
        pixels = scaled(picture, (width, height))
        calls: dict[str, Any] = {
            "exact": lambda pixels=pixels: photo_codes(pixels, method=Method.EXACT),
            "fast": lambda pixels=pixels: photo_codes(pixels, method=Method.FAST),
        }
        if width * height < PDQHASH_UP_TO:
            calls["pdqhash"] = lambda pixels=pixels: pdqhash.compute(pixels)
        times = report.timed_in_turn(calls)
        rows.append(
            {
                "width": width,
                "height": height,
                "ms": {name: report.spread(values) for name, values in times.items()},
                "kernel_peak_kib": {
                    name: _peak_kib(width, height, name) for name in ("exact", "fast", "exact with plane")
                },
            }
        )
    return rows


def _peak_kib(width: int, height: int, how: str) -> int:
    """What a fresh process needs beyond one strip of rows, in KiB, by its peak size (Linux)."""
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.fingerprint", "--peak", str(width), str(height), how],
        capture_output=True, text=True, check=True, cwd=packages.ROOT,
    )  # fmt: skip
    return int(ran.stdout)


def _print_peak(width: int, height: int, how: str) -> None:
    strip = np.random.default_rng(1).integers(0, 256, (64, width, 3)).astype(np.uint8)
    method = Method.FAST if how == "fast" else Method.EXACT
    small = PhotoScan(64, 64, method=method)
    small.rows(np.ascontiguousarray(strip[:, :64]))
    small.finish()
    # The peak begins anew here (proc(5), clear_refs): what the imports needed does not count.
    Path("/proc/self/clear_refs").write_text("5")
    before = _kib("VmHWM")
    scan = PhotoScan(width, height, method=method, keeps_plane="plane" in how)
    for top in range(0, height, 64):
        scan.rows(strip[: min(64, height - top)])
    scan.finish()
    print(_kib("VmHWM") - before)


def _kib(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


def some_uploads(photos: Sequence[Picture]) -> Iterator[bytes]:
    """JPEG uploads, one of each family in turn."""
    families = list(edits.FAMILIES)
    for number, picture in enumerate(photos):
        pixels = corpus.pixels_of(picture, longest=edits.LONGEST_CAP)
        yield edits.upload(pixels, picture.identity, families[number % len(families)], 0).jpeg


def queries(photos: Sequence[Picture]) -> dict[str, Any]:
    """Milliseconds that one upload takes at each level, decoding included, and what decoding alone takes."""
    uploads = list(some_uploads(photos[:QUERY_UPLOADS]))
    times: dict[str, list[float]] = {name: [] for name in ("decode", *(str(level) for level in QueryLevel))}
    sought: dict[str, list[int]] = {str(level): [] for level in QueryLevel}
    for data in uploads:
        calls: dict[str, Any] = {
            "decode": lambda data=data: list(decode_picture(data, limits=DEFAULT_LIMITS).strips())
        }
        for level in QueryLevel:
            calls[str(level)] = lambda data=data, level=level: query_answer(
                data, limits=DEFAULT_LIMITS, level=level
            )
        for name, values in report.timed_in_turn(calls).items():
            times[name].append(float(np.median(values)))
        for level in QueryLevel:
            views = query_answer(data, limits=DEFAULT_LIMITS, level=level)[2]
            sought[str(level)].append(sum(view.fingerprint.derivation == "full" for view in views))
    return {
        "uploads": len(uploads),
        "longest_side_median": int(np.median([max(Image.open(io.BytesIO(data)).size) for data in uploads])),
        "ms": {
            name: {
                "median": round(float(np.median(v)) * 1e3, 2),
                "p90": round(float(np.percentile(v, 90)) * 1e3, 2),
            }
            for name, v in times.items()
        },
        "codes": {name: round(float(np.mean(counts)), 2) for name, counts in sought.items()},
    }


def _with_ratios(times: dict[str, list[float]], opponent: str) -> dict[str, Any]:
    middle = {name: float(np.median(values)) for name, values in times.items()}
    return {
        "ms": {name: report.spread(values) for name, values in times.items()},
        "times_as_fast": {
            name: round(middle[opponent] / value, 1) for name, value in middle.items() if name != opponent
        },
    }


def measure() -> dict[str, Any]:
    """Everything that the result holds beside the environment."""
    photos = largest_photos()
    largest = photos[0]
    twelve = scaled(largest, TWELVE_MEGAPIXELS)
    return {
        "photo": {
            "package": largest.package,
            "path": largest.path,
            "own_size": [largest.width, largest.height],
            "scaled_to": TWELVE_MEGAPIXELS,
        },
        "pixels": from_pixels(twelve),
        "file": from_file(twelve),
        "registration": registration(twelve),
        "sizes": sizes(largest),
        "queries": queries(corpus.pictures("photo", "test")),
        "agreement": agreement(photos),
        "files_apart": files_apart(photos),
    }


GOALS = (
    ("PDQ from pixels, 12 MP, exact", "pixels", "exact", 15),
    ("PDQ from pixels, 12 MP, fast", "pixels", "fast", 40),
    ("JPEG file to code, 12 MP", "file", "reduced and fast", 20),
)


def lines(result: dict[str, Any]) -> list[str]:
    """The result as Markdown."""
    rows = [
        [what, f"{result[part]['times_as_fast'][name]} x", f"{goal} x"] for what, part, name, goal in GOALS
    ]
    rows.append(
        [
            "registration set of 32 against 32 calls",
            f"{result['registration']['crops32']['times_as_fast']['staydown']} x",
            "50 x",
        ]
    )
    agreed, apart = result["agreement"], result["files_apart"]
    timings = [
        [f"{part}: {name}", values["median"], values["least"], values["most"]]
        for part, block in (
            ("pixels", result["pixels"]), ("file", result["file"]),
            ("crops32", result["registration"]["crops32"]), ("crops64", result["registration"]["crops64"]),
        )
        for name, values in block["ms"].items()
    ]  # fmt: skip
    by_size = [
        [
            f"{row['width']} x {row['height']}", f"{row['width'] * row['height'] / 1e6:.1f}",
            *(row["ms"].get(name, {}).get("median", "-") for name in ("pdqhash", "exact", "fast")),
            *row["kernel_peak_kib"].values(),
        ]
        for row in result["sizes"]
    ]  # fmt: skip
    asked = result["queries"]
    return [
        "# Fingerprints: time, memory, distance from the reference",
        "",
        "Made by `script/bench fingerprint`; do not edit.",
        "",
        *report.environment_lines(result["environment"]),
        f"- data: {result['photo']['package']}, {result['photo']['path']}, scaled from"
        f" {' x '.join(map(str, result['photo']['own_size']))}"
        f" to {' x '.join(map(str, result['photo']['scaled_to']))}",
        "",
        "## Ratios in this run",
        "",
        *report.table(["what", "times as fast", "goal"], rows),
        "",
        "## Milliseconds, medians of five (three for pdqhash's 64 calls)",
        "",
        *report.table(["what", "median", "least", "most"], timings),
        "",
        "`pdqhash` gives one code (`one call a view`: eight); ours come with eight turns and pdq512.",
        "",
        "## Bits from the reference",
        "",
        f"- pixels: {agreed['photos']} photos, {agreed['megapixels']} megapixels."
        f" Exact: bits apart in all eight turns {agreed['exact']['bits_apart_in_eight_turns']},"
        f" qualities that differ {agreed['exact']['qualities_that_differ']}."
        f" Fast: bits apart {agreed['fast']['bits_apart']} (bits: photos)",
        f"- files: {apart['files']} JPEG files with both sides of 1024 and more,"
        f" reduced by {apart['reduced_by']};"
        f" bits apart from PdqSignal {apart['bits_apart']}; left out: {apart['left_out']} with a profile,"
        " an orientation or too little detail",
        "- views of the 12-megapixel photo against pdqhash of the cut-out pixels:"
        f" {result['registration']['crops64']['bits_from_pdqhash_of_the_crop']}",
        "",
        "## By size: milliseconds from pixels, and KiB that the kernel needs beyond the rows it is given",
        "",
        *report.table(
            ["size", "MP", "pdqhash", "exact", "fast", "KiB exact", "KiB fast", "KiB exact with plane"],
            by_size,
        ),
        "",
        f"## One upload ({asked['uploads']} uploads, median longest side {asked['longest_side_median']})",
        "",
        *report.table(
            ["level", "median ms", "p90 ms", "codes"],
            [
                [name, row["median"], row["p90"], asked["codes"].get(name, "")]
                for name, row in asked["ms"].items()
            ],
        ),
    ]


def main() -> None:
    """Measure and publish."""
    if sys.argv[1:2] == ["--peak"]:
        _print_peak(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
        return
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    env = report.environment("numpy", "pillow", "pdqhash", "threatexchange", "simplejpeg", "staydown")
    result = {"environment": env, **measure()}
    report.publish("fingerprint", result, lines(result))
    print("\n".join(lines(result)))


if __name__ == "__main__":
    main()
