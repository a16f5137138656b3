"""Errors of the legal rows.

LawError
├── LegalRowsMissing      data/law is not where it should be
├── LegalRowsDamaged      a file of data/law cannot be read or lacks something
├── StatementNotFound     no row has this id
├── DutyNotFound          no duty has this id
├── PlaceNotFound         no place has this id
└── ChannelNotFound       no channel has this id
"""

from __future__ import annotations

from staydown.errors import StaydownError


class LawError(StaydownError):
    """Base of the package's errors."""


class LegalRowsMissing(LawError):
    """data/law is neither at the root of the checkout nor inside the installed package."""

    def __init__(self, file_name: str) -> None:
        super().__init__(f"the legal rows are missing: there is no data/law/{file_name} in this installation")
        self.file_name = file_name


class LegalRowsDamaged(LawError):
    """A file of data/law cannot be read, or a row lacks something that every row has."""

    def __init__(self, where: str, trouble: str) -> None:
        super().__init__(f"the legal rows are damaged: {where} {trouble}")
        self.where = where
        self.trouble = trouble


class StatementNotFound(LawError):
    """No row of the legal rows has this id."""

    def __init__(self, statement_id: str) -> None:
        super().__init__(f"no legal row has the id {statement_id!r}")
        self.statement_id = statement_id


class DutyNotFound(LawError):
    """No duty has this id."""

    def __init__(self, duty_id: str) -> None:
        super().__init__(f"no duty has the id {duty_id!r}")
        self.duty_id = duty_id


class PlaceNotFound(LawError):
    """No place has this id."""

    def __init__(self, place_id: str) -> None:
        super().__init__(f"no place has the id {place_id!r}")
        self.place_id = place_id


class ChannelNotFound(LawError):
    """No channel has this id."""

    def __init__(self, channel_id: str) -> None:
        super().__init__(f"no channel has the id {channel_id!r}")
        self.channel_id = channel_id
