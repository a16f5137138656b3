"""What a second look's child answers in JSON, and the parent's distrust of it: every field is checked.

Refuses corners outside the picture and more of them than are ever taken: a child that was taken over by a
hostile file must not reach beyond that file.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from staydown.fingerprint import NotFingerprintable
from staydown.fingerprint.answers import refusal_of, sides_of
from staydown.fingerprint.frames import BrokenAnswer
from staydown.fingerprint.kernel import Pixels
from staydown.matching.second_look_features import LONG_SIDE, MAX_POINTS, MOST_SMALL_PIXELS, Features

_CODE_BYTES = 32
_ROUNDING_PIXELS = 4  # one pixel of ORB's smallest copy, which is 3.6 times smaller


def pack_features(features: Sequence[Features]) -> bytes:
    """The answer to "features": one picture, one set of corners for each turn."""
    sets = [[_text(one.points.astype("<f4").tobytes()), _text(one.codes.tobytes())] for one in features]
    return json.dumps({"width": features[0].width, "height": features[0].height, "sets": sets}).encode()


def unpack_features(body: bytes, *, count: int) -> tuple[Features, ...] | NotFingerprintable:
    """The answer to "features", which must hold `count` sets. Raises BrokenAnswer."""
    try:
        fields = json.loads(body)
        if "refused" in fields:
            return refusal_of(fields)
        width, height = sides_of(fields)
        if not width or not height or len(fields["sets"]) != count:
            raise BrokenAnswer
        return tuple(_features(width, height, *one) for one in fields["sets"])
    except Exception as error:  # whatever a taken-over child makes up
        raise BrokenAnswer from error


def pack_pixels(pixels: Pixels) -> bytes:
    """The answer to "pixels"."""
    height, width = pixels.shape[:2]
    return json.dumps({"width": width, "height": height, "rgb": _text(pixels.tobytes())}).encode()


def unpack_pixels(body: bytes) -> Pixels | NotFingerprintable:
    """The answer to "pixels": (height, width, 3) uint8, at most MOST_SMALL_PIXELS. Raises BrokenAnswer."""
    try:
        fields = json.loads(body)
        if "refused" in fields:
            return refusal_of(fields)
        width, height = sides_of(fields)
        if not 1 <= width * height <= MOST_SMALL_PIXELS:
            raise BrokenAnswer
        pixels = np.frombuffer(_bytes(fields["rgb"]), np.uint8)
        return pixels.reshape(height, width, 3)
    except Exception as error:
        raise BrokenAnswer from error


def _features(width: int, height: int, points: Any, codes: Any) -> Features:
    # Copies, because OpenCV is handed memory that it may write to.
    places = np.frombuffer(_bytes(points), "<f4").astype(np.float32).reshape(-1, 2)
    around = np.frombuffer(_bytes(codes), np.uint8).reshape(-1, _CODE_BYTES).copy()
    if len(places) != len(around) or len(places) > MAX_POINTS:
        raise BrokenAnswer
    # ORB rounds places on its smaller copies. A comparison with what is no number is false.
    if not ((places > -_ROUNDING_PIXELS) & (places < LONG_SIDE + _ROUNDING_PIXELS)).all():
        raise BrokenAnswer
    return Features(width, height, places, around)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str):
        raise BrokenAnswer
    return base64.b64decode(text, validate=True)
