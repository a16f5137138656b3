"""What can go wrong when codes are kept and searched.

StaydownError
    MatchingError
        WrongShape            an array has not the shape that is asked for
        WrongType             an array has not the dtype that is asked for
        DistanceOutOfRange    a distance outside 0..256 bits
        IndexFull             more codes than an index can number
        IndexFormatUnknown    a file that is not an index of a version read here
        IndexDamaged          an index file that is cut, changed or contradicts itself
        PartNotInstalled      an optional part of Staydown is used and not installed
            OpenCvMissing     the second look needs OpenCV
            OnnxRuntimeMissing  the learned descriptor needs ONNX Runtime
        ModelUnusable         a model file that is not there, not readable or of an unknown form
        DescriptorsDiffer     learned descriptors of two models are compared
"""

from __future__ import annotations

from typing import ClassVar

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


class PartNotInstalled(MatchingError):
    """An optional part is used and not installed. ``str()`` says what to install."""

    sentence: ClassVar[str] = "An optional part of Staydown is not installed."

    def __init__(self) -> None:
        super().__init__(self.sentence)


class OpenCvMissing(PartNotInstalled):
    """OpenCV is not installed."""

    sentence = "The second look needs OpenCV: pip install 'staydown[compare]'"


class OnnxRuntimeMissing(PartNotInstalled):
    """ONNX Runtime is not installed."""

    sentence = "The learned descriptor needs ONNX Runtime: pip install 'staydown[learned]'"


class ModelUnusable(MatchingError):
    """The model cannot be used. ``str()`` says why."""


class DescriptorsDiffer(MatchingError):
    """Learned descriptors of two models cannot be compared."""
