"""Every limit of the upload check, each with its reason. Refuses nothing by itself; the other modules do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from staydown.fingerprint import DEFAULT_LIMITS, DecodeLimits, QueryLevel
from staydown.fingerprint.limits import MEBIBYTE
from staydown.fingerprint.video_limits import VideoLimits
from staydown.match_api.fetch_hosts import FetchHost
from staydown.matching import DEFAULT_THRESHOLD_BITS

KIBIBYTE = 1024


UPLOADED_VIDEO_LIMITS = VideoLimits(seconds=120.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchApiSettings:
    """How one upload-check process is set. Only `data_dir` must be given."""

    data_dir: Path
    """Where the database side leaves the bank journal and the token file, and where checks are recorded."""

    query_level: QueryLevel = QueryLevel.GEO9
    """How hard a picture is looked at. `geo9` finds copies inside borders, screenshots and collages for a few
    milliseconds more and up to nine searches instead of two; figures in docs/reference/api.md. `plain` is for
    platforms that cannot spend those, `deep` for queues that nobody waits in."""

    decode_workers: int = 1
    """Decoding processes. One keeps one core busy; give as many as there are cores to spare."""

    decode_limits: DecodeLimits = DEFAULT_LIMITS
    """What reading one picture may cost; the reasons stand beside its fields."""

    video_workers: int = 1
    """Processes for videos, beside those for pictures: a video takes seconds, and no picture waits for it."""

    video_limits: VideoLimits = UPLOADED_VIDEO_LIMITS
    """What reading one video may cost. The largest that fits into a body is some ten minutes long, and a
    lookup reads 720p at ten times that speed; a platform waits as long."""

    max_waiting_files: int = 16
    """Pictures that may wait for a decoding process. An ordinary phone picture takes about 0.1 s, so the last
    in the queue waits less than two seconds; beyond that a platform is better told to come back (429)."""

    max_waiting_videos: int = 4
    """The same for videos: with half a minute each, the last one waits for two."""

    max_body_bytes: int = 65 * MEBIBYTE
    """The largest body with a picture: the picture's own limit (64 MiB) and room for the form around it."""

    max_held_bytes: int = 256 * MEBIBYTE
    """Bodies held in memory at one time, all requests together: four of the largest, or some hundred
    ordinary pictures. Beyond that a platform is told to come back (429) instead of memory running out."""

    max_json_bytes: int = 768 * KIBIBYTE
    """A check by fingerprints is about 500 bytes, at most 5 kB more of views and 3 kB of names; the frames of
    a video are up to 650 kB. The rest is room to grow."""

    max_batch_bytes: int = 4 * MEBIBYTE
    """A thousand lines (below) of 4 kB each, the longest that one check can sensibly be."""

    max_batch_lines: int = 1000
    """A code takes up to about a millisecond to search in a bank of some millions of codes: a thousand lines
    of one keep a batch near a second, and nobody gains much from larger ones."""

    batch_codes_at_once: int = 50
    """Codes of a batch that are searched before other requests get a turn: some tens of milliseconds."""

    body_seconds: float = 60.0
    """Time for a whole body to arrive. The largest in a minute is 9 Mbit/s; a platform's server has that."""

    max_parts: int = 16
    """Parts of a form. Three are understood; the others are skipped, and this ends a form without end."""

    max_distance_bits: int = DEFAULT_THRESHOLD_BITS
    """How far a near match may be; the source stands in matching/rules.py."""

    max_matches_told: int = 100
    """Matches listed in one answer, the strictest first. The action is decided over all of them. A hundred
    are about 20 kB; an answer without bound would be a way to make us and the SDK swell."""

    idempotency_seconds: float = 600.0
    """How long an answer is kept for a repeated request. The SDK gives up within a minute; ten cover a
    queue that tries again."""

    max_idempotent_answers: int = 4096
    """Answers kept for that: about 2 MB, at most (a hundred matches each) 80 MB. The oldest go first."""

    refresh_seconds: float = 0.2
    """How often the bank is looked after while no request comes. One stat when nothing changed; a request
    looks by itself, so this only keeps the first one after a pause short."""

    retry_unreadable_seconds: float = 5.0
    """How often a bank journal that could not be read is tried again, from its beginning."""

    retry_after_seconds: int = 1
    """What 429 and 503 ask a platform to wait: about what one place in the queue takes to come free."""

    fetch_hosts: tuple[FetchHost, ...] = ()
    """From where media may be fetched for a `media_url`; none, which is off. See fetch_hosts.py."""

    fetch_seconds: float = 20.0
    """Time for a fetch with its redirects: 64 MiB at 27 Mbit/s. Shorter than `body_seconds`, because the
    sender of a body is already connected, and whoever waits for this holds a connection to us."""

    max_fetches: int = 8
    """Fetches at one time. They hold memory as bodies do, and a slow host must not take all of it."""

    metrics_open: bool = False
    """Whether callers on this machine see metrics and the health page without a token."""

    @property
    def bank_journal_path(self) -> Path:
        """The bank as the database side tells it."""
        return self.data_dir / "bank.journal"

    @property
    def tokens_path(self) -> Path:
        """Digests of the tokens that are good."""
        return self.data_dir / "tokens.json"

    @property
    def checks_dir(self) -> Path:
        """What was checked and found, for the database side."""
        return self.data_dir / "checks"
