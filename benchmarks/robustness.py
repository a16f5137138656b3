"""What is recognised after 22 families of edits, what strangers come close, what codes give away.

`script/bench robustness`. Reports on the test half only; the sets were chosen on the other half by
benchmarks/choose_set.py. Decides nothing and tunes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pdqhash

from benchmarks import codes, corpus, edits, leakage, recall, report
from benchmarks.codes import Registered, Uploads
from benchmarks.recall import THRESHOLD_BITS, Strangers, Tally
from staydown.fingerprint import DERIVATION_SETS, MIN_QUALITY, Algorithm

# Column, set in the bank, level of the query, goal for the mean (issue: figures).
CONFIGURATIONS: tuple[tuple[str, str, str, float | None], ...] = (
    ("plain PDQ", "plain", "plain", None),
    ("turns8", "turns8", "plain", None),
    ("crops32", "crops32", "plain", None),
    ("geo9", "plain", "geo9", None),
    ("crops32 + geo9", "crops32", "geo9", 0.70),
    ("crops64 + geo9", "crops64", "geo9", 0.75),
    ("crops64 + deep", "crops64", "deep", None),
)
# One photo in so many, and one upload of each photo, is also given to pdqhash, to show that "plain PDQ" is
# what it would have found.
CHECK_EVERY = 20


def derivations(name: str) -> tuple[str, ...]:
    """The pdq derivations of a set."""
    return DERIVATION_SETS[name].derivations[Algorithm.PDQ]


def recall_by_family(photos: Sequence[Registered], uploads: Sequence[Uploads]) -> dict[str, Any]:
    """For each configuration the tallies of each family, their mean and its interval."""
    result: dict[str, Any] = {}
    for column, set_name, level, goal in CONFIGURATIONS:
        names = derivations(set_name)
        counted = recall.tallies(photos, uploads, names, level)
        result[column] = {
            "set": set_name,
            "level": level,
            "goal": goal,
            "mean": round(recall.mean_recall(counted), 4),
            "mean_interval_95": [round(v, 4) for v in recall.mean_interval(photos, uploads, names, level)],
            "families": {family: _tally(counted[family]) for family in edits.FAMILIES},
        }
    return result


def _tally(tally: Tally) -> dict[str, Any]:
    low, high = tally.interval()
    return {
        "found": tally.found,
        "of": tally.of,
        "share": round(tally.share, 4),
        "interval_95": [round(low, 4), round(high, 4)],
    }


def agreement_with_pdqhash(photos: Sequence[Registered], uploads: Sequence[Uploads]) -> dict[str, Any]:
    """Bits between our codes and those of pdqhash, of some photos and of one upload of each photo: counts.

    Large uploads are decoded reduced, which may cost up to four bits.
    """
    of_photos, of_uploads = Counter[int](), Counter[int]()
    for number, (photo, made) in enumerate(zip(photos, uploads, strict=True)):
        if number % CHECK_EVERY == 0:
            pixels = corpus.pixels_of(photo.picture, longest=codes.REGISTERED_LONGEST)
            of_photos[_apart(photo.codes[0, 0], pixels)] += 1
        place = number % len(made.families)
        family = made.families[place]
        nth = made.families[:place].count(family)
        pixels = corpus.pixels_of(photo.picture, longest=edits.LONGEST_CAP)
        upload = edits.upload(pixels, photo.picture.identity, family, nth)
        of_uploads[_apart(made.codes[place, 0], upload.pixels())] += 1
    return {
        "photos_by_bits": {str(bits): of_photos[bits] for bits in sorted(of_photos)},
        "uploads_by_bits": {str(bits): of_uploads[bits] for bits in sorted(of_uploads)},
    }


def _apart(code: codes.Codes, pixels: codes.Codes) -> int:
    theirs = np.packbits(pdqhash.compute(np.ascontiguousarray(pixels))[0])
    return int(np.bitwise_count(code ^ theirs).sum())


def false_hits(
    bank_photos: Sequence[Registered], uploads: Sequence[Uploads], set_name: str, level: str
) -> Strangers:
    """Every sought code of the uploads against every registered code of other photos."""
    names = derivations(set_name)
    banks = [recall.bank_of(photo, names) for photo in bank_photos]
    owners = [photo.picture.identity for photo, bank in zip(bank_photos, banks, strict=True) for _ in bank]
    queries, asked_by = [], []
    for made in uploads:
        sought = made.sought(level)
        sought[:, 1] = False  # pdq512 codes are compared with pdq512 codes only
        queries.append(made.codes[sought])
        asked_by += [made.picture.identity] * int(sought.sum())
    return recall.strangers(np.concatenate(queries), asked_by, np.concatenate(banks), owners)


def _strangers(found: Strangers) -> dict[str, Any]:
    filled = np.flatnonzero(found.histogram)
    return {
        "comparisons": found.comparisons,
        "least": found.least,
        "within": {str(bits): found.within(bits) for bits in (THRESHOLD_BITS, 40, 50, 60, 70, 80)},
        "bound_95_per_comparison": 3.0 / found.comparisons if found.within(THRESHOLD_BITS) == 0 else None,
        "histogram_from_least": found.histogram[filled[0] : filled[0] + 60].tolist(),
        "closest": found.closest[:40],
    }


def named(closest: Sequence[tuple[int, str, str]]) -> list[dict[str, Any]]:
    """Pairs with the places of their pictures in their packages."""
    places = {one.identity: f"{one.package}: {one.path}" for one in corpus.manifest()}
    return [
        {"bits": bits, "upload": places[one], "registered": places[other]} for bits, one, other in closest
    ]


def measure() -> dict[str, Any]:
    """Everything that the result holds beside the environment."""
    test, train = corpus.pictures("photo", "test"), corpus.pictures("photo", "train")
    photos, others = codes.all_registered(test), codes.all_registered(train)
    uploads = codes.all_uploads(test)
    result: dict[str, Any] = {
        "photos": {"test": len(test), "train": len(train)},
        "photos_below_quality": sum(int(photo.quality[0]) < MIN_QUALITY for photo in photos),
        "uploads": sum(len(made.families) for made in uploads),
        "codes_sought_for_each_upload": {
            level: round(
                float(np.mean([made.sought(level).sum() / len(made.families) for made in uploads])), 2
            )
            for level in codes.LEVELS
        },
        "recall": recall_by_family(photos, uploads),
        "agreement_with_pdqhash": agreement_with_pdqhash(photos, uploads),
    }
    bank = [*photos, *others]
    result["strangers"] = {
        f"{set_name}, {level}": _strangers(false_hits(bank, uploads, set_name, level))
        for set_name, level in (
            ("plain", "plain"),
            ("crops32", "plain"),
            ("crops32", "geo9"),
            ("crops64", "geo9"),
        )
    }
    unrelated = codes.all_unedited(corpus.pictures("stranger"))
    result["strangers"]["other photos, crops64, geo9"] = _strangers(
        false_hits(bank, unrelated, "crops64", "geo9")
    )
    graphics = corpus.pictures("graphic")
    drawn = codes.all_unedited(graphics)
    on_photos = false_hits(bank, drawn, "crops32", "geo9")
    among = false_hits(codes.all_registered(graphics), drawn, "plain", "plain")
    result["graphics"] = {
        "pictures": len(graphics),
        "against photos, crops32, geo9": _strangers(on_photos) | {"closest": named(on_photos.closest)[:40]},
        "among themselves, plain, plain": _strangers(among) | {"closest": named(among.closest)[:40]},
    }
    result["leakage"] = leakage.measure(train, test)
    return result


def lines(result: dict[str, Any]) -> list[str]:
    """The result as Markdown."""
    columns = [column for column, *_ in CONFIGURATIONS]
    rows = []
    for family in edits.FAMILIES:
        cells = [result["recall"][column]["families"][family] for column in columns]
        rows.append([family, cells[0]["of"], *(_cell(cell) for cell in cells)])
    means = [result["recall"][column] for column in columns]
    rows.append(
        [
            "**mean of 22 families**",
            "",
            *(
                f"**{m['mean']:.3f}** ({m['mean_interval_95'][0]:.3f}–{m['mean_interval_95'][1]:.3f})"
                for m in means
            ),
        ]
    )
    rows.append(["goal", "", *(f"{m['goal']:.2f}" if m["goal"] else "" for m in means)])
    strangers = [
        [
            name,
            f"{row['comparisons']:.2e}",
            row["least"],
            *(row["within"][bits] for bits in ("31", "40", "50", "60")),
        ]
        for name, row in [
            *result["strangers"].items(),
            ("graphics against photos, crops32, geo9", result["graphics"]["against photos, crops32, geo9"]),
            ("graphics among themselves, plain", result["graphics"]["among themselves, plain, plain"]),
        ]
    ]
    leaks = [
        [name, row["bits"], f"{row['correlation']:.3f}"] for name, row in result["leakage"]["sets"].items()
    ]
    agreed = result["agreement_with_pdqhash"]
    return [
        "# What still matches: recall, false hits, leakage",
        "",
        "Made by `script/bench robustness`; do not edit.",
        "",
        *report.environment_lines(result["environment"]),
        f"- data: {result['photos']['test']} test photos ({result['photos_below_quality']} below quality 50),"
        f" {result['uploads']} uploads made of them, threshold {THRESHOLD_BITS} bits,"
        " quality 50 and more on both sides;"
        f" {result['photos']['train']} further photos chose the sets and stand in the bank for false hits",
        f"- codes sought for an upload, on average: {result['codes_sought_for_each_upload']}",
        f"- bits from `pdqhash` (bits: how many): photos {agreed['photos_by_bits']},"
        f" uploads {agreed['uploads_by_bits']}",
        "",
        "## Recall by family (share of uploads found; 95 % intervals: Wilson; mean: photos drawn anew)",
        "",
        *report.table(["family", "uploads", *columns], rows),
        "",
        "## Distances to photos that an upload was not made of",
        "",
        "Comparisons are not independent: there are only as many scenes as photos.",
        "",
        *report.table(
            ["uploads against", "comparisons", "least bits", "<= 31", "<= 40", "<= 50", "<= 60"], strangers
        ),
        "",
        "## What a decoder recovers",
        "",
        "Correlation between the true 32 x 32 luma and what ridge regression makes of the bits"
        f" ({result['leakage']['train_pictures']} training crops of {result['photos']['train']} photos;"
        f" {result['leakage']['test_pictures']} test photos). A lower bound: better decoders exist.",
        "",
        *report.table(["codes", "bits", "correlation"], leaks),
    ]


def _cell(cell: dict[str, Any]) -> str:
    low, high = cell["interval_95"]
    return f"{cell['share']:.2f} ({low:.2f}–{high:.2f})"


def main() -> None:
    """Measure and publish."""
    env = report.environment("numpy", "pillow", "pdqhash", "opencv-python-headless", "simplejpeg", "staydown")
    result = {"environment": env, **measure()}
    report.publish("robustness", result, lines(result))
    print("\n".join(lines(result)))


if __name__ == "__main__":
    main()
