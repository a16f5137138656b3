"""Which requests hold uploads and what in them is checked: what the ASGI and the WSGI middleware share.

It never lets through what it could not read: whatever is not plain text is checked, and what is ambiguous
refused.
"""

import codecs
import io
import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from staydown.client.errors import FormRefused, RequestRefused, UploadTooLarge
from staydown.client.multipart import BLOCK_BYTES, read_form
from staydown.client.terms import Action, CheckResult

# From here on a body lies in a temporary file: a few dozen uploads at once are then some dozen MB of memory.
SPOOL_BYTES = 1024 * 1024
_STRICTNESS = {Action.ALLOW: 0, Action.HOLD: 1, Action.BLOCK: 2}
_MEDIA_TYPES = ("image/", "video/", "application/octet-stream")
_CONTROLS = bytes(set(range(32)) - {9, 10, 13} | {127})
_NOT_CONTROLS = bytes(set(range(256)) - set(_CONTROLS))
# What the server answers for media that it cannot read: too large, too many pixels, of no format it knows.
UNREADABLE_STATUSES = (413, 415, 422)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRules:
    """Which requests are looked at, and what happens to those that are not simply allowed."""

    paths: Sequence[str] = ("/",)
    """How the paths begin; without regard to case, doubled slashes and dots."""

    methods: frozenset[str] = frozenset({"POST", "PUT", "PATCH"})

    max_bytes: int = 65 * 1024 * 1024
    """The largest body, 413 beyond it. Staydown itself takes pictures of 64 MiB and some room around them."""

    max_parts: int = 100
    """Parts of one form, 400 beyond it. A long form has some dozens of fields."""

    max_files: int = 20
    """Files of one form, 400 beyond it: they are checked one after the other while somebody waits."""

    on_hold: Literal["pass", "refuse"] = "pass"
    """`pass` gives the request to the application, which sees what was held; `refuse` answers 403."""

    on_unreadable: Literal["refuse", "hold", "allow"] = "refuse"
    """What happens to a file that Staydown cannot read as a picture or a video: `refuse` answers 422; the
    others are told to the application as a degraded result with the reason "unreadable"."""


@dataclass(frozen=True, slots=True)
class CheckedPart:
    """One file of a request and what came of it. `name` is the form field's, "" if the body is the file."""

    name: str
    result: CheckResult


@dataclass(frozen=True, slots=True)
class CheckedUpload:
    """What an application finds as ``scope["staydown"]`` or ``environ["staydown.results"]``."""

    parts: tuple[CheckedPart, ...] = ()

    @property
    def action(self) -> Action:
        """The strictest of all."""
        return max(
            (part.result.action for part in self.parts), key=_STRICTNESS.__getitem__, default=Action.ALLOW
        )

    @property
    def is_degraded(self) -> bool:
        """Whether any of it was not really checked."""
        return any(part.result.degraded for part in self.parts)


@dataclass(frozen=True, slots=True)
class FileInBody:
    """A file to check: a form field's name, and where its content lies in the body."""

    name: str
    content: "Slice"


@dataclass(frozen=True, slots=True)
class UploadHeaders:
    """The headers that say how a body is to be read; all values of each, as they came."""

    content_type: Sequence[str] = ()
    content_encoding: Sequence[str] = ()
    content_length: Sequence[str] = ()
    transfer_encoding: Sequence[str] = ()

    def check(self, rules: UploadRules) -> None:
        """Raise FormRefused or UploadTooLarge for what need not be read to be refused."""
        if len(self.content_type) > 1 or len(self.content_length) > 1:
            raise FormRefused("a header that may stand once is there twice")
        if self.content_length and self.transfer_encoding:
            raise FormRefused("it has a length and a transfer encoding")
        if any(one.strip().lower() not in ("", "identity") for one in self.content_encoding):
            raise FormRefused("it has a content encoding")
        for told in self.content_length:
            if not (told.isascii() and told.isdigit()):
                raise FormRefused("its length is not a number")
            if int(told) > rules.max_bytes:
                raise UploadTooLarge(max_bytes=rules.max_bytes)


