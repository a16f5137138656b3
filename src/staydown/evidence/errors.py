"""Errors of the evidence stage.

EvidenceError
├── NotLocked            what came is not a file that age encrypted; it is not stored
├── TooLarge             a part, or all of it, is larger than is kept
├── TooManyFiles         a case holds as many files as one may
├── RecipientMalformed   not an age X25519 recipient
├── NotesExist           this case has private notes already
├── NotesNotFound        this case has no private notes
├── NotesFileNotFound    these notes hold no such file
└── NotesChanged         another window saved in between; carries the revision that is stored
"""

from __future__ import annotations

from staydown.errors import StaydownError


class EvidenceError(StaydownError):
    """Base of the stage's errors."""


class NotLocked(EvidenceError):
    """What came is not an age file. It is refused, so that nothing readable is ever stored."""


class TooLarge(EvidenceError):
    """More than is kept: `allowed` bytes."""

    def __init__(self, *, allowed: int) -> None:
        super().__init__(f"at most {allowed} bytes")
        self.allowed = allowed


class TooManyFiles(EvidenceError):
    """The notes hold as many files as one case may."""

    def __init__(self, *, allowed: int) -> None:
        super().__init__(f"at most {allowed} files")
        self.allowed = allowed


class RecipientMalformed(EvidenceError):
    """Not an age X25519 recipient."""


class NotesExist(EvidenceError):
    """This case has private notes already."""


class NotesNotFound(EvidenceError):
    """This case has no private notes."""


class NotesFileNotFound(EvidenceError):
    """These notes hold no such file."""


class NotesChanged(EvidenceError):
    """Somebody saved in between, in another window. `revision` is what is stored now."""

    def __init__(self, *, revision: int) -> None:
        super().__init__(f"revision {revision} is stored")
        self.revision = revision
