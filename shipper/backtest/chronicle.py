"""What a history of several logs shows of policies: the writes that changed them, by time.

Each API server logs what was written through it alone, so that no single log says which policies
were in force. Believes what it is given; bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from shipper.backtest.tally import Place
from shipper.errors import ConfigError
from shipper.model import Data
from shipper.rules.event import decode_events
from shipper.rules.guardrails.replay import Replay
from shipper.rules.guardrails.reviews import accepted
from shipper.rules.ruleset import RuleSet
from shipper.rules.terms import Terms
from shipper.verify.frame import unpack

MAX_BYTES = 64 * 1024 * 1024
"""Of all lines that are noted: some 10,000 changes of policies."""

Resource = tuple[str, str]
"""API group and resource; "*" is every resource of the group."""


class Noted(NamedTuple):
    """An event that changed what is in force, as a line."""

    time: datetime
    line: bytes

    @property
    def terms(self) -> Terms:
        """The event's."""
        [event] = decode_events([self.line])
        if event is None:
            raise ValueError("only lines that are events are noted")
        return Terms(event, self.line)


class Listener(Protocol):
    """Whoever history is read to."""

    def judge(self, place: Place, body: bytes, data: Data) -> None:
        """Take a verified batch."""


def chronicle(read: Callable[[Listener], object], rules: RuleSet) -> Sequence[Noted]:
    """The events that change the policies of `rules`, by time; `read` reads the history out.

    It is read again where the policies that it shows refer to more kinds of parameters. Raises
    `ConfigError` if there are more of them than fit in memory.
    """
    resources: frozenset[Resource] = frozenset()
    more = Replay(rules.policies, rules.guarded.replayed_by).resources
    events: Sequence[Noted] = ()
    while not more <= resources:
        resources |= more
        notes = _Notes(resources)
        read(notes)
        events = sorted(notes.events)
        more = _followed(rules, events)
    return events


def _followed(rules: RuleSet, events: Sequence[Noted]) -> frozenset[Resource]:
    """The resources of all objects that policies were made of, at one time or another."""
    replay = Replay(rules.policies, rules.guarded.replayed_by)
    found = replay.resources
    for event in events:
        terms = event.terms
        if replay.may_concern(terms):
            replay.follow(terms)
            found |= replay.resources
    return found


class _Notes:
    """A listener that notes the writes to `resources`."""

    def __init__(self, resources: frozenset[Resource]) -> None:
        self.events: list[Noted] = []
        self._resources = resources
        self._bytes = 0
        self._mentions = re.compile(b"|".join(sorted(map(_mention, resources))))

    def judge(self, place: Place, body: bytes, data: Data) -> None:
        """Note what the batch has; `place` does not matter."""
        for line in b"".join(unpack(body, data.raw_size)).split(b"\n"):
            if self._mentions.search(line):
                self._note(line)

    def _note(self, line: bytes) -> None:
        [event] = decode_events([line])
        if event is None or event.objectRef is None:
            return
        group, resource = event.objectRef.apiGroup, event.objectRef.resource
        named = not self._resources.isdisjoint({(group, resource), (group, "*")})
        if not named or not accepted(Terms(event, line)):
            return
        self._bytes += len(line)
        if self._bytes > MAX_BYTES:
            raise ConfigError(
                f"more than {MAX_BYTES >> 20} MiB of this history are changes of policies",
                remedy="bound it with --since and --until, or ask one log with --log",
            )
        self.events.append(Noted(event.stageTimestamp, line))


def _mention(resource: Resource) -> bytes:
    """What a line about the resource has in it."""
    group, name = resource
    key, value = ("apiGroup", group) if name == "*" else ("resource", name)
    return rf'"{key}":\s*"{re.escape(value)}"'.encode()
