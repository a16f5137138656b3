"""Files in, fingerprints out. Keeps no pixel and no name; refuses videos where a picture is asked for."""

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from staydown.fingerprint.decode import check_bytes, decode_frames
from staydown.fingerprint.errors import UnknownFormat
from staydown.fingerprint.formats import HEAD_BYTES, is_video
from staydown.fingerprint.further_frames import further_frames
from staydown.fingerprint.kernel import Method, scan_strips
from staydown.fingerprint.limits import DEFAULT_LIMITS, DecodeLimits
from staydown.fingerprint.registration import derived_fingerprints, needs_plane
from staydown.fingerprint.sources import open_regular
from staydown.fingerprint.terms import Algorithm, Digests, Fingerprint, MediaFingerprints
from staydown.fingerprint.views import DEFAULT_SET, DERIVATION_SETS

Source = Path | str | bytes | BinaryIO

_CHUNK_BYTES = 1 << 20  # one read of a file that is only digested: large enough to hide the system call


def fingerprint_image(
    source: Source, *, limits: DecodeLimits = DEFAULT_LIMITS, derive: str = DEFAULT_SET
) -> MediaFingerprints:
    """What is registered of one picture: its digests and the codes of a derivation set, in this process.

    derive: a name in DERIVATION_SETS. The whole picture's codes equal `pdqhash` bit for bit.
    For files from strangers use SandboxPool, which gives the same and survives a hostile decoder input.
    Raises a NotFingerprintable (a video is UnknownFormat here); OSError if the file cannot be opened.
    """
    data = read_source(source, limits=limits)
    width, height, fingerprints = photo_fingerprints(data, limits=limits, derive=derive)
    return MediaFingerprints("image", digests_of_bytes(data), width, height, fingerprints)


def fingerprint_file(
    source: Source,
    *,
    limits: DecodeLimits = DEFAULT_LIMITS,
    fingerprint_bytes: Callable[[bytes], MediaFingerprints] | None = None,
) -> MediaFingerprints:
    """A picture as `fingerprint_image`; a video of a known type by its digests alone, whatever its length.

    fingerprint_bytes: what to do with a picture's bytes instead, usually a SandboxPool's `fingerprint`.
    Raises as `fingerprint_image`.
    """
    with open_source(source) as file:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        if is_video(head):
            return MediaFingerprints("video", digest_file(file), None, None, ())
        data = read_source(file, limits=limits)
    if fingerprint_bytes is not None:
        return fingerprint_bytes(data)
    return fingerprint_image(data, limits=limits)


def photo_fingerprints(
    data: bytes, *, limits: DecodeLimits, derive: str = DEFAULT_SET
) -> tuple[int, int, tuple[Fingerprint, ...]]:
    """Upright width, height and the fingerprints of a picture's bytes: the sandbox's work.

    The set's codes are of the first frame or page; of further ones that differ there are "@SECONDS" and,
    where the set has it, the mirrored code. Raises NotFingerprintable; KeyError for an unknown set.
    """
    derivation_set = DERIVATION_SETS[derive]
    if is_video(data[:HEAD_BYTES]):
        raise UnknownFormat("This is a video, not a picture.")
    frames = decode_frames(data, limits=limits)
    picture = next(frames)
    width, height = picture.width, picture.height
    scan, codes = scan_strips(
        picture.strips(), width=width, height=height, keeps_plane=needs_plane(derivation_set)
    )
    fingerprints = derived_fingerprints(scan, codes, derivation_set, width=width, height=height)
    turns = [turn for turn in ("full", "fH") if turn in derivation_set.derivations[Algorithm.PDQ]]
    further = [
        Fingerprint(
            Algorithm.PDQ,
            frame.pdq.code(turn),
            frame.pdq.quality,
            name if turn == "full" else f"{name}~{turn}",
        )
        for name, frame in further_frames(frames, first=codes, method=Method.EXACT)
        for turn in turns
    ]
    return width, height, (*fingerprints, *further)


def digest_file(source: Source) -> Digests:
    """SHA-256 and MD5 of a file of any length, read in parts. Raises OSError if it cannot be opened."""
    # hashlib, not our kernel: OpenSSL uses the processor's SHA instructions. MD5 is no protection here,
    # only the key under which partners list exact copies; hence it must also work where MD5 is forbidden
    # for security.
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with open_source(source) as file:
        while chunk := file.read(_CHUNK_BYTES):
            sha256.update(chunk)
            md5.update(chunk)
    return Digests(sha256=sha256.hexdigest(), md5=md5.hexdigest())


def digests_of_bytes(data: bytes) -> Digests:
    """SHA-256 and MD5 of bytes in memory."""
    return digest_file(io.BytesIO(data))


@contextmanager
def open_source(source: Source) -> Iterator[BinaryIO]:
    """The source as a binary file; closed afterwards if it was opened here."""
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif isinstance(source, str | os.PathLike):
        with open_regular(source) as file:
            yield file
    else:
        yield source


def read_source(source: Source, *, limits: DecodeLimits) -> bytes:
    """The source's bytes, never more than the limit and one. Raises EmptyFile, FileTooLarge, OSError."""
    if isinstance(source, bytes):
        data = source
    else:
        with open_source(source) as file:
            data = file.read(limits.max_bytes + 1)
    check_bytes(len(data), limits=limits)
    return data
