"""Damages files as accidents and attackers do: the same damage for the same number, on every machine.

Knows just enough of each format to get past its first check: a PNG's checksums are made right again, and
lengths and counts are lied about where they stand.
"""

import random
import re
import struct
import zlib
from collections.abc import Callable, Sequence

_NUMBERS = (0, 1, 2, 4, 5, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF)
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_DAMAGES = 6

# Where lengths and counts stand: before a box or chunk's name, behind a RIFF chunk's name or a JPEG's marker.
_NAMES = re.compile(rb"[A-Za-z][A-Za-z0-9]{3}")
_MARKERS = re.compile(rb"\xff[\xc0-\xfe]")


def mutated(seeds: Sequence[bytes], *, number: int) -> tuple[int, bytes]:
    """Which of the seeds was damaged, and the damaged file. The number decides everything."""
    chance = random.Random(number)
    which = chance.randrange(len(seeds))
    data = bytearray(seeds[which])
    for _ in range(1 + int(chance.expovariate(0.7)) % _MOST_DAMAGES):
        chance.choice(_DAMAGES)(
            data, chance, seeds[which if chance.random() < 0.6 else chance.randrange(len(seeds))]
        )
        if not data:
            data += b"\0"
    if data.startswith(_PNG) and chance.random() < 0.9:
        data = _with_checksums(data)
    return which, bytes(data)


def _flip_bits(data: bytearray, chance: random.Random, _: bytes) -> None:
    for _n in range(chance.choice((1, 1, 1, 2, 8, 64))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _set_byte(data: bytearray, chance: random.Random, _: bytes) -> None:
    data[chance.randrange(len(data))] = chance.choice((0, 0xFF, 0x7F, 0x80, chance.randrange(256)))


def _set_number(data: bytearray, chance: random.Random, _: bytes) -> None:
    _put_number(data, chance.randrange(len(data)), chance)


def _put_number(data: bytearray, at: int, chance: random.Random) -> None:
    form = chance.choice((">H", "<H", ">I", "<I"))
    value = chance.choice((*_NUMBERS, len(data), chance.getrandbits(32)))
    raw = struct.pack(form, value & (0xFFFF if form[1] == "H" else 0xFFFFFFFF))
    at = max(0, min(at, len(data) - len(raw)))
    data[at : at + len(raw)] = raw


def _lie_about_a_length(data: bytearray, chance: random.Random, _: bytes) -> None:
    places = [match.start() + offset for match in _NAMES.finditer(data) for offset in (-4, 4)]
    places += [match.end() for match in _MARKERS.finditer(data)]
    if places:
        _put_number(data, chance.choice(places), chance)


def _lie_near_the_front(data: bytearray, chance: random.Random, _: bytes) -> None:
    _put_number(data, int(chance.expovariate(1 / 24)), chance)


def _lie_in_a_directory(data: bytearray, chance: random.Random, _: bytes) -> None:
    mark = max(data.find(b"II*\0"), data.find(b"II+\0"))
    order = "<" if mark >= 0 else ">"
    if mark < 0:
        mark = max(data.find(b"MM\0*"), data.find(b"MM\0+"))
    if mark < 0 or mark + 8 > len(data):
        return
    (first,) = struct.unpack_from(order + "I", data, mark + 4)
    if mark + first + 2 > len(data):
        return
    (count,) = struct.unpack_from(order + "H", data, mark + first)
    at = mark + first + 2 + 12 * chance.randrange(max(1, min(count, 64))) + chance.choice((0, 2, 4, 8))
    _put_number(data, at, chance)


def _cut_off(data: bytearray, chance: random.Random, _: bytes) -> None:
    del data[1 + chance.randrange(len(data)) :]


def _stretch(data: bytearray, chance: random.Random) -> tuple[int, int]:
    begin = chance.randrange(len(data))
    return begin, min(len(data), begin + 1 + int(chance.expovariate(1 / 40)))


def _remove(data: bytearray, chance: random.Random, _: bytes) -> None:
    begin, end = _stretch(data, chance)
    del data[begin:end]


def _repeat(data: bytearray, chance: random.Random, _: bytes) -> None:
    begin, end = _stretch(data, chance)
    data[end:end] = data[begin:end] * chance.choice((1, 1, 2, 20))


def _insert(data: bytearray, chance: random.Random, _: bytes) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.randbytes(chance.choice((1, 2, 4, 30)))


def _splice(data: bytearray, chance: random.Random, other: bytes) -> None:
    if other:
        begin, end = _stretch(bytearray(other), chance)
        at = chance.randrange(len(data) + 1)
        data[at : at + chance.choice((0, end - begin))] = other[begin:end]


def _cross(data: bytearray, chance: random.Random, other: bytes) -> None:
    at = chance.randrange(len(data))
    data[at:] = other[min(at, len(other)) :]


def _exchange_blocks(data: bytearray, chance: random.Random, _: bytes) -> None:
    begin, end = _stretch(data, chance)
    moved = bytes(data[begin:end])
    del data[begin:end]
    at = chance.randrange(len(data) + 1)
    data[at:at] = moved


_DAMAGES: tuple[Callable[[bytearray, random.Random, bytes], None], ...] = (
    _flip_bits, _flip_bits, _set_byte, _set_number, _lie_about_a_length, _lie_about_a_length,
    _lie_near_the_front, _lie_in_a_directory, _cut_off, _remove, _repeat, _insert, _splice, _cross,
    _exchange_blocks,
)  # fmt: skip


def _with_checksums(data: bytearray) -> bytearray:
    """The PNG with the checksum of each chunk made right."""
    at = len(_PNG)
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4])
        if end + 4 > len(data):
            break
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
        at = end + 4
    return data
