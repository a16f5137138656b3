"""Media in, fingerprints out: PDQ at two scales, digests, and a sandbox for files from strangers.

Pure: no Django, no network, nothing stored. The native kernel's readable twin is `reference.py`.
"""

from staydown.fingerprint.decode import DecodedPicture, decode_frames, decode_picture
from staydown.fingerprint.errors import (
    AudioOnly,
    DamagedFile,
    DecoderCrashed,
    DecodeTimedOut,
    EmptyFile,
    FileTooLarge,
    FingerprintError,
    MalformedFingerprint,
    NoFrames,
    NotAFile,
    NotFingerprintable,
    SandboxUnavailable,
    TooManyParts,
    TooManyPixels,
    TooSmall,
    UnknownFormat,
    VideoTooLong,
    VideoUnavailable,
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
from staydown.fingerprint.video import fingerprint_video, query_video
from staydown.fingerprint.video_limits import DEFAULT_VIDEO_LIMITS, VideoLimits
from staydown.fingerprint.video_terms import FrameFingerprint, VideoFingerprints
from staydown.fingerprint.views import DEFAULT_SET, DERIVATION_SETS, DerivationSet, is_derivation

__all__ = [
    "DEFAULT_LIMITS",
    "DEFAULT_SET",
    "DEFAULT_VIDEO_LIMITS",
    "DERIVATIONS",
    "DERIVATION_SETS",
    "MIN_QUALITY",
    "Algorithm",
    "AudioOnly",
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
    "FrameFingerprint",
    "MalformedFingerprint",
    "MediaFingerprints",
    "NoFrames",
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
    "VideoFingerprints",
    "VideoLimits",
    "VideoTooLong",
    "VideoUnavailable",
    "decode_frames",
    "decode_picture",
    "digest_file",
    "distance_bits",
    "fingerprint_file",
    "fingerprint_image",
    "fingerprint_video",
    "is_derivation",
    "query_image",
    "query_video",
]
