"""One file named on the command line to its fingerprints, in the sandbox. Refuses pipes and devices.

A video is told from a picture by its first bytes. Where the extra for videos is not installed, it still has
its digests, which find exact copies.
"""

from pathlib import Path

from staydown.cli.output import Line
from staydown.cli.working import Tell
from staydown.fingerprint import (
    MediaFingerprints,
    NotFingerprintable,
    QueryFingerprints,
    QueryLevel,
    SandboxPool,
    digest_file,
)
from staydown.fingerprint.errors import VideoUnavailable
from staydown.fingerprint.formats import HEAD_BYTES, is_video
from staydown.fingerprint.limits import DEFAULT_LIMITS
from staydown.fingerprint.media import read_source
from staydown.fingerprint.sources import open_regular
from staydown.fingerprint.terms import Digests
from staydown.fingerprint.video_terms import VideoFingerprints


def registered(
    path: Path, *, pool: SandboxPool, derive: str, tell: Tell
) -> MediaFingerprints | VideoFingerprints:
    """What would be registered of a file. Raises NotFingerprintable, SandboxUnavailable, OSError."""
    found = _bytes_or_digests(path)
    if isinstance(found, bytes):
        return pool.fingerprint(found, derive)
    try:
        return pool.video(path, tell)
    except VideoUnavailable:
        return MediaFingerprints("video", found, None, None, ())


def sought(
    path: Path, *, pool: SandboxPool, level: QueryLevel, tell: Tell
) -> QueryFingerprints | VideoFingerprints:
    """What a file is looked up by. Raises as `registered`."""
    found = _bytes_or_digests(path)
    if isinstance(found, bytes):
        return pool.query(found, level)
    try:
        return pool.query_video(path, tell, level)
    except VideoUnavailable:
        return QueryFingerprints("video", found, 0, 0, ())


def _bytes_or_digests(path: Path) -> bytes | Digests:
    """A picture's bytes, or a video's digests."""
    with open_regular(path) as file:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        return digest_file(file) if is_video(head) else read_source(file, limits=DEFAULT_LIMITS)


def trouble_of(path: Path, error: NotFingerprintable | OSError) -> Line:
    """The line of a file that could not be read."""
    if isinstance(error, NotFingerprintable):
        sentence = str(error)
    elif isinstance(error, FileNotFoundError):
        sentence = "There is no such file."
    else:
        sentence = f"The file cannot be opened: {error.strerror}."
    return {"path": str(path), "error": sentence}
