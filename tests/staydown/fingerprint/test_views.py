"""Derivations by name: where views lie, which names exist, and what the sets hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staydown.fingerprint.kernel import Rectangle
from staydown.fingerprint.terms import DERIVATIONS, Algorithm
from staydown.fingerprint.views import (
    DEFAULT_SET,
    DERIVATION_SETS,
    MAX_NAME_CHARACTERS,
    is_derivation,
    split_derivation,
    view_rectangle,
)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("full", Rectangle(0, 0, 1000, 600)),
        ("cc90", Rectangle(50, 30, 900, 540)),
        ("tb-13", Rectangle(0, 39, 1000, 522)),
        ("lr-19", Rectangle(95, 0, 810, 600)),
        ("top-7", Rectangle(0, 42, 1000, 558)),
        ("bot-7", Rectangle(0, 0, 1000, 558)),
        ("left-10", Rectangle(100, 0, 900, 600)),
        ("right-10", Rectangle(0, 0, 900, 600)),
        ("tl92", Rectangle(0, 0, 920, 552)),
        ("br92", Rectangle(80, 48, 920, 552)),
        ("as1:1", Rectangle(200, 0, 600, 600)),
        ("as1:1@0", Rectangle(0, 0, 600, 600)),
        ("as1:1@100", Rectangle(400, 0, 600, 600)),
        ("as16:9", Rectangle(0, 19, 1000, 562)),
    ],
)
def test_view_lies_where_its_name_says(view: str, expected: Rectangle) -> None:
    assert view_rectangle(view, width=1000, height=600) == expected


@pytest.mark.parametrize(
    "name",
    [
        "full",
        "r90",
        "cc88~fH",
        "as4:5",
        "tb-13",
        "@12.500",
        "@0.000~fH",
        "@12.500~cc88",
        "@123456.500~right-19~r270",
    ],
)
def test_names_of_views_turns_and_frames_are_derivations(name: str) -> None:
    assert is_derivation(name)


@pytest.mark.parametrize(
    "name",
    [
        "cc",
        "cc0",
        "cc100",
        "padk8",
        "rc12",
        "cc88~",
        "cc88~full",
        "r90~x",
        "r90~fH",
        "~fH",
        "@12.5",
        "@12.500~",
        "@12.500~full",
        "@12.500~cc88~full",
        "@12.500~@13.000",
        "@12.500~padk8",
        "@12.500~fH~cc88",
        "as0:1",
        "as1:1@50",
        "full\n",
        "CC88",
        "cc88~fH~fH",
        "@1234567.000",
        "",
    ],
)
def test_anything_else_is_not_a_derivation(name: str) -> None:
    assert not is_derivation(name)


def test_unknown_view_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="padk8"):
        view_rectangle("padk8", width=100, height=100)


def test_view_that_would_be_too_small_is_none() -> None:
    assert view_rectangle("cc50", width=8, height=100) is None


VIEWS = {split_derivation(name)[0] for name in DERIVATION_SETS["crops64"].derivations[Algorithm.PDQ]}


@given(width=st.integers(5, 65_535), height=st.integers(5, 65_535), name=st.sampled_from(sorted(VIEWS)))
def test_every_view_lies_inside_any_picture(width: int, height: int, name: str) -> None:
    rectangle = view_rectangle(name, width=width, height=height)
    if rectangle is None:
        return
    assert rectangle.left >= 0
    assert rectangle.top >= 0
    assert rectangle.left + rectangle.width <= width
    assert rectangle.top + rectangle.height <= height


def test_sets_hold_what_their_names_say_and_only_cuts() -> None:
    # Given every set
    for name, count in {"plain": 1, "turns8": 8, "crops32": 32, "crops64": 64}.items():
        names = DERIVATION_SETS[name].derivations[Algorithm.PDQ]

        # Then it has as many different names as it says, the whole picture first, all of the grammar
        assert len(set(names)) == len(names) == count
        assert names[0] == "full"
        assert all(is_derivation(each) and len(each) <= MAX_NAME_CHARACTERS for each in names)
        assert DERIVATION_SETS[name].derivations[Algorithm.PDQ512] == ("full",)
    assert DERIVATION_SETS["turns8"].derivations[Algorithm.PDQ] == DERIVATIONS


def test_larger_set_begins_with_the_default_one() -> None:
    small, large = (DERIVATION_SETS[name].derivations[Algorithm.PDQ] for name in (DEFAULT_SET, "crops64"))
    assert large[: len(small)] == small
