"""Errors of the journals.

JournalError
├── JournalDamaged         a line in the middle of a journal is not what was written; names the line
├── JournalFormatUnknown   not a journal of ours, or from a later version
├── SequenceNotRising      somebody tried to append what is already there
├── BankRecordNotUnderstood   a whole line of the bank journal that does not say what it should
├── BankSegmentDamaged     a file of a segment of the bank is not what was written; names both
└── BankSegmentMissing     a segment that a journal names is not there
"""

from __future__ import annotations

from staydown.errors import StaydownError


class JournalError(StaydownError):
    """Base of the package's errors."""


class JournalDamaged(JournalError):
    """A line is not what was written. `line` counts from 1; 0 means near the end of the file."""

    def __init__(self, *, file_name: str, line: int) -> None:
        where = f"at line {line}" if line else "near its end"
        super().__init__(f"{file_name} is damaged {where}")
        self.file_name = file_name
        self.line = line


class JournalFormatUnknown(JournalError):
    """The file is not a journal of ours, or it was written by a later version."""


class SequenceNotRising(JournalError):
    """A record's sequence number is not higher than the last one in the journal."""


class BankRecordNotUnderstood(JournalError):
    """A record of the bank journal lacks a member or holds one of the wrong kind."""


class BankSegmentDamaged(JournalError):
    """A file of a segment is not what was written. The segment is not read, not even in part."""

    def __init__(self, segment: str, file_name: str) -> None:
        super().__init__(f"segment {segment} of the bank is damaged: {file_name}")
        self.segment = segment
        self.file_name = file_name


class BankSegmentMissing(JournalError):
    """A segment is not there: usually because a newer generation of the journal names another one."""

    def __init__(self, segment: str) -> None:
        super().__init__(f"segment {segment} of the bank is not there")
        self.segment = segment
