"""Which frames of a video are kept: none that looks like another kept one, few, and spread over the whole.

Refuses to hold more than twice as many as are wanted, however long the video is: as more come, those that
crowd the others in time go.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

# Two frames this close are found by each other's code: it is the threshold of matching.
SAME_BITS = 31

Look = npt.NDArray[np.uint8]
"""(views, 32) uint8: the codes by which two frames are compared, in the same order for every frame."""

_Kept = TypeVar("_Kept")


class SpreadFrames(Generic[_Kept]):
    """What is kept so far of a video whose frames come in the order of time."""

    def __init__(self, *, most: int) -> None:
        """most: how many are wanted in the end."""
        self._most = most
        self._kept: list[tuple[float, Look, _Kept]] = []
        self._gap_seconds = 0.0

    def wants(self, at_seconds: float, look: Look) -> bool:
        """Whether this frame is kept: it differs from each kept one in some view, and crowds none."""
        if not self._kept:
            return True
        if at_seconds - self._kept[-1][0] < self._gap_seconds:
            return False
        looks = np.stack([kept for _, kept, _ in self._kept])
        distances = np.bitwise_count(looks ^ look).sum(axis=2, dtype=np.uint16)
        return not bool((distances.max(axis=1) <= SAME_BITS).any())

    def keep(self, at_seconds: float, look: Look, frame: _Kept) -> None:
        """Keeps a frame that was wanted."""
        self._kept.append((at_seconds, look, frame))
        if len(self._kept) > 2 * self._most:
            self._thin_out(self._most)
            # From now on they come no denser than what stayed.
            self._gap_seconds = (self._kept[-1][0] - self._kept[0][0]) / self._most

    def frames(self) -> list[tuple[float, _Kept]]:
        """Times and what was kept, in the order of time; no more than are wanted."""
        self._thin_out(self._most)
        return [(at_seconds, frame) for at_seconds, _, frame in self._kept]

    def _thin_out(self, most: int) -> None:
        """Lets the frame go whose neighbours are closest together, again and again; both ends stay."""
        while len(self._kept) > max(most, 1):
            times = [at_seconds for at_seconds, _, _ in self._kept]
            gaps = [after - before for before, after in zip(times, times[2:], strict=False)]
            crowded = 1 + min(range(len(gaps)), key=gaps.__getitem__) if gaps else 1
            del self._kept[crowded]
