"""How a check journal's record reads: whole, or not understood; never half and never with another error."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staydown.catalog import rules
from staydown.catalog.errors import CheckRecordNotUnderstood
from staydown.catalog.terms import CheckedMatch
from staydown.fingerprint import DERIVATIONS, Algorithm, Digests

HEX = "0123456789abcdef" * 4
RECORD: dict[str, Any] = {
    "check_id": "chk_1",
    "at": "2026-03-07T20:30:00+00:00",
    "platform": "pf_1",
    "content_id": "post-1",
    "content_url": "http://127.0.0.1:8001/posts/1",
    "media": "image",
    "sha256": HEX,
    "md5": HEX[:32],
    "pdq": {"codes": [HEX], "quality": 80},
    "pdq512": {"codes": [HEX] * 8, "quality": 70},
    "action": "hold",
    "matches": [
        {
            "entry_id": "ent_1",
            "kind": "near",
            "distance_bits": 12,
            "derivation": "r90",
            "rule": "unconfirmed-near",
            "state": "unconfirmed",
        }
    ],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(HEX),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["codes", "quality", "entry_id", "kind", "distance_bits"]), inner)
    ),
    max_leaves=12,
)


def test_whole_record_is_read_with_every_code_and_match() -> None:
    check = rules.read_check_record(RECORD)

    assert (check.check_id, check.platform_id) == ("chk_1", "pf_1")
    assert check.at == datetime(2026, 3, 7, 20, 30, tzinfo=UTC)
    assert (check.content_id, check.content_url) == ("post-1", "http://127.0.0.1:8001/posts/1")
    assert check.digests == Digests(sha256=HEX, md5=HEX[:32])
    assert [(code.algorithm, code.derivation, code.quality) for code in check.fingerprints] == [
        (Algorithm.PDQ, "full", 80),
        *[(Algorithm.PDQ512, name, 70) for name in DERIVATIONS],
    ]
    assert check.action == "hold"
    assert check.matches == (CheckedMatch(entry_id="ent_1", kind="near", distance_bits=12),)


def test_codes_of_a_videos_frames_are_read_with_their_times() -> None:
    frames = [["@0.000", 80, HEX], ["@0.000~fH", 80, HEX[::-1]], ["@12.500", 55, HEX]]

    check = rules.read_check_record(
        {**RECORD, "media": "video", "pdq": None, "pdq512": None, "frames": frames}
    )

    assert [[code.derivation, code.quality, code.hex] for code in check.fingerprints] == frames
    assert {code.algorithm for code in check.fingerprints} == {Algorithm.PDQ}


def test_check_by_digest_only_has_no_codes_and_maybe_no_md5() -> None:
    check = rules.read_check_record({**RECORD, "pdq": None, "pdq512": None, "md5": None, "media": None})

    assert check.fingerprints == ()
    assert check.digests == Digests(sha256=HEX, md5="")


def test_check_by_code_only_has_no_digests() -> None:
    assert rules.read_check_record({**RECORD, "sha256": None, "md5": None}).digests is None


@pytest.mark.parametrize("member", sorted(set(RECORD) - {"media"}))
def test_record_that_lacks_a_member_is_not_understood(member: str) -> None:
    with pytest.raises(CheckRecordNotUnderstood):
        rules.read_check_record({name: value for name, value in RECORD.items() if name != member})


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("check_id", None),
        ("check_id", 7),
        ("check_id", ""),
        ("check_id", "chk_" + "x" * 21),
        ("at", None),
        ("at", "yesterday"),
        ("at", "2026-03-07T20:30:00"),  # no zone: it could be any hour
        ("at", 1_772_915_400),
        ("platform", None),
        ("platform", ["pf_1"]),
        ("content_id", 7),
        ("content_id", {"id": 7}),
        ("content_id", "x" * 201),
        ("content_url", ["x"]),
        ("content_url", "x" * 2_001),
        ("sha256", 7),
        ("sha256", "x" * 65),
        ("md5", 7),
        ("pdq", {}),
        ("pdq", HEX),
        ("pdq", {"codes": HEX, "quality": 80}),
        ("pdq", {"codes": [7], "quality": 80}),
        ("pdq", {"codes": [HEX[:63]], "quality": 80}),
        ("pdq", {"codes": [HEX], "quality": None}),
        ("pdq", {"codes": [HEX], "quality": 101}),
        ("pdq", {"codes": [HEX] * 9, "quality": 80}),
        ("frames", 7),
        ("frames", {"@1.000": HEX}),
        ("frames", [["@1.000", 80]]),
        ("frames", [["full", 80, HEX]]),
        ("frames", [["@1.0", 80, HEX]]),
        ("frames", [[["@1.000"], 80, HEX]]),
        ("frames", [["@1.000~cc88~fH~r90", 80, HEX]]),
        ("frames", [["@1.000", 101, HEX]]),
        ("frames", [["@1.000", "80", HEX]]),
        ("frames", [["@1.000", 80, HEX[1:]]]),
        ("frames", [["@1.000", 80, HEX]] * 201),
        ("action", None),
        ("action", "explode"),
        ("matches", None),
        ("matches", [7]),
        ("matches", [{}]),
        ("matches", [{"entry_id": 7, "kind": "near", "distance_bits": 1}]),
        ("matches", [{"entry_id": "ent_1", "kind": None, "distance_bits": 1}]),
        ("matches", [{"entry_id": "ent_1", "kind": "near", "distance_bits": "1"}]),
        ("matches", [{"entry_id": "ent_1", "kind": "near", "distance_bits": -1}]),
        ("matches", [{"entry_id": "ent_1", "kind": "near", "distance_bits": 257}]),
    ],
)
def test_record_with_a_member_of_the_wrong_kind_is_not_understood(member: str, value: Any) -> None:
    with pytest.raises(CheckRecordNotUnderstood):
        rules.read_check_record({**RECORD, member: value})


@settings(deadline=None)  # a busy machine is no failure
@given(member=st.sampled_from(sorted(RECORD)), value=JSON)
def test_any_value_in_a_good_record_is_read_or_not_understood(member: str, value: Any) -> None:
    try:
        check = rules.read_check_record({**RECORD, member: value})
    except CheckRecordNotUnderstood:
        return
    assert check.at.tzinfo is not None
    assert isinstance(check.check_id, str)


@settings(deadline=None)  # a busy machine is no failure
@given(record=st.dictionaries(st.sampled_from(sorted(RECORD)), JSON))
def test_any_record_is_read_or_not_understood(record: dict[str, Any]) -> None:
    try:
        rules.read_check_record(record)
    except CheckRecordNotUnderstood:
        return


@pytest.mark.parametrize(
    ("change", "listable"),
    [
        ({}, True),
        ({"action": "allow"}, True),
        ({"action": "block"}, False),  # it was never published
        ({"content_id": None}, False),
        ({"content_id": ""}, False),
        ({"content_url": None}, False),
        ({"content_url": ""}, False),
        ({"sha256": None, "md5": None}, False),
        ({"pdq": None, "pdq512": None}, True),
    ],
)
def test_only_what_is_published_and_can_be_found_again_is_listed(
    change: dict[str, Any], listable: bool
) -> None:
    assert rules.is_listable(rules.read_check_record({**RECORD, **change})) is listable
