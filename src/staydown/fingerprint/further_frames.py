"""The other frames of a moving picture and the other pages of a file, as codes. Refuses near-equal ones.

The first frame is coded like any picture; what follows is coded whole, because a viewer sees it too.
"""

from collections.abc import Iterable, Iterator

from staydown.fingerprint.kernel import Method, PhotoCodes, certain_scan
from staydown.fingerprint.strips import DecodedPicture
from staydown.fingerprint.terms import MIN_QUALITY

# Distinct frames that are taken beside the first: with two codes each they stay below the codes that may be
# registered of one picture (cases/rules.py), and few moving pictures show more than a handful of scenes.
MAX_FURTHER_FRAMES = 15

# Two frames this close are found by each other's code: it is the threshold of matching.
SAME_BITS = 31


def further_frames(
    frames: Iterable[DecodedPicture], *, first: PhotoCodes, method: Method
) -> Iterator[tuple[str, PhotoCodes]]:
    """Name and codes of each frame that differs from those before it and has enough detail.

    frames: without the first. A name is "@12.500", the second at which the frame is shown; pages, which are
    not shown at a time, are counted instead: "@1.000" is the second page.
    """
    kept = [first.pdq.code()]
    for number, picture in enumerate(frames, start=1):
        _, codes = certain_scan(
            picture.strips, width=picture.width, height=picture.height, step=picture.step, method=method
        )
        code = codes.pdq.code()
        if codes.pdq.quality < MIN_QUALITY or any(
            _differing_bits(code, other) <= SAME_BITS for other in kept
        ):
            continue
        kept.append(code)
        yield f"@{picture.at_seconds or number:.3f}", codes
        if len(kept) > MAX_FURTHER_FRAMES:
            return


def _differing_bits(a: bytes, b: bytes) -> int:
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()
