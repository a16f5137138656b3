"""The child of the second look's pool: reads a stranger's picture, answers with its corners or a small copy.

Started as `python -m staydown.matching.second_look_worker LIMITS`; before it reads anything it takes away its
own means, as the worker of fingerprint does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from staydown.fingerprint import decode_picture
from staydown.fingerprint.frames import Request
from staydown.fingerprint.worker import Handler, Limits, serve
from staydown.matching.second_look_answers import pack_features, pack_pixels
from staydown.matching.second_look_features import TURNS, features_of, opencv, small_copy


def features(request: Request, limits: Limits, _answers: BinaryIO) -> bytes:
    """{"do": "features", "turns": 1 | 4}: the corners for the first so many of TURNS."""
    picture = decode_picture(request.body, limits=limits[0], reduce=True)
    return pack_features(features_of(picture, turns=TURNS[: request.header["turns"]]))


def pixels(request: Request, limits: Limits, _answers: BinaryIO) -> bytes:
    """{"do": "pixels", "fit": "longer" and so on, "side": s}: a small copy in RGB."""
    picture = decode_picture(request.body, limits=limits[0], reduce=True)
    return pack_pixels(small_copy(picture, fit=request.header["fit"], side=request.header["side"]))


HANDLERS: Mapping[str, Handler] = {"features": features, "pixels": pixels}


if __name__ == "__main__":
    opencv().setNumThreads(1)  # each thread would reserve address space, and the pool has its own processes
    serve(HANDLERS)
