"""What is known about a picture before its pixels are read. Holds no date, place or name."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Header:
    """The facts that decide how a picture looks, and the bytes that a picture library is given."""

    plain: bytes = field(repr=False)
    """The file without what is not pixels: no texts, no tags, no profile."""
    orientation: int = 1
    """As EXIF tells it, 1 to 8. Source: EXIF 2.32, tag 0x0112."""
    profile: bytes | None = field(default=None, repr=False)
    """The embedded colour profile as it is found, which may be broken."""
