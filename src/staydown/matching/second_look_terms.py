"""What a second look says of two pictures, in words and numbers. It ranks and explains; it never decides.

Nothing here is an action, and no action is derived from it: a person decides, or the rule on fingerprints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

from staydown.fingerprint import NotFingerprintable

# So many corners that agree under one perspective mean "the same picture, at least in part". Unrelated
# photographs reached 6 of them at most in 1,578 comparisons; half of the copies have 86 or more in the worst
# of 22 families of everyday edits. Source: benchmarks/results/second_look.md, which also has 8, 12 and 15.
MIN_INLIERS = 10

Corner = tuple[float, float]
"""x to the right and y down, in pixels of the upright, full-size picture."""

Outline = tuple[Corner, Corner, Corner, Corner]
"""Where the top left, top right, bottom right and bottom left corner of a picture came to lie."""

Name = TypeVar("Name")


@dataclass(frozen=True, slots=True)
class SecondLook:
    """How much of one picture (a) was found in another (b). An explanation for a person, never a verdict.

    Photographs of the same place, and pictures that share a template or an interface, rightly agree too.
    """

    inliers: int
    """Corners that agree under one plausible perspective; 0 if there is no such perspective."""
    size_a: tuple[int, int]
    """Width and height of a, upright and at full size."""
    size_b: tuple[int, int]
    outline: Outline | None = None
    """The outline of a in pixels of b, which it may overlap. Below MIN_INLIERS it is None, and all that
    follows is empty: a perspective that so few agree on explains nothing."""
    mirrored: bool = False
    """a had to be mirrored, left to right, to be found."""
    inverted: bool = False
    """a had to be made a negative to be found."""
    covered_share_a: float = 0.0
    """The share of a's outline that lies inside b, 0..1: less than 1 if b is a crop. What else b shows there,
    such as the page into which a crop was pasted, is not told by the outline but by what agrees."""
    covered_share_b: float = 0.0
    """The share of b's area that a's outline covers, 0..1: less than 1 if b holds more than a."""
    agreeing_a: tuple[Corner, ...] = ()
    """The convex hull of the corners that agree, in pixels of a: small if only a part is shared."""
    agreeing_b: tuple[Corner, ...] = ()
    """The same, in pixels of b."""
    agreeing_share_a: float = 0.0
    """The share of a's area in that hull, 0..1: at least so much of a is in b."""
    agreeing_share_b: float = 0.0
    """The share of b's area in its hull."""

    @property
    def is_likely_copy(self) -> bool:
        """Whether enough corners agree to show both to a person as likely copies. No ground to act alone."""
        return self.inliers >= MIN_INLIERS

    def __bool__(self) -> NoReturn:
        """Refused: an object is always true, and "if look" would read like a decision."""
        raise TypeError("a second look is neither true nor false; ask is_likely_copy")


@dataclass(frozen=True, slots=True)
class RankedCandidate(Generic[Name]):
    """One candidate that a picture was compared with: a look, or why there is none."""

    name: Name
    """What the caller calls it."""
    look: SecondLook | None
    refusal: NotFingerprintable | OSError | None = None
    """Why the file could not be opened or read."""
