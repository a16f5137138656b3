"""The device finds the same parts of a picture as Python, and registers them under the same names."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from staydown.fingerprint import DERIVATION_SETS, DERIVATIONS, MIN_QUALITY, DerivationSet
from staydown.fingerprint.further_frames import MAX_FURTHER_FRAMES, SAME_BITS
from staydown.fingerprint.kernel import PhotoCodes, Rectangle, Turns
from staydown.fingerprint.registration import derived_fingerprints, needs_plane
from staydown.fingerprint.views import split_derivation, view_rectangle

RUNNER = Path(__file__).with_name("run_views.mjs")
KINDS = ("tb-", "lr-", "top-", "bot-", "left-", "right-", "cc", "tl", "tr", "bl", "br")
EVERY_VIEW = (
    "full",
    *(f"{kind}{number}" for kind in KINDS for number in range(1, 100)),
    *(f"as{across}:{down}" for across in (1, 2, 3, 4, 9, 16, 99) for down in (1, 3, 4, 5, 9, 99)),
    *(f"as{aspect}@{offset}" for aspect in ("1:1", "4:3", "9:16") for offset in (0, 25, 75, 100)),
)
SIZES = [(5, 5), (6, 99), (640, 480), (4000, 3000), (3000, 4000), (4032, 3024), (65_535, 65_535), (65_535, 5)]
UNKNOWN = ("", "cc", "cc0", "cc100", "cc88 ", "cc88\n", "as0:1", "as4:3@50", "as4-5", "@12.500", "r90", "xx9")


def ask(
    *,
    views: list[tuple[str, int, int]] | None = None,
    splits: list[str] | None = None,
    registrations: list[dict[str, Any]] | None = None,
) -> Any:
    asked = {"views": views or [], "splits": splits or [], "registrations": registrations or []}
    done = subprocess.run(
        ["node", str(RUNNER)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def some_sizes(count: int) -> list[tuple[int, int]]:
    drawn = np.random.default_rng(8).integers(5, 9000, (count, 2))
    return [*SIZES, *((int(width), int(height)) for width, height in drawn)]


def test_every_view_is_the_same_rectangle_as_in_python_at_many_sizes() -> None:
    # Given every kind of view, at sizes of cameras, at the limits, and anywhere
    asked = [(view, width, height) for width, height in some_sizes(40) for view in EVERY_VIEW]

    # When the device is asked
    answers = ask(views=asked)["views"]

    # Then it says what Python says: in pixels, or that the part is too small
    for (view, width, height), answer in zip(asked, answers, strict=True):
        rectangle = view_rectangle(view, width=width, height=height)
        assert answer == (rectangle and asdict(rectangle)), (view, width, height)
    assert None in answers


def test_a_name_that_python_refuses_is_refused() -> None:
    for name in UNKNOWN:
        with pytest.raises(ValueError, match="no view"):
            view_rectangle(name, width=100, height=100)

    assert set(ask(views=[(name, 100, 100) for name in UNKNOWN])["views"]) == {"refused"}


def test_names_are_taken_apart_as_in_python_and_an_unknown_turn_is_refused() -> None:
    names = sorted({name for set_ in DERIVATION_SETS.values() for name in all_names(set_)} | {"as4:5@25~fM"})

    answers = ask(splits=[*names, "cc88~", "cc88~xx", "cc88~fH~fV"])["splits"]

    for name, answer in zip(names, answers, strict=False):
        assert (answer["view"], answer["turn"]) == split_derivation(name)
    assert answers[len(names) :] == ["refused"] * 3


def all_names(derivation_set: DerivationSet) -> set[str]:
    return {name for names in derivation_set.derivations.values() for name in names}


class ToldScan:
    """Python's side of the photo in run_views.mjs: the codes say which rectangle they are of."""

    def __init__(self, quality: int) -> None:
        self.quality = quality
        self.asked: list[list[int]] = []

    def view(self, rectangle: Rectangle) -> Turns:
        sides = [rectangle.left, rectangle.top, rectangle.width, rectangle.height]
        self.asked.append(sides)
        return told_turns("pdq " + ",".join(map(str, sides)), self.quality)


def told_turns(of: str, quality: int) -> Turns:
    return Turns(b"".join(f"{of} {turn}".encode().ljust(32) for turn in range(len(DERIVATIONS))), quality)


def told(width: int, height: int, name: str, qualities: tuple[int, int, int]) -> dict[str, Any]:
    derivations = DERIVATION_SETS[name].derivations
    names = {algorithm.value: list(names) for algorithm, names in derivations.items()}
    return {"width": width, "height": height, "set": names, "qualities": qualities}


