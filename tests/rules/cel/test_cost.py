"""The cost limit: whatever a rule says and an event holds, an evaluation ends soon and small."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from shipper.rules.cel.program import COST
from tests.rules.cel.asking import ENVIRONMENT, ask

_NUMBERS = list(range(20_000))
_PODS = [{"name": f"pod-{i}", "labels": {"app": "x" * 40}} for i in range(2_000)]
_LONG = "z" * 1_000_000
_DOUBLED = "".join(['["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]', *[".map(x, x + x)"] * 24])
_BOUND = "event + event"
for _name in "abcdefghijklmno":
    _BOUND = f"cel.bind({_name}, {_BOUND}, {_name} + {_name})"

BOMBS: list[tuple[str, Any]] = [
    ("event.map(x, x).size() > 0", _NUMBERS),
    ("event.filter(x, x >= 0).size() > 0", _NUMBERS),
    ("event.transformList(i, x, x).size() > 0", _NUMBERS),
    ("event.transformMap(i, x, x).size() > 0", _NUMBERS),
    ("event.sortBy(x, -x).size() > 0", _NUMBERS),
    ("event.all(x, x >= 0)", _NUMBERS),
    ("event.all(x, event.all(y, x + y >= 0))", _NUMBERS[:2000]),
    ("event.map(x, event.map(y, event.map(z, [x, y, z]))).size() > 0", _NUMBERS[:100]),
    ("event.all(x, event == event)", _PODS),
    ("event.all(x, x in event)", _PODS),
    ("event.all(x, event.exists(y, y == event[size(event) - 1]))", _PODS),
    (f"{_DOUBLED}[0].size() > 0", None),
    (f"{_DOUBLED.replace('[', '[[', 1).replace(']', ']]', 1)}[0].size() > 0", None),
    ("".join(["[event]", *[".map(x, x + x)"] * 24]) + "[0].size() > 0", "abcdefgh"),
    (f"({_BOUND}).size() > 0", "z" * 10_000),
    ("event.map(x, '" + _LONG[:20_000] + "').join('').size() > 0", _NUMBERS[:1000]),
    ("event.list.map(x, event.text).join('').size() > 0", {"list": _NUMBERS[:1000], "text": _LONG}),
    ("event.replace('z', event).size() > 0", _LONG),
    ("event.split('').size() > 0", _LONG * 4),
    ("event.findAll('z*?').size() > 0", _LONG),
    ("event.findAll('z.*b|z').size() > 0", _LONG),
    ("event.matches('(z?){900}b')", _LONG),
    ("lists.range(10000000).size() > 0", None),
    ("lists.range(9223372036854775807).size() > 0", None),
    ("event.distinct().size() > 0", _PODS * 4),
    ("sets.contains(event, event.reverse())", [{"a": i} for i in range(8_000)]),
    ("event.format([event, event]).size() > 0", "%s%.1000f" * 400_000),
    (" && ".join(["event == event"] * 900), _PODS * 10),
]


def test_bombs_are_ended_in_little_time_and_memory() -> None:
    """Each ends as `cost`, and all of them take 60 MB or so beside the events themselves."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.rules.cel.test_cost"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [BOMBS[number][0] for number in report["survived"]] == []
    assert report["more_mib"] < 80
    assert report["slowest_seconds"] < 20


INNOCENT: list[tuple[str, Any]] = [
    ("event.items.all(i, i.name.startsWith('pod-'))", {"items": _PODS}),
    ("event.items.exists(i, i.labels.app == 'y') == false", {"items": _PODS}),
    ("event.items.filter(i, i.name.endsWith('-1999')).size() == 1", {"items": _PODS}),
    ("event.items.map(i, i.name).exists(n, n == 'pod-7')", {"items": _PODS[:1000]}),
    ("event.items.map(i, i.name + ' in ' + event.ns).join(', ') != ''",
     {"items": _PODS[:60], "ns": "default"}),
    ("event.data.exists(k, event.data[k].contains('PRIVATE KEY')) == false",
     {"data": {f"key-{i}": "x" * 2_000 for i in range(400)}}),
    ("event.data.exists(k, event.data[k].matches('(?i)aws_secret_access_key')) == false",
     {"data": {f"key-{i}": "x" * 2_000 for i in range(400)}}),
    ("event.text.size() == 4000000 && !event.text.contains('b')", {"text": _LONG * 4}),
    ("event.items.map(i, i.name.replace('pod', 'p').split('-')[1]).size() == 100",
     {"items": _PODS[:100]}),
    ("event.items.all(i, quantity('1Gi').isGreaterThan(quantity('1Mi')))", {"items": _PODS}),
    ("sets.contains(event.names, event.names.reverse())", {"names": [str(n) for n in _NUMBERS]}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "event"), INNOCENT, ids=range(len(INNOCENT)))
def test_what_people_ask_of_large_objects_is_answered(text: str, event: Any) -> None:
    """The limit is for bombs; lists of thousands and texts of megabytes are in the day's work."""
    assert ask(text, event=event) is True


def test_many_rules_on_one_event_do_not_add_up() -> None:
    """What an evaluation has made is freed before the event's last rule is asked."""
    program = ENVIRONMENT.compile("event.map(x, x).size() == 1000")
    activation = ENVIRONMENT.activation({"event": _NUMBERS[:1000]})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(20):  # 18 MB each
        assert program.evaluate(activation) is True
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


def test_the_end_does_not_depend_on_the_machine() -> None:
    """Steps are counted, not time: the last list that is built is the same everywhere."""
    program = ENVIRONMENT.compile("event.map(x, x).size() > 0")
    answers = [
        program.evaluate(ENVIRONMENT.activation({"event": _NUMBERS[:size]}))
        for size in (1000, 1400, 1500, 2000)
    ]
    assert answers == [True, True, COST, COST]


def _explode() -> None:
    """All bombs, one after the other, in this process; prints how it went."""
    slowest, survived = 0.0, []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, (text, event) in enumerate(BOMBS):
        program = ENVIRONMENT.compile(text)
        activation = ENVIRONMENT.activation({"event": event})
        start = time.perf_counter()
        if program.evaluate(activation) != COST:
            survived.append(number)
        slowest = max(slowest, time.perf_counter() - start)
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    report = {"survived": survived, "more_mib": more / 1024, "slowest_seconds": slowest}
    print(json.dumps(report))  # noqa: T201


if __name__ == "__main__":
    _explode()
