"""Counts matches per key within a duration of event time. Bounded state, lost at a restart.

No clock: time is the events' own. Events may come a little late or twice; a clock that was set back
begins a new window.
"""

from __future__ import annotations

from collections import OrderedDict, deque

MAX_KEYS = 4096
"""Keys that one rule counts at a time; the one that was seen longest ago is forgotten first."""

MAX_TIMES = 65_536
"""Moments that one rule remembers, over all its keys."""


class _Window:
    """The last moments of one key, in order, and until when it has been told of."""

    __slots__ = ("quiet_until", "times")

    def __init__(self) -> None:
        self.times: deque[float] = deque()
        self.quiet_until = float("-inf")


class Counter:
    """The windows of one rule."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count = count
        self._seconds = seconds
        self._windows: OrderedDict[tuple[str, ...], _Window] = OrderedDict()
        self._times = 0

    def __len__(self) -> int:
        """How many moments are remembered."""
        return self._times

    def add(self, key: tuple[str, ...], time: float) -> bool:
        """Count a match at `time` (seconds); whether it is to be told.

        It is when the window holds enough, and nothing of the key was told within its length.
        """
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window()
        else:
            self._windows.move_to_end(key)
        times = window.times
        if times and time < times[-1]:
            time = self._late(window, time)
        while times and times[0] <= time - self._seconds:
            times.popleft()
            self._times -= 1
        if len(times) < self._count:
            self._times += 1
        else:
            times.popleft()  # the newest `count` decide
        times.append(time)
        if self._times > MAX_TIMES or len(self._windows) > MAX_KEYS:
            self._evict()
        if len(times) < self._count or time < window.quiet_until:
            return False
        window.quiet_until = time + self._seconds
        return True

    def is_quiet(self, key: tuple[str, ...], time: float) -> bool:
        """Whether a match at `time` would not be told whatever else is to come."""
        window = self._windows.get(key)
        if self._count > 1 or window is None or time >= window.quiet_until:
            return False
        self._windows.move_to_end(key)
        return time > window.times[-1] - self._seconds  # else the clock was set back

    def _late(self, window: _Window, time: float) -> float:
        """A late event counts as if it had come with the newest; one far behind begins anew."""
        if time > window.times[-1] - self._seconds:
            return window.times[-1]
        self._times -= len(window.times)
        window.times.clear()
        window.quiet_until = float("-inf")
        return time

    def _evict(self) -> None:
        while len(self._windows) > MAX_KEYS or (self._times > MAX_TIMES and len(self._windows) > 1):
            self._times -= len(self._windows.popitem(last=False)[1].times)
