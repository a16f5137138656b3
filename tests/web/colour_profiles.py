"""Colour profiles of cameras and screens, written here: three primaries, a white point and one curve.

Source: ICC.1:2022, sections 7 and 10; primaries in the profile's own light (D50).
"""

from __future__ import annotations

import struct

# Red, green and blue as X, Y, Z under D50, as published for these spaces, and the curve's exponent.
DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)), 2.2
ADOBE_RGB = (
    ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
    2.19921875,
)
D50 = (0.9642, 1.0, 0.8249)


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _curve(exponent: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(exponent * 256)) + bytes(2)


def _text(words: str) -> bytes:
    said = words.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(said)) + said + bytes(78)


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, body = b"", b""
    begin = 128 + 4 + 12 * len(tags)
    for sign, content in tags.items():
        table += sign + struct.pack(">II", begin + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12s4s4sI4s4s8sI12s4s44s",
        begin + len(body),
        b"test",
        0x02100000,
        b"mntr",
        space,
        b"XYZ ",
        bytes(12),
        b"acsp",
        bytes(4),
        0,
        bytes(4),
        bytes(4),
        bytes(8),
        0,
        b"".join(struct.pack(">i", round(value * 65536)) for value in D50),
        b"test",
        bytes(44),
    )
    return head + struct.pack(">I", len(tags)) + table + body


def rgb_profile(space: tuple[tuple[tuple[float, ...], ...], float], *, name: str = "test") -> bytes:
    """A profile of three primaries."""
    (red, green, blue), exponent = space
    curve = _curve(exponent)
    tags = {b"desc": _text(name), b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz(D50)}
    tags |= {b"rXYZ": _xyz(red), b"gXYZ": _xyz(green), b"bXYZ": _xyz(blue)}
    return _profile(b"RGB ", tags | {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


def grey_profile(exponent: float = 1.8) -> bytes:
    """A profile of brightness alone."""
    tags = {b"desc": _text("grey"), b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz(D50)}
    return _profile(b"GRAY", tags | {b"kTRC": _curve(exponent)})