@dataclass(slots=True)
class Judgement:
    """Collects the results of one request. `is_decided` once a file is blocked: the others need no check."""

    rules: UploadRules
    parts: list[CheckedPart] = field(default_factory=list)

    @property
    def is_decided(self) -> bool:
        """Whether nothing can change the answer any more."""
        return any(part.result.action is Action.BLOCK for part in self.parts)

    def add(self, file: FileInBody, result: CheckResult) -> None:
        """Takes a file's result."""
        self.parts.append(CheckedPart(file.name, result))

    def add_refusal(self, file: FileInBody, refusal: RequestRefused) -> None:
        """Takes a file that the server would not check. Raises the refusal unless the rules let it go on."""
        if refusal.problem.status not in UNREADABLE_STATUSES or self.rules.on_unreadable == "refuse":
            raise refusal
        action = Action(self.rules.on_unreadable)
        self.add(file, CheckResult(action=action, degraded=True, degraded_reason="unreadable"))

    def upload(self) -> CheckedUpload:
        """What the application is told."""
        return CheckedUpload(tuple(self.parts))


def is_checked(rules: UploadRules, *, method: str, path: str) -> bool:
    """Whether the rules name this request. A path is compared as it is and with its dots resolved."""
    if method.upper() not in rules.methods:
        return False
    plain = "/" + path.lower().replace("\\", "/").lstrip("/")
    spellings = (plain, posixpath.normpath(plain))
    return any(one.startswith(prefix.lower()) for one in spellings for prefix in rules.paths)


def files_in(body: BinaryIO, size_bytes: int, headers: UploadHeaders, rules: UploadRules) -> list[FileInBody]:
    """Everything in a body that must be checked, in order. Raises FormRefused.

    Of a form, each part that has a file name, is said to be media, or is no plain text; of any other body,
    the whole of it by the same rule. What browsers show as pictures or videos is not plain text, but for SVG,
    which Staydown cannot read.
    """
    content_type = headers.content_type[0] if headers.content_type else ""
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith(("multipart/", "message/")):
        parts = read_form(body, content_type, max_parts=rules.max_parts)
        found = [
            FileInBody(part.name, Slice(body, part.start, part.size_bytes))
            for part in parts
            if part.size_bytes
            and (
                part.is_file
                or _is_media_or_binary(body, part.content_type, start=part.start, size_bytes=part.size_bytes)
            )
        ]
        if len(found) > rules.max_files:
            raise FormRefused(f"it has more than {rules.max_files} files")
        return found
    if size_bytes and _is_media_or_binary(body, kind, start=0, size_bytes=size_bytes):
        return [FileInBody("", Slice(body, 0, size_bytes))]
    return []


def _is_media_or_binary(body: BinaryIO, content_type: str, *, start: int, size_bytes: int) -> bool:
    if content_type.startswith(_MEDIA_TYPES):
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    content = Slice(body, start, size_bytes)
    try:
        while block := content.read(BLOCK_BYTES):
            decoder.decode(block)
            if block.translate(None, _NOT_CONTROLS):
                return True
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return True
    return False


class Slice(io.RawIOBase):
    """Some bytes of a file as a file of their own, with a position of its own. One reader at a time."""

    def __init__(self, file: BinaryIO, start: int, size_bytes: int) -> None:
        super().__init__()
        self._file, self._start, self._size_bytes, self._at = file, start, size_bytes, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        wanted = max(0, min(len(buffer), self._size_bytes - self._at))
        self._file.seek(self._start + self._at)
        data = self._file.read(wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def chunks_of(body: BinaryIO) -> Iterable[bytes]:
    """The body from its beginning, in blocks."""
    body.seek(0)
    while block := body.read(BLOCK_BYTES):
        yield block
