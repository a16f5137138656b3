"""Media in, fingerprints out: PDQ at two scales, digests, and a sandbox for files from strangers.

Pure: no Django, no network, nothing stored. The native kernel's readable twin is `reference.py`.
"""

from staydown.fingerprint.decode import DecodedPicture, decode_frames, decode_picture
from staydown.fingerprint.errors import (
    DamagedFile,
    DecoderCrashed,
    DecodeTimedOut,
    EmptyFile,
    FileTooLarge,
    FingerprintError,
    MalformedFingerprint,
    NotAFile,
    NotFingerprintable,
    SandboxUnavailable,
    TooManyParts,
    TooManyPixels,
    TooSmall,
    UnknownFormat,
)
from staydown.fingerprint.limits import DEFAULT_LIMITS, DecodeLimits
from staydown.fingerprint.media import digest_file, fingerprint_file, fingerprint_image
from staydown.fingerprint.query import query_image
from staydown.fingerprint.sandbox import SandboxPool
from staydown.fingerprint.terms import (
    DERIVATIONS,
    MIN_QUALITY,
    Algorithm,
    Digests,
    Fingerprint,
    MediaFingerprints,
    QueryFingerprints,
    QueryLevel,
    QueryView,
    distance_bits,
)
from staydown.fingerprint.views import DEFAULT_SET, DERIVATION_SETS, DerivationSet, is_derivation

__all__ = [
    "DEFAULT_LIMITS",
    "DEFAULT_SET",
    "DERIVATIONS",
    "DERIVATION_SETS",
    "MIN_QUALITY",
    "Algorithm",
    "DamagedFile",
    "DecodeLimits",
    "DecodeTimedOut",
    "DecodedPicture",
    "DecoderCrashed",
    "DerivationSet",
    "Digests",
    "EmptyFile",
    "FileTooLarge",
    "Fingerprint",
    "FingerprintError",
    "MalformedFingerprint",
    "MediaFingerprints",
    "NotAFile",
    "NotFingerprintable",
    "QueryFingerprints",
    "QueryLevel",
    "QueryView",
    "SandboxPool",
    "SandboxUnavailable",
    "TooManyParts",
    "TooManyPixels",
    "TooSmall",
    "UnknownFormat",
    "decode_frames",
    "decode_picture",
    "digest_file",
    "distance_bits",
    "fingerprint_file",
    "fingerprint_image",
    "is_derivation",
    "query_image",
]
