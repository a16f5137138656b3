"""The child of the second look's pool: reads a stranger's picture, answers with its corners or a small copy.

Started as `python -m staydown.matching.second_look_worker LIMITS`; before it reads anything it takes away its
own means, as the worker of fingerprint does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from staydown.fingerprint import decode_picture
from staydown.fingerprint.frames import Request
from staydown.fingerprint.worker import Handler, Limits, serve
from staydown.matching.second_look_answers import MAX_PIXELS_SIDE, pack_features, pack_pixels
from staydown.matching.second_look_features import TURNS, features_of, fitting, opencv, reduced


def features(request: Request, limits: Limits, _answers: BinaryIO) -> bytes:
    """{"do": "features", "turns": 1 | 4}: the corners for the first so many of TURNS."""
    picture = decode_picture(request.body, limits=limits[0], reduce=True)
    return pack_features(features_of(picture, turns=TURNS[: request.header["turns"]]))


def pixels(request: Request, limits: Limits, _answers: BinaryIO) -> bytes:
    """{"do": "pixels", "side": s, "square": bool}: RGB, the longer side at most s, or exactly s by s."""
    picture = decode_picture(request.body, limits=limits[0], reduce=True)
    side = min(int(request.header["side"]), MAX_PIXELS_SIDE)
    width, height = (
        (side, side) if request.header["square"] else fitting(picture.width, picture.height, side=side)
    )
    small = reduced(picture.strips(), width=width, height=height)
    return pack_pixels(np.repeat(small, 3, axis=2) if small.shape[2] == 1 else small)


HANDLERS: Mapping[str, Handler] = {"features": features, "pixels": pixels}


if __name__ == "__main__":
    opencv().setNumThreads(1)  # each thread would reserve address space, and the pool has its own processes
    serve(HANDLERS)
