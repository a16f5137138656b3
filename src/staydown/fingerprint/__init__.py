"""Media in, fingerprints out: PDQ at two scales, digests, and a sandbox for files from strangers.

Pure: no Django, no network, nothing stored. The native kernel's readable twin is `reference.py`.
"""

from staydown.fingerprint.decode import DecodedPicture, decode_picture
from staydown.fingerprint.errors import (
    DamagedFile,
    DecoderCrashed,
    DecodeTimedOut,
    EmptyFile,
    FileTooLarge,
    FingerprintError,
    MalformedFingerprint,
    NotFingerprintable,
    SandboxUnavailable,
    TooManyPixels,
    TooSmall,
    UnknownFormat,
)
from staydown.fingerprint.limits import DEFAULT_LIMITS, DecodeLimits
from staydown.fingerprint.media import digest_file, fingerprint_file, fingerprint_image
from staydown.fingerprint.sandbox import SandboxPool
from staydown.fingerprint.terms import (
    DERIVATIONS,
    MIN_QUALITY,
    Algorithm,
    Digests,
    Fingerprint,
    MediaFingerprints,
    distance_bits,
)

__all__ = [
    "DEFAULT_LIMITS",
    "DERIVATIONS",
    "MIN_QUALITY",
    "Algorithm",
    "DamagedFile",
    "DecodeLimits",
    "DecodeTimedOut",
    "DecodedPicture",
    "DecoderCrashed",
    "Digests",
    "EmptyFile",
    "FileTooLarge",
    "Fingerprint",
    "FingerprintError",
    "MalformedFingerprint",
    "MediaFingerprints",
    "NotFingerprintable",
    "SandboxPool",
    "SandboxUnavailable",
    "TooManyPixels",
    "TooSmall",
    "UnknownFormat",
    "decode_picture",
    "digest_file",
    "distance_bits",
    "fingerprint_file",
    "fingerprint_image",
]
