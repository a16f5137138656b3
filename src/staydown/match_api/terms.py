"""What is sent and answered, as msgspec types; the API description is generated from them.

Members that are not named here are tolerated and ignored, so that a newer SDK can talk to an older server.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from staydown.fingerprint import DERIVATIONS, Algorithm, Fingerprint, QueryLevel, QueryView
from staydown.fingerprint.terms import MIN_QUALITY
from staydown.fingerprint.video_terms import FrameFingerprint, frame_derivation
from staydown.matching import Action, EntryState, Match, MatchKind
from staydown.matching.find_video import codes_of_frames
from staydown.matching.terms import Stretch
from staydown.matching.video import FrameCodes

WHOLE = DERIVATIONS[0]

# The length is given beside the pattern because `$` lets a trailing line feed through.
CodeHex = Annotated[
    str,
    Meta(
        pattern="^[0-9a-fA-F]{64}$", min_length=64, max_length=64, description="64 hex digits of either case."
    ),
]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$", min_length=64, max_length=64)]
Md5 = Annotated[str, Meta(pattern="^[0-9a-fA-F]{32}$", min_length=32, max_length=32)]
Quality = Annotated[
    int, Meta(ge=0, le=100, description="How much detail the picture has; below 50 nothing near is sought.")
]

ViewName = Annotated[
    str,
    Meta(
        pattern=r"^([a-z][a-z0-9-]{0,15}|@[0-9]{1,6}\.[0-9]{3})$(?!\n)",
        max_length=16,
        description="Which part of the picture; told again with a match. staydown.fingerprint calls them "
        "strip, interface, cut1 to cut6, and @12.500 the frame of a moving picture after 12.5 seconds.",
    ),
]

# Views of one check: the deepest level of staydown.fingerprint has 18, a moving picture 15 more. Each is a
# search, 0.2 ms in a bank of 100,000 entries.
MAX_VIEWS = 40

# Codes of a video's frames: the 512 frames that a lookup takes at most, with up to ten parts each.
MAX_FRAME_CODES = 5120
# Frames of it that the catalog keeps: as many as are registered of a video.
MAX_KEPT_FRAMES = 64

# As long as the catalog can keep them (catalog/models.py). Part of the API, so not a setting.
MAX_CONTENT_ID_CHARACTERS = 200
MAX_CONTENT_URL_CHARACTERS = 2000
# Signed addresses of object storage have up to some 1,500 characters.
MAX_MEDIA_URL_CHARACTERS = 4000


class SentCode(msgspec.Struct, frozen=True):
    """The code of the whole picture, neither turned nor mirrored."""

    hex: CodeHex
    quality: Quality


class SentView(msgspec.Struct, frozen=True):
    """The `pdq` code of a part of the picture, as `staydown.fingerprint.query_image` computes it."""

    name: ViewName
    hex: CodeHex
    quality: Quality


class SentFrame(msgspec.Struct, frozen=True):
    """The `pdq` code of a frame of a video, or of a part of it: `staydown.fingerprint.video.query_video`."""

    at_seconds: Annotated[float, Meta(ge=0, lt=1e6, description="When the frame is shown.")]
    hex: CodeHex
    quality: Quality
    name: ViewName = "full"


class SentFingerprints(msgspec.Struct, frozen=True):
    """What a platform computed itself; at least one of `pdq`, `pdq512`, `sha256` and `md5`."""

    pdq: SentCode | None = None
    pdq512: SentCode | None = None
    sha256: Sha256 | None = None
    md5: Md5 | None = None
    views: (
        Annotated[
            list[SentView],
            Meta(
                max_length=MAX_VIEWS,
                description="Parts of the picture in which an original may lie: inside a border, a "
                "screenshot, a collage. With them a check finds edited copies; without them only whole ones.",
            ),
        ]
        | None
    ) = None
    frames: (
        Annotated[
            list[SentFrame],
            Meta(
                max_length=MAX_FRAME_CODES,
                description="Of a video. Two distinct frames must match, or one if a picture was registered.",
            ),
        ]
        | None
    ) = None


class CheckRequest(msgspec.Struct, frozen=True):
    """A check by fingerprints, or of the media at an address: one of the two.

    With both content members, the item can be found again later.
    """

    fingerprints: SentFingerprints | None = None
    media_url: (
        Annotated[
            str,
            Meta(
                max_length=MAX_MEDIA_URL_CHARACTERS,
                description="Where to fetch the media; off unless the installation names the host.",
            ),
        ]
        | None
    ) = None
    level: (
        Annotated[
            QueryLevel,
            Meta(description="How hard media is looked at; not beside fingerprints, which have their level."),
        ]
        | None
    ) = None
    content_id: Annotated[str, Meta(max_length=MAX_CONTENT_ID_CHARACTERS)] | None = None
    content_url: Annotated[str, Meta(max_length=MAX_CONTENT_URL_CHARACTERS)] | None = None


class ToldStretch(msgspec.Struct, frozen=True):
    """Which part of an uploaded video matches, in seconds: the first and the last frame that did."""

    upload_seconds: tuple[float, float]
    entry_seconds: tuple[float, float] | None
    """None if the entry is a picture."""
    frames: int

    @classmethod
    def of(cls, stretch: Stretch) -> ToldStretch:
        """The stretch as it is told."""
        return cls(stretch.upload_seconds, stretch.entry_seconds, stretch.frames)


class ToldMatch(msgspec.Struct, frozen=True):
    """One entry of the bank that the upload matches, and the rule that says what follows."""

    entry_id: str
    kind: MatchKind
    distance_bits: Annotated[int, Meta(ge=0, le=256)]
    derivation: str
    bank: str
    state: EntryState
    rule: str
    view: Annotated[str, Meta(description="Which part of the upload matched: full, strip, cut1 ...")]
    stretch: ToldStretch | msgspec.UnsetType = msgspec.UNSET
    """Only of a video that is near."""

    @classmethod
    def of(cls, match: Match) -> ToldMatch:
        """The match as it is told."""
        return cls(
            entry_id=match.entry_id,
            kind=match.kind,
            distance_bits=match.distance_bits,
            derivation=match.derivation,
            bank=match.bank,
            state=match.state,
            rule=match.rule,
            view=match.view,
            stretch=ToldStretch.of(match.stretch) if match.stretch else msgspec.UNSET,
        )


class ToldCost(msgspec.Struct, frozen=True):
    """What a check cost: at which level media was looked at, and how many codes were sought."""

    level: QueryLevel | None
    """None if fingerprints were sent."""
    codes_sought: int


class CheckAnswer(msgspec.Struct, frozen=True):
    """What to do with the upload, and why. At most a hundred matches are listed, the strictest first."""

    action: Action
    matches: list[ToldMatch]
    check_id: str
    cost: ToldCost


class DegradedAnswer(msgspec.Struct, frozen=True):
    """No check was made: the action is what the caller wished for that case, and nothing is recorded."""

    action: Action
    degraded_reason: str
    degraded: Literal[True] = True
    matches: list[ToldMatch] = []
    check_id: None = None


class FingerprintAnswer(msgspec.Struct, frozen=True):
    """What the media is compared by, in the form in which a check takes it."""

    media: str
    width: int
    height: int
    fingerprints: SentFingerprints
    cost: ToldCost


class ProblemAnswer(msgspec.Struct, frozen=True):
    """RFC 9457 problem details; `type` is for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str


