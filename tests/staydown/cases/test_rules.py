"""What a device may send: everything is checked, and nothing it can say does more than be refused."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staydown.cases.errors import CaseError, NothingToRegister, SubmissionRefused, TooManyItems
from staydown.cases.rules import MAX_CODES, MAX_ITEMS, read_submission
from staydown.cases.terms import SubmittedItem
from staydown.fingerprint import DERIVATION_SETS, DERIVATIONS, Algorithm

HEX = "0123456789abcdef" * 4
CODE = ["pdq", "full", 80, HEX]
ITEM: dict[str, Any] = {"media": "image", "sha256": HEX, "md5": HEX[:32], "codes": [CODE]}


def hex_of(text: str) -> str:
    """A code that is related to no other."""
    return hashlib.sha256(text.encode()).hexdigest()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["image", "pdq", HEX]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["media", "sha256", "md5", "codes", "version", "items"]), inner)
    ),
    max_leaves=20,
)


def sent(*items: Any, version: Any = 1) -> str:
    return json.dumps({"version": version, "items": list(items)})


def told(item: SubmittedItem) -> list[list[Any]]:
    """The codes of an item as they were sent."""
    return [[code.algorithm, code.derivation, code.quality, code.hex] for code in item.fingerprints]


def with_code(
    *, algorithm: Any = "pdq", derivation: Any = "full", quality: Any = 80, digits: Any = HEX
) -> Any:
    return {**ITEM, "codes": [[algorithm, derivation, quality, digits]]}


def test_whole_submission_is_read_as_it_was_sent() -> None:
    # Given a picture with the largest set, a video with frames, and one with digests only
    names = DERIVATION_SETS["crops64"].derivations
    codes = [
        [algorithm, name, 80, hex_of(f"{algorithm} {name}")]
        for algorithm in Algorithm
        for name in names[algorithm]
    ]
    picture = {**ITEM, "codes": codes, "unknown": "is left unread"}
    frames = [
        ["pdq", f"@{second}.500{turn}", 60, hex_of(f"{second}{turn}")]
        for second in range(64)
        for turn in ("", "~fH")
    ]
    video = {**ITEM, "media": "video", "codes": frames}
    bare = {**ITEM, "media": "video", "codes": []}

    # When it is read
    first, second, third = read_submission(sent(picture, video, bare))

    # Then everything is there, in its order
    assert (first.media, first.digests.sha256, first.digests.md5) == ("image", HEX, HEX[:32])
    assert told(first) == codes
    assert len(codes) == 65
    assert told(second) == frames
    assert (third.media, third.fingerprints) == ("video", ())


@pytest.mark.parametrize("quality", [50, 100])
def test_quality_at_either_end_is_taken(quality: int) -> None:
    [item] = read_submission(sent(with_code(quality=quality)))

    assert item.fingerprints[0].quality == quality


@pytest.mark.parametrize("quality", [49, 101, 0, -1, True, False, None, "80", 80.0, 10**30, [80]])
def test_quality_below_50_above_100_or_not_a_number_is_refused(quality: Any) -> None:
    with pytest.raises(SubmissionRefused) as refused:
        read_submission(sent(ITEM, with_code(quality=quality)))
    assert refused.value.item == 2


def test_code_in_upper_case_is_the_same_code() -> None:
    [item] = read_submission(sent(with_code(digits=HEX.upper())))

    assert item.fingerprints[0].hex == HEX


@pytest.mark.parametrize(
    "digits", [HEX[:63], HEX + "0", "", HEX[:62] + "0x", HEX[:63] + "\n", HEX[:63] + "٣", 7, None]
)
def test_code_that_is_not_64_hex_digits_is_refused(digits: Any) -> None:
    with pytest.raises(SubmissionRefused):
        read_submission(sent(with_code(digits=digits)))


@pytest.mark.parametrize("algorithm", ["PDQ", "pdq1024", "", "md5", None, 1, ["pdq"]])
def test_unknown_algorithm_is_refused(algorithm: Any) -> None:
    with pytest.raises(SubmissionRefused):
        read_submission(sent(with_code(algorithm=algorithm)))


@pytest.mark.parametrize(
    "derivation",
    [
        *("Full", "r45", "", "cc100", "cc88~", "~fH", "cc88~r45", "cc88~fH~fV", "cc88 ", "x" * 100_000),
        *(
            "padk16",
            "letk8",
            "rc12",
        ),  # they add a border or corners, which lets a decoder recover the picture
        *(None, 1, {"full": 1}),
    ],
    ids=lambda value: str(value)[:20],
)
def test_unknown_derivation_is_refused(derivation: Any) -> None:
    with pytest.raises(SubmissionRefused):
        read_submission(sent(with_code(derivation=derivation)))


@pytest.mark.parametrize("derivation", [*DERIVATIONS, "cc88", "cc88~fH", "tb-13", "lr-19~r90", "as9:16"])
def test_views_and_turns_are_of_a_picture_and_not_of_a_video(derivation: str) -> None:
    picture = with_code(derivation=derivation)
    assert read_submission(sent(picture))[0].fingerprints[0].derivation == derivation

    with pytest.raises(SubmissionRefused):
        read_submission(sent({**picture, "media": "video"}))


@pytest.mark.parametrize("derivation", ["@0.000", "@12.500", "@12.500~fH", "@12345.500~cc88~r180"])
@pytest.mark.parametrize("media", ["image", "video"])
def test_videos_and_moving_pictures_have_frames(media: str, derivation: str) -> None:
    [item] = read_submission(sent({**with_code(derivation=derivation), "media": media}))

    assert item.fingerprints[0].derivation == derivation


@pytest.mark.parametrize(
    "derivation",
    ["@", "@1", "@1.5", "@-1.000", "@nan", "@1.000~", "@1.000~r45", "@1.000@2.000", "@1.000~full"],
)
def test_frame_without_a_proper_time_is_refused(derivation: str) -> None:
    with pytest.raises(SubmissionRefused):
        read_submission(sent({**with_code(derivation=derivation), "media": "video"}))


def test_code_that_is_there_under_two_names_is_kept_once() -> None:
    # Given a flat picture: its middle has the code of the whole
    codes = [["pdq", "full", 80, HEX], ["pdq", "cc88", 80, HEX.upper()], ["pdq512", "full", 80, HEX]]

    [item] = read_submission(sent({**ITEM, "codes": codes}))

    assert [row[:2] for row in told(item)] == [["pdq", "full"], ["pdq512", "full"]]


@pytest.mark.parametrize("digits", [HEX, HEX[::-1]])
def test_derivation_that_is_there_twice_is_refused(digits: str) -> None:
    codes = [["pdq", "cc88", 80, HEX], ["pdq", "full", 80, HEX], ["pdq", "cc88", 80, digits]]

    with pytest.raises(SubmissionRefused) as refused:
        read_submission(sent(ITEM, {**ITEM, "codes": codes}))
    assert refused.value.item == 2


@pytest.mark.parametrize("code", [[], CODE[:3], [*CODE, 1], "pdq", {"pdq": HEX}, None, [CODE]])
def test_code_of_another_shape_is_refused(code: Any) -> None:
    with pytest.raises(SubmissionRefused):
        read_submission(sent({**ITEM, "codes": [code]}))


@pytest.mark.parametrize("member", ["sha256", "md5"])
@pytest.mark.parametrize(
    "change", [str.upper, lambda text: text[1:], lambda text: text + "0", lambda text: f"g{text[1:]}"]
)
def test_digest_that_is_not_lower_case_hex_of_its_length_is_refused(member: str, change: Any) -> None:
    with pytest.raises(SubmissionRefused) as refused:
        read_submission(sent({**ITEM, member: change(ITEM[member])}))
    assert refused.value.item == 1


@pytest.mark.parametrize("member", ["media", "sha256", "md5", "codes"])
def test_item_that_lacks_a_member_is_refused(member: str) -> None:
    with pytest.raises(SubmissionRefused):
        read_submission(sent({name: value for name, value in ITEM.items() if name != member}))


@pytest.mark.parametrize("media", ["IMAGE", "audio", "", None, ["image"], {"image": 1}])
def test_item_of_another_kind_of_media_is_refused(media: Any) -> None:
    with pytest.raises(SubmissionRefused):
        read_submission(sent({**ITEM, "media": media}))


@pytest.mark.parametrize(("media", "most"), [("image", 100), ("video", 800)])
def test_picture_has_100_codes_at_most_and_a_video_800(media: str, most: int) -> None:
    # Given names enough
    names = [f"{view}{number}" for view in ("cc", "tl") for number in range(1, 99)]
    frames = [f"@{number}.000" for number in range(900)]

    def item(count: int) -> dict[str, Any]:
        kinds = frames if media == "video" else names
        return {**ITEM, "media": media, "codes": [["pdq", kind, 80, hex_of(kind)] for kind in kinds[:count]]}

    # Then
    [taken] = read_submission(sent(item(most)))
    assert len(taken.fingerprints) == most == MAX_CODES[media]
    with pytest.raises(SubmissionRefused):
        read_submission(sent(item(most + 1)))


def test_one_send_has_20000_codes_at_most() -> None:
    # Given 25 videos with 800 codes each
    codes = [["pdq", f"@{number}.000", 80, hex_of(str(number))] for number in range(800)]
    videos = [{**ITEM, "media": "video", "codes": codes}] * 25
    assert len(read_submission(sent(*videos))) == 25

    # Then not one code more is taken
    with pytest.raises(SubmissionRefused) as refused:
        read_submission(sent(*videos, ITEM))
    assert refused.value.item == 0


def test_a_hundred_items_are_taken_and_one_more_is_too_many() -> None:
    assert len(read_submission(sent(*[ITEM] * MAX_ITEMS))) == 100

    with pytest.raises(TooManyItems) as refused:
        read_submission(sent(*[ITEM] * 101))
    assert (refused.value.found, refused.value.allowed) == (101, 100)


@pytest.mark.parametrize("text", ['{"version":1}', '{"version":1,"items":[]}', '{"version":1,"items":{}}'])
def test_submission_without_an_item_says_so(text: str) -> None:
    with pytest.raises(NothingToRegister):
        read_submission(text)


@pytest.mark.parametrize("version", [0, 2, "1", None, [1]])
def test_another_version_of_the_format_is_refused(version: Any) -> None:
    with pytest.raises(SubmissionRefused) as refused:
        read_submission(sent(ITEM, version=version))
    assert refused.value.item == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '"x"',
        "\ufeff{}",
        "\x00",
        sent(ITEM)[:-1],
        "1" * 5_000,
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_text_that_is_no_whole_document_is_refused(text: str) -> None:
    with pytest.raises(SubmissionRefused):
        read_submission(text)


@settings(deadline=None)  # a busy machine is no failure
@given(text=st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(CaseError):
        read_submission(text)


@settings(deadline=None)  # a busy machine is no failure
@given(items=st.lists(JSON, max_size=3))
def test_any_items_are_read_or_refused(items: list[Any]) -> None:
    with contextlib.suppress(CaseError):
        read_submission(json.dumps({"version": 1, "items": items}))


@settings(deadline=None)  # a busy machine is no failure
@given(member=st.sampled_from(sorted(ITEM)), value=JSON)
def test_any_value_in_a_good_item_is_read_or_refused(member: str, value: Any) -> None:
    try:
        [item] = read_submission(sent({**ITEM, member: value}))
    except CaseError:
        return
    assert all(50 <= code.quality <= 100 and len(code.code) == 32 for code in item.fingerprints)


@settings(deadline=None)  # a busy machine is no failure
@given(position=st.integers(0, 3), value=JSON)
def test_any_value_in_a_good_code_is_read_or_refused(position: int, value: Any) -> None:
    code: list[Any] = list(CODE)
    code[position] = value
    with contextlib.suppress(CaseError):
        read_submission(sent({**ITEM, "codes": [code]}))


@pytest.mark.parametrize(
    "text", [sent({**ITEM, "sha256": "secret-digest"}), sent(with_code(digits="secret-code"))]
)
def test_refusal_says_which_item_and_repeats_nothing_of_it(text: str) -> None:
    with pytest.raises(SubmissionRefused) as refused:
        read_submission(text)
    assert "secret" not in str(refused.value)
    assert str(refused.value).startswith("item 1: ")