def expected(width: int, height: int, name: str, qualities: tuple[int, int, int]) -> dict[str, Any]:
    """What registration.py makes of the same photo."""
    derivation_set = DERIVATION_SETS[name]
    pdq, pdq512, parts = qualities
    scan = ToldScan(parts)
    codes = PhotoCodes(told_turns(f"pdq 0,0,{width},{height}", pdq), told_turns("pdq512", pdq512), 1.0)
    made = derived_fingerprints(scan, codes, derivation_set, width=width, height=height)  # type: ignore[arg-type]
    told = [
        [f.algorithm.value, f.derivation, f.quality, f.code.decode().strip()]
        for f in made
        if f.quality >= MIN_QUALITY
    ]
    return {"codes": told, "asked": scan.asked, "needsPlane": needs_plane(derivation_set)}


@pytest.mark.parametrize("name", DERIVATION_SETS)
def test_a_set_is_registered_as_in_python_name_by_name(name: str) -> None:
    # Given pictures with sides of every relation: 4:3, square, too narrow for some parts, tiny
    sizes = [(4000, 3000), (3024, 4032), (1000, 1000), (1080, 1920), (777, 501), (9, 400), (7, 7), (5, 5)]
    qualities = [(100, 100, 100), (49, 100, 100), (100, 49, 50), (50, 50, 49), (0, 0, 0)]
    cases = [(width, height, name, quality) for width, height in sizes for quality in qualities]

    # When the device registers them
    answers = ask(registrations=[told(*case) for case in cases])["registrations"]

    # Then names, order, qualities and codes are Python's; each rectangle is computed once; progress is told
    for case, answer in zip(cases, answers, strict=True):
        paused = answer.pop("paused")
        assert answer == expected(*case), case
        assert paused == sorted(paused)
        assert len(paused) == len(answer["asked"])
        assert all(0 <= done < 1 for done in paused)


def test_the_same_rectangle_is_registered_once_for_each_turn() -> None:
    # Given a 4:3 picture, of which the 4:3 part is the whole
    set_ = {"pdq": ["full", "as4:3", "as4:3~fH", "fH", "cc90", "cc90~fV"], "pdq512": ["full"]}

    answer = ask(registrations=[{"width": 400, "height": 300, "set": set_, "qualities": [90, 90, 90]}])

    codes = answer["registrations"][0]["codes"]
    assert [name for _, name, _, _ in codes] == ["full", "as4:3~fH", "cc90", "cc90~fV", "full"]
    assert answer["registrations"][0]["asked"] == [[20, 15, 360, 270]]


def code_of(bits: set[int]) -> str:
    return f"{sum(1 << bit for bit in bits):064x}"


def further(set_: dict[str, list[str]], first: str, frames: list[Any]) -> list[list[Any]]:
    """Name, quality and code of what is registered of the frames."""
    case = {"width": 99, "height": 99, "set": set_, "qualities": [0, 0, 0], "first": first, "frames": frames}
    codes = ask(registrations=[case])["registrations"][0]["codes"]
    assert all(algorithm == "pdq" for algorithm, *_ in codes)
    return [code[1:] for code in codes]


def test_a_frame_near_an_earlier_one_or_with_too_little_detail_is_not_registered() -> None:
    # Given frames as far from the first, or from each other, as a match reaches, and one bit more
    first, near, far = code_of(set()), code_of(set(range(SAME_BITS))), code_of(set(range(SAME_BITS + 1)))
    flat = code_of(set(range(100, 200)))
    frames = [(0.5, 90, near, "n"), (1.0, 50, far, "f"), (1.5, 49, flat, "x"), (2.0, 90, near, "n")]

    # Then what is registered is the frame that is further away, as it is and, if the set has that, mirrored
    both = further({"pdq": ["full", "fH"], "pdq512": []}, first, frames)
    assert both == [["@1.000", 50, far], ["@1.000~fH", 50, "f"]]
    assert further({"pdq": ["full"], "pdq512": []}, first, frames) == both[:1]


def test_no_more_frames_are_looked_at_than_are_registered() -> None:
    # Given as many different frames as are taken, and behind them one that must not be read
    blocks = [code_of(set(range(16 * n, 16 * n + 16))) for n in range(MAX_FURTHER_FRAMES + 1)]
    frames = [(n / 2, 90, code, "") for n, code in enumerate(blocks[1:], start=1)]

    codes = further({"pdq": ["full"], "pdq512": []}, blocks[0], [*frames, (99.0, 90, None, None)])

    assert len(codes) == MAX_FURTHER_FRAMES
    assert codes[-1][0] == f"@{MAX_FURTHER_FRAMES / 2:.3f}"