@dataclass(frozen=True, slots=True)
class Upload:
    """What is known of one upload, whichever way it came."""

    views: tuple[QueryView, ...]
    """What it is compared by. Of media, the view "full" has the turned and mirrored codes too."""
    sha256: str | None
    md5: str | None
    frames: tuple[FrameFingerprint, ...] = ()
    """Of a video: codes of frames, or of parts of them, whose names are the codes' derivations."""
    content_id: str | None = None
    content_url: str | None = None
    media: str | None = None
    """"image" or "video" if the media itself was sent, otherwise None."""
    level: QueryLevel | None = None
    """How hard the media was looked at; None if fingerprints were sent."""

    def sought(self) -> tuple[QueryView, ...]:
        """The codes to seek in the bank: as they are, because the bank holds the turned and mirrored ones."""
        return tuple(view for view in self.views if view.fingerprint.derivation == WHOLE)

    def cost(self) -> ToldCost:
        """What is told of the search. Codes of too little detail are not sought."""
        views = sum(
            view.fingerprint.quality >= MIN_QUALITY and view.fingerprint.derivation == WHOLE
            for view in self.views
        )
        frames = sum(frame.fingerprint.quality >= MIN_QUALITY for frame in self.frames)
        return ToldCost(self.level, views + frames)

    def kept(self) -> tuple[Fingerprint, ...]:
        """The codes of the whole picture that the catalog keeps, with its turns.

        Not those of its parts: of most uploads nobody ever asks again, and each further code of a picture
        tells more of it (docs/explanation/what-a-fingerprint-can-leak.md).
        """
        return tuple(view.fingerprint for view in self.views if view.name == WHOLE)

    def kept_frames(self) -> tuple[Fingerprint, ...]:
        """The codes of some whole frames that the catalog keeps, each with its time as its derivation."""
        if not self.frames and len(self.views) < 2:
            return ()  # most are pictures, sent as one code
        moving = (view for view in self.views if view.name.startswith("@"))
        whole = [frame for frame in self.frames if frame.fingerprint.derivation == WHOLE]
        step = max(1, -(-len(whole) // MAX_KEPT_FRAMES))  # spread over the video
        return (
            *(replace(view.fingerprint, derivation=view.name) for view in moving),
            *(
                replace(frame.fingerprint, derivation=frame_derivation(frame.at_seconds))
                for frame in whole[::step]
            ),
        )

    def frame_codes(self) -> FrameCodes:
        """The codes of the frames as they are sought."""
        return codes_of_frames(self.frames)


def sent_form(upload: Upload) -> SentFingerprints:
    """What was found in media, in the form in which a check by fingerprints is sent."""
    whole = {
        view.fingerprint.algorithm: SentCode(view.fingerprint.hex, view.fingerprint.quality)
        for view in upload.sought()
        if view.name == WHOLE
    }
    parts = [
        SentView(view.name, view.fingerprint.hex, view.fingerprint.quality)
        for view in upload.sought()
        if view.name != WHOLE
    ]
    frames = [
        SentFrame(
            frame.at_seconds, frame.fingerprint.hex, frame.fingerprint.quality, frame.fingerprint.derivation
        )
        for frame in upload.frames
        if frame.fingerprint.derivation not in DERIVATIONS[1:]
    ]
    return SentFingerprints(
        pdq=whole.get(Algorithm.PDQ),
        pdq512=whole.get(Algorithm.PDQ512),
        sha256=upload.sha256,
        md5=upload.md5,
        views=parts or None,
        frames=frames or None,
    )
