"""What the sandbox and its children say to each other: length-prefixed frames of bytes, answers in JSON.

Refuses pickle, because a child that reads hostile files must not be able to make its parent run anything.
A frame is eight bytes of length, big-endian, then the body.
"""

import json
from typing import Any, BinaryIO

from staydown.fingerprint.errors import REFUSALS, NotFingerprintable
from staydown.fingerprint.terms import Algorithm, Fingerprint

PREFIX_BYTES = 8
MAX_ANSWER_BYTES = 64 * 1024  # sixteen fingerprints take about 2 KB

PhotoAnswer = tuple[int, int, tuple[Fingerprint, ...]]


class BrokenAnswer(ValueError):
    """The child's answer is not of the agreed form; only sandbox.py sees this, and ends the child."""


def frame_prefix(length: int) -> bytes:
    """The eight bytes in front of a body of this length."""
    return length.to_bytes(PREFIX_BYTES)


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame's body, or None at the end of the stream."""
    prefix = stream.read(PREFIX_BYTES)
    if len(prefix) < PREFIX_BYTES:
        return None
    length = int.from_bytes(prefix)
    body = stream.read(length)
    return body if len(body) == length else None


def write_frame(stream: BinaryIO, body: bytes) -> None:
    """Writes one frame and flushes it."""
    stream.write(frame_prefix(len(body)) + body)
    stream.flush()


def pack_photo(answer: PhotoAnswer) -> bytes:
    """A child's answer to a picture."""
    width, height, fingerprints = answer
    codes = [[f.algorithm.value, f.derivation, f.quality, f.hex] for f in fingerprints]
    return json.dumps({"width": width, "height": height, "codes": codes}).encode()


def pack_refusal(refusal: NotFingerprintable) -> bytes:
    """A child's answer to a file that has no fingerprint."""
    return json.dumps({"refused": refusal.slug, "sentence": str(refusal)}).encode()


def unpack(body: bytes) -> PhotoAnswer | NotFingerprintable:
    """The answer in a frame, every field checked. Raises BrokenAnswer."""
    try:
        fields: dict[str, Any] = json.loads(body)
        if "refused" in fields:
            return REFUSALS[fields["refused"]](str(fields["sentence"])[:500])
        fingerprints = tuple(
            Fingerprint(Algorithm(algorithm), bytes.fromhex(code), int(quality), str(derivation))
            for algorithm, derivation, quality, code in fields["codes"]
        )
        return int(fields["width"]), int(fields["height"]), fingerprints
    except Exception as error:  # whatever a taken-over child makes up
        raise BrokenAnswer from error
