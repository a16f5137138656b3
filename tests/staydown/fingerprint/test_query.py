"""What an upload is looked up by, and that it finds what was registered."""

import io

import numpy as np
import pytest
from PIL import Image

from staydown.fingerprint import (
    DERIVATIONS,
    Algorithm,
    QueryFingerprints,
    QueryLevel,
    UnknownFormat,
    distance_bits,
    fingerprint_image,
    query_image,
)
from tests.staydown.fingerprint.pictures import Pixels, picture


def _png(pixels: Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _nearest(upload: Pixels, original: Pixels, level: QueryLevel = QueryLevel.GEO9) -> int:
    """The smallest distance between what is sought of the upload and what is registered of the original."""
    sought = query_image(_png(upload), level=level).sought()
    registered = fingerprint_image(_png(original)).registrable()
    return min(distance_bits(view.fingerprint, each) for view in sought for each in registered)


@pytest.fixture(scope="module")
def landscape() -> Pixels:
    return picture("landscape", 900, 640, seed=11)


def test_plain_level_looks_at_the_whole_only(landscape: Pixels) -> None:
    query = query_image(_png(landscape), level=QueryLevel.PLAIN)
    assert {view.name for view in query.views} == {"full"}
    assert [(view.fingerprint.algorithm, view.name) for view in query.sought()] == [
        (Algorithm.PDQ, "full"),
        (Algorithm.PDQ512, "full"),
    ]


def test_whole_has_both_algorithms_with_eight_turns(landscape: Pixels) -> None:
    whole = query_image(_png(landscape)).whole()
    assert [each.derivation for each in whole] == [*DERIVATIONS, *DERIVATIONS]


def test_levels_look_at_more_and_more(landscape: Pixels) -> None:
    edited = np.pad(landscape, ((80, 80), (50, 50), (0, 0)))
    counts = [len(query_image(_png(edited), level=level).sought()) for level in QueryLevel]
    assert counts[0] < counts[1] < counts[2]
    assert counts[1] <= 1 + 9


def test_unchanged_picture_is_found_at_distance_zero(landscape: Pixels) -> None:
    assert _nearest(landscape, landscape) == 0


@pytest.mark.parametrize(
    "edit",
    [
        lambda p: p[:, ::-1],
        lambda p: np.rot90(p),
        lambda p: p[41:-41, 58:-58],
        lambda p: np.pad(p, ((90, 90), (0, 0), (0, 0))),
        lambda p: np.pad(p[:, ::-1], ((60, 60), (60, 60), (0, 0)), constant_values=255),
    ],
    ids=["mirrored", "turned", "cropped", "letterboxed", "mirrored in a border"],
)  # fmt: skip
def test_everyday_edit_is_found(landscape: Pixels, edit: object) -> None:
    assert _nearest(np.ascontiguousarray(edit(landscape)), landscape) <= 31  # type: ignore[operator]


def test_another_picture_is_not_found(landscape: Pixels) -> None:
    assert _nearest(picture("noise", 700, 500, seed=3), landscape, QueryLevel.DEEP) > 60


def test_flat_upload_seeks_nothing() -> None:
    query: QueryFingerprints = query_image(_png(np.full((300, 300, 3), 80, np.uint8)), level=QueryLevel.DEEP)
    assert query.sought() == ()


def test_video_is_refused_by_name() -> None:
    with pytest.raises(UnknownFormat, match="video"):
        query_image(b"\0\0\0\x18ftypisom" + bytes(64))
