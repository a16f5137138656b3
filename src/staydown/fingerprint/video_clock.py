"""When each frame of a video is shown, in seconds from the first one, whatever its timestamps say.

Refuses to go backwards: timestamps that jump are a seam between two recordings, and time goes on.
"""

from fractions import Fraction

# A longer step, or one back by more than a second, is a seam. Slide shows stay on a picture for minutes.
_SEAM_SECONDS = 600.0
_BACK_SECONDS = 1.0

# How long a frame lasts if neither it nor its stream says so, and the longest and shortest that is believed.
_FRAME_SECONDS = 1 / 25
_LONGEST_FRAME_SECONDS = 60.0


class VideoClock:
    """Fed with each frame's timestamp in the order in which frames are shown."""

    def __init__(self, *, frames_per_second: float, time_base: Fraction | None) -> None:
        """frames_per_second: what the stream says, 0 if it does not; time_base: seconds of one tick."""
        self._tick = float(time_base or 0)
        rate_is_sound = frames_per_second > 1 / _LONGEST_FRAME_SECONDS
        self._usual_seconds = 1 / frames_per_second if rate_is_sound else _FRAME_SECONDS
        self._offset_seconds = 0.0
        self._last_seconds: float | None = None
        self._step_seconds = self._usual_seconds
        self.start: int | None = None
        """The timestamp of the first frame that had one."""
        self.has_seams = False

    @property
    def end_seconds(self) -> float:
        """Where the last frame ends; 0 before the first one."""
        return 0.0 if self._last_seconds is None else self._last_seconds + self._step_seconds

    def at(self, timestamp: int | None, duration: int | None) -> float:
        """Seconds of the next frame; its timestamp and duration in ticks, or None."""
        seconds = self._sound_seconds(timestamp)
        self._last_seconds = seconds
        lasts = (duration or 0) * self._tick
        self._step_seconds = lasts if 0 < lasts <= _LONGEST_FRAME_SECONDS else self._usual_seconds
        return seconds

    def _sound_seconds(self, timestamp: int | None) -> float:
        if timestamp is None or not self._tick:
            return self.end_seconds
        if self.start is None:
            self.start = timestamp
            self._offset_seconds = self.end_seconds
        seconds = (timestamp - self.start) * self._tick + self._offset_seconds
        if self._last_seconds is None:
            return seconds
        if not -_BACK_SECONDS <= seconds - self._last_seconds <= _SEAM_SECONDS:
            self.has_seams = True
            self._offset_seconds += self.end_seconds - seconds
            return self.end_seconds
        return max(seconds, self._last_seconds)
