"""Slow-down for floods: per fan, per channel, per server. Time is handed in, in seconds, so that it can be tested."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["welcome", "warn", "ignore"]


@dataclass(frozen=True)
class Rate:
    """`burst` at once, then one every `every` seconds."""

    burst: float
    every: float


FAN, CHANNEL, SERVER = Rate(6, 5.0), Rate(20, 1.0), Rate(100, 0.1)
PRESS = Rate(15, 3.0)  # of commands and buttons; a slip of the finger is no flood
SILENCE = (60.0, 600.0, 3600.0, 6 * 3600.0)  # how long an abuser is ignored, by how often it happened
FORGIVEN = 24 * 3600.0  # a day of peace, and the count begins anew
KEPT = 20_000  # buckets; the full ones go first


@dataclass
class Bucket:
    left: float
    at: float

    def filled(self, rate: Rate, now: float) -> float:
        return min(rate.burst, self.left + (now - self.at) / rate.every)

    def take(self, rate: Rate, now: float) -> float:
        """Takes one and returns the seconds to wait for it (0 where there was one). A debt can be run up."""
        self.left, self.at = self.filled(rate, now) - 1.0, now
        return max(0.0, -self.left * rate.every)


@dataclass
class Pace:
    """Who talks too much. A crowded channel or server is slowed down, nobody in it is ignored for that."""

    fan: Rate = FAN
    channel: Rate = CHANNEL
    server: Rate = SERVER
    press: Rate = PRESS
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _silenced: dict[str, tuple[float, int]] = field(default_factory=dict)  # fan -> (until, times)

    def admit(self, fan: str, now: float, what: Literal["fan", "press"] = "fan") -> Verdict:
        """Of a message, or of a press: a command, a button. 'warn' is said once; from then on the fan is ignored
        for a time that grows when it happens again."""
        until, times = self._silenced.get(fan, (0.0, 0))
        if now < until:
            return "ignore"
        if times and now > until + FORGIVEN:
            times = 0
        rate = self.press if what == "press" else self.fan
        bucket = self._bucket(f"{what} {fan}", rate, now)
        if bucket.filled(rate, now) >= 1.0:
            bucket.take(rate, now)
            return "welcome"
        self._silenced[fan] = (now + SILENCE[min(times, len(SILENCE) - 1)], times + 1)
        return "warn"

    def wait(self, channel: str, server: str | None, now: float) -> float:
        """Seconds to wait before answering here, so that a flood becomes a queue. In private there is no server."""
        here = self._bucket(f"channel {channel}", self.channel, now).take(self.channel, now)
        if server is None:
            return here
        return max(here, self._bucket(f"server {server}", self.server, now).take(self.server, now))

    def silenced(self) -> dict[str, tuple[float, int]]:
        return dict(self._silenced)

    def _bucket(self, key: str, rate: Rate, now: float) -> Bucket:
        if key not in self._buckets:
            if len(self._buckets) >= KEPT:
                self._forget(now)
            self._buckets[key] = Bucket(rate.burst, now)
        return self._buckets[key]

    def _forget(self, now: float) -> None:
        rates = {"fan": self.fan, "press": self.press, "channel": self.channel, "server": self.server}
        self._buckets = {
            key: bucket
            for key, bucket in self._buckets.items()
            if bucket.filled(rates[key.split(" ", 1)[0]], now) < rates[key.split(" ", 1)[0]].burst
        }
        self._silenced = {fan: entry for fan, entry in self._silenced.items() if now < entry[0] + FORGIVEN}
