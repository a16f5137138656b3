"""What can go wrong when codes are kept and searched.

StaydownError
    MatchingError
        WrongShape            an array has not the shape that is asked for
        WrongType             an array has not the dtype that is asked for
        DistanceOutOfRange    a distance outside 0..256 bits
        IndexFull             more codes than an index can number
        IndexFormatUnknown    a file that is not an index of a version read here
        IndexDamaged          an index file that is cut, changed or contradicts itself
"""

from __future__ import annotations

from staydown.errors import StaydownError


class MatchingError(StaydownError):
    """The base of everything that this package raises on purpose."""


class WrongShape(MatchingError):
    """An array has not the shape that is asked for."""


class WrongType(MatchingError):
    """An array has not the dtype that is asked for. Nothing is converted: a silent cast could wrap an id."""


class DistanceOutOfRange(MatchingError):
    """A distance between two 256-bit codes is from 0 to 256 bits."""


class IndexFull(MatchingError):
    """An index holds at most 4,294,967,294 codes."""


class IndexFormatUnknown(MatchingError):
    """The file is not an index, or of a version or byte order that is not read here."""


class IndexDamaged(MatchingError):
    """The file was an index and is no longer whole. It is never read in part."""
