"""From the outbox to receivers on a real server: in order, at least once, each on its own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from msgspec import structs

from shipper.page import Duration
from shipper.tell.dead import DEAD_LETTERS
from shipper.tell.limit import HELD_BACK
from shipper.tell.outbox import inspect
from tests.tell.support import Got, alerts, desk, finding, receiver, serving


def soc(url: str, **keys: Any) -> dict[str, Any]:
    return {"type": "webhook", "name": "soc", "url": url, **keys}


def lines(got: list[Got]) -> list[list[int]]:
    """The line numbers in each message."""
    return [[one["finding"]["line"] for one in each.json["data"]["alerts"]] for each in got]


def rules(got: list[Got]) -> list[str]:
    return [each.json["subject"] for each in got]


def run(life: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(life, 30))


def test_alerts_are_told_once_and_in_order(tmp_path: Path) -> None:
    """One message each, record by record, line by line."""

    async def life() -> None:
        async with serving() as server, desk(tmp_path, soc(server.url)) as here:
            for seq in range(10):
                await here.seal(alerts(seq, finding(line=2 * seq), finding(line=2 * seq + 1)))
            await server.wait_for(20)
        assert lines(server.got) == [[n] for n in range(20)]
        assert len({each.json["id"] for each in server.got}) == 20
        assert here.tally("soc").told == 20
        (stands,) = inspect(tmp_path)
        assert (stands.records, stands.cursor.told) == (0, 20)
        assert not list((tmp_path / "alerts").glob("*.alerts"))

    run(life())


def test_nothing_is_told_before_its_record_is_committed(tmp_path: Path) -> None:
    """What is put waits for the commit."""

    async def life() -> None:
        async with serving() as server, desk(tmp_path, soc(server.url)) as here:
            here.outbox.put(alerts(0))
            here.outbox.put(alerts(1))
            await asyncio.sleep(0.05)
            assert server.got == []
            here.dispatcher.committed(0)
            await server.wait_for(1)
            await asyncio.sleep(0.05)
            assert lines(server.got) == [[0]]

    run(life())


def test_a_restart_tells_what_was_not_told(tmp_path: Path) -> None:
    """A receiver that is away loses nothing to a restart, and hears nothing twice."""

    async def life() -> None:
        async with serving(200, 200, 503) as server:
            server.answers += [503] * 50
            async with desk(tmp_path, soc(server.url)) as here:
                for seq in range(4):
                    await here.seal(alerts(seq))
                await server.wait_for(5)
            assert here.said.lines("alerts_waiting")[0]["receivers"] == ["soc"]
            seen = len(server.got)
            server.answers = []
            async with desk(tmp_path, soc(server.url), newest=3):
                await server.wait_for(seen + 2)
            assert lines(server.got[:2] + server.got[seen:]) == [[0], [1], [2], [3]]

    run(life())


def test_an_idle_start_tells_nothing(tmp_path: Path) -> None:
    """What was told before the last stop is not told again."""

    async def life() -> None:
        async with serving() as server:
            async with desk(tmp_path, soc(server.url)) as here:
                await here.seal(alerts(0))
                await server.wait_for(1)
            async with desk(tmp_path, soc(server.url), newest=0):
                await asyncio.sleep(0.05)
            assert len(server.got) == 1

    run(life())


def test_the_filter_is_each_receivers_own(tmp_path: Path) -> None:
    """By severity, rule and namespace; the others' alerts pass by, and take no space."""

    async def life() -> None:
        async with serving() as all_, serving() as few:
            sections = (
                soc(all_.url, min_severity="info"),
                {**soc(few.url, min_severity="critical"), "name": "pager"},
            )
            async with desk(tmp_path, *sections) as here:
                await here.seal(
                    alerts(0, finding(line=0, severity="low"), finding(line=1)),
                    alerts(1, finding(line=2, severity="critical")),
                    alerts(2, finding(line=3, severity="info")),
                )
                await all_.wait_for(4)
                await few.wait_for(1)
            assert lines(all_.got) == [[0], [1], [2], [3]]
            assert lines(few.got) == [[2]]
        assert not list((tmp_path / "alerts").glob("*.alerts"))

    run(life())


def test_a_window_makes_one_message_a_rule(tmp_path: Path) -> None:
    """Alerts of several records, within the window."""

    async def life() -> None:
        async with serving() as server:
            section = soc(server.url, group_by="rule", group_window="300ms")
            async with desk(tmp_path, section) as here:
                await here.seal(
                    alerts(0, finding("a", line=0), finding("b", line=1)),
                    alerts(1, finding("a", line=2)),
                    alerts(2, finding("b", line=3), finding("a", line=4)),
                )
                await server.wait_for(2)
            assert lines(server.got) == [[0, 2, 4], [1, 3]]

    run(life())


def test_a_critical_alert_ends_the_window(tmp_path: Path) -> None:
    """It goes at once, and what waits goes with it."""

    async def life() -> None:
        async with serving() as server:
            section = soc(server.url, group_by="all", group_window="600s")
            async with desk(tmp_path, section) as here:
                await here.seal(alerts(0))
                await asyncio.sleep(0.05)
                assert server.got == []
                await here.seal(alerts(1, finding(line=1, severity="critical")))
                await server.wait_for(1)
            assert lines(server.got) == [[0, 1]]

    run(life())


def test_the_end_does_not_wait_for_a_window(tmp_path: Path) -> None:
    """At the shutdown what waits is told."""

    async def life() -> None:
        async with serving() as server:
            section = soc(server.url, group_by="all", group_window="600s")
            async with desk(tmp_path, section) as here:
                await here.seal(alerts(0), alerts(1))
            assert lines(server.got) == [[0, 1]]

    run(life())


def test_what_is_beyond_the_limit_is_counted_and_told(tmp_path: Path) -> None:
    """Held back, durable through a restart, and told as one alert; critical ones have their own
    limit."""

    async def life() -> None:
        async with serving() as server:
            section = soc(server.url, max_per_minute=2)
            async with desk(tmp_path, section) as here:
                for seq in range(7):
                    await here.seal(alerts(seq, finding("flood", line=seq)))
                await here.seal(alerts(7, finding("worse", line=7, severity="critical")))
                await server.wait_for(3)
            assert lines(server.got) == [[0], [1], [7]]
            assert here.tally("soc").held_back == 5
            assert len(here.said.lines("alerts_held_back")) == 1
            (stands,) = inspect(tmp_path)
            assert (stands.cursor.held_back, stands.cursor.held.by_rule) == (5, {"flood": 5})
            async with desk(tmp_path, section, newest=7) as again:
                await server.wait_for(4)
                await again.seal(alerts(8, finding("next", line=8)))
                await server.wait_for(5)
            told = server.got[3].json["data"]["alerts"][0]["finding"]
            assert rules(server.got[3:]) == [HELD_BACK, "next"]
            assert "5 alerts were held back: 5 of flood; records 2 to 6" in told["message"]
            (stands,) = inspect(tmp_path)
            assert stands.cursor.held.by_rule == {}

    run(life())


def test_more_than_a_record_may_tell_is_counted_too(tmp_path: Path) -> None:
    """The number of those that were left out is told beside the others."""

    async def life() -> None:
        async with serving() as server, desk(tmp_path, soc(server.url)) as here:
            many = alerts(0, finding(line=0))
            many.omitted.update({"noise": 12, "pod-exec": 3})
            await here.seal(many)
            await server.wait_for(2)
        assert rules(server.got) == [HELD_BACK, "pod-exec"]
        told = server.got[0].body.decode()
        assert "15 alerts were held back: 12 of noise, 3 of pod-exec" in told

    run(life())


@pytest.mark.parametrize("answer", [503, 500, 429, 401, 404, None])
def test_a_receiver_that_comes_back_is_told_all(tmp_path: Path, answer: int | None) -> None:
    """Whatever it said before; in order, and the trouble is told and forgotten."""

    async def life() -> None:
        async with serving(*[answer] * 6) as server, desk(tmp_path, soc(server.url)) as here:
            for seq in range(3):
                await here.seal(alerts(seq))
            await server.wait_for(3)
            await asyncio.sleep(0)
            assert here.tally("soc").trouble
            assert (tmp_path / "alerts" / "soc.trouble").exists()
            await server.wait_for(9)
        assert lines(server.got) == [[0]] * 7 + [[1], [2]]
        assert here.tally("soc").failed == 6
        assert here.tally("soc").trouble == ""
        assert not (tmp_path / "alerts" / "soc.trouble").exists()
        assert here.said.lines("alert_recovered")

    run(life())


def test_a_dead_receiver_holds_up_nobody(tmp_path: Path) -> None:
    """Refusing, silent or slow: the others hear everything at once."""

    async def life() -> None:
        async with serving() as well, serving() as silent:
            silent.delay_seconds = 60
            sections = (
                {**soc("http://127.0.0.1:9/"), "name": "refusing"},
                {**soc(silent.url, timeout="200ms"), "name": "silent"},
                soc(well.url),
            )
            async with desk(tmp_path, *sections, drain_seconds=0.1) as here:
                began = time.monotonic()
                for seq in range(20):
                    await here.seal(alerts(seq))
                await well.wait_for(20)
                assert time.monotonic() - began < 5
            assert lines(well.got) == [[n] for n in range(20)]
            assert [one.name for one in inspect(tmp_path) if one.records] == ["refusing", "silent"]

    run(life())


def test_an_impossible_message_is_a_dead_letter(tmp_path: Path) -> None:
    """After five tries it is given up, kept, counted and logged; the next one is told."""

    async def life() -> None:
        bad = [web.Response(status=422, text="no") for _ in range(5)]
        async with serving(*bad) as server, desk(tmp_path, soc(server.url)) as here:
            await here.seal(alerts(0), alerts(1))
            await server.wait_for(6)
        assert lines(server.got) == [[0]] * 5 + [[1]]
        tally = here.tally("soc")
        assert (tally.told, tally.dead) == (1, 1)
        (dead,) = (tmp_path / "alerts" / DEAD_LETTERS).read_text().splitlines()
        assert json.loads(dead)["reason"] == "HTTP 422 no"
        assert here.said.lines("alert_dead")[0]["error"] == "HTTP 422 no"
        (stands,) = inspect(tmp_path)
        assert (stands.records, stands.cursor.dead) == (0, 1)

    run(life())


def test_an_old_alert_is_given_up(tmp_path: Path) -> None:
    """Older than `give_up_after` and tried some times more; a young one is tried on."""

    async def life() -> None:
        old = datetime.now(UTC) - timedelta(hours=25)
        async with serving() as server:
            server.answers += [503] * 8
            async with desk(tmp_path, soc(server.url)) as here:
                await here.seal(alerts(0, sealed_at=old), alerts(1))
                await server.wait_for(9)
            assert lines(server.got) == [[0]] * 5 + [[1]] * 4
            assert (here.tally("soc").told, here.tally("soc").dead) == (1, 1)

    run(life())


def test_a_receiver_is_left_alone_as_long_as_it_asks(tmp_path: Path) -> None:
    """429 with `Retry-After`."""

    async def life() -> None:
        limited = web.Response(status=429, headers={"Retry-After": "1"})
        async with serving(limited) as server, desk(tmp_path, soc(server.url)) as here:
            await here.seal(alerts(0))
            await server.wait_for(1)
            began = time.monotonic()
            await server.wait_for(2)
            assert time.monotonic() - began > 0.9

    run(life())


def test_told_to_end_a_receiver_that_is_away_is_not_waited_for(tmp_path: Path) -> None:
    """A failing try is the last; nothing is lost."""

    async def life() -> None:
        began = time.monotonic()
        async with desk(tmp_path, soc("http://127.0.0.1:9/"), drain_seconds=60) as here:
            await here.seal(*[alerts(seq) for seq in range(50)])
        assert time.monotonic() - began < 5
        assert inspect(tmp_path)[0].records == 50

    run(life())


def test_what_was_told_is_durable_when_the_drain_is_cut(tmp_path: Path) -> None:
    """A receiver that stops answering in the middle hears the first ones once only."""

    async def life() -> None:
        async with serving() as server:

            def stall(got: Got) -> None:
                server.delay_seconds = 60 if len(server.got) == 3 else 0

            server.on_request = stall
            async with desk(tmp_path, soc(server.url), drain_seconds=0.1) as here:
                await here.seal(alerts(0, *[finding(line=n) for n in range(6)]))
                await server.wait_for(3)
                await asyncio.sleep(0.05)
            server.on_request = lambda _: None
            server.delay_seconds = 0
            async with desk(tmp_path, soc(server.url), newest=0):
                await server.wait_for(6)
            assert lines(server.got) == [[n] for n in range(6)]

    run(life())


def test_a_disk_that_cannot_be_read_is_asked_again(tmp_path: Path) -> None:
    """The alert is told once it can."""

    async def life() -> None:
        async with serving() as server, desk(tmp_path, soc(server.url)) as here:
            here.outbox.put(alerts(0))
            file = tmp_path / "alerts" / f"{0:012d}.alerts"
            body = file.read_bytes()
            file.unlink()
            file.mkdir()
            here.dispatcher.committed(0)
            await asyncio.sleep(0.05)
            assert here.said.lines("alerts_disk_failed")
            file.rmdir()
            file.write_bytes(body)
            await server.wait_for(1)

    run(life())


def test_changed_secrets_need_no_restart(tmp_path: Path) -> None:
    """A token that was refused is read again from its file; nobody sees it in the log."""

    async def life() -> None:
        token = tmp_path / "token"
        token.write_text("old-t0ken")

        async with serving(web.Response(status=401, text="old-t0ken is not known")) as server:
            server.on_request = lambda _: None if server.got else token.write_text("new-t0ken")
            async with desk(tmp_path, soc(server.url, token_file=str(token))) as here:
                await here.seal(alerts(0))
                await server.wait_for(2)
        assert server.got[0].headers["Authorization"] == "Bearer old-t0ken"
        assert server.got[1].headers["Authorization"] == "Bearer new-t0ken"
        assert "*** is not known" in here.said.text
        assert "t0ken" not in here.said.text

    run(life())


def test_a_missing_secret_is_waited_for(tmp_path: Path) -> None:
    """The alert stays; the log names the file."""

    async def life() -> None:
        hook = tmp_path / "hook"
        async with serving() as server:
            section = {"type": "slack", "name": "chat", "url_file": str(hook)}
            async with desk(tmp_path, section) as here:
                await here.seal(alerts(0, finding(severity="critical")))
                await asyncio.sleep(0.1)
                assert f"url_file {hook} cannot be read" in here.tally("chat").trouble
                hook.write_text(server.url + "/services/s3cret")
                await server.wait_for(1)
        assert server.got[0].path == "/services/s3cret"
        assert "s3cret" not in here.said.text

    run(life())


def test_every_kind_of_receiver_is_told(tmp_path: Path) -> None:
    """One alert, five receivers, no secret in the log."""

    async def life() -> None:
        async with serving() as server:
            secrets = {
                "hook": f"{server.url}/slack/s3cret",
                "key": "whsec_" + "QUJD" * 12,
                "pd": "a1" * 16,
                "url": f"{server.url}/webhook/s3cret",
            }
            for name, text in secrets.items():
                (tmp_path / name).write_text(text)
            sections = (
                {"type": "webhook", "name": "w", "url_file": str(tmp_path / "url")}
                | {"hmac_key_file": str(tmp_path / "key")},
                {"type": "slack", "name": "s", "url_file": str(tmp_path / "hook")},
                {"type": "alertmanager", "name": "a", "url": server.url},
                {"type": "pagerduty", "name": "p", "url": f"{server.url}/pd"}
                | {"routing_key_file": str(tmp_path / "pd")},
                {"type": "falcosidekick", "name": "f", "url": f"{server.url}/falco"},
            )
            async with desk(tmp_path / "spool", *sections) as here:
                await here.seal(alerts(0, finding(severity="critical")))
                await server.wait_for(5)
            assert sorted(got.path for got in server.got) == [
                "/api/v2/alerts",
                "/falco",
                "/pd",
                "/slack/s3cret",
                "/webhook/s3cret",
            ]
            assert not [text for text in secrets.values() if text in here.said.text]

    run(life())


def test_active_alerts_are_said_again(tmp_path: Path) -> None:
    """Alertmanager hears of an alert until it ends, with the same end each time."""

    async def life() -> None:
        async with serving() as server:
            one = structs.replace(
                receiver("alertmanager", url=server.url),
                resolve_after=Duration(0.5),
                resend_every=Duration(0.1),
            )
            async with desk(tmp_path, one) as here:
                await here.seal(alerts(0))
                await server.wait_for(3)
                await asyncio.sleep(0.7)
                ended = len(server.got)
                await asyncio.sleep(0.3)
                assert len(server.got) == ended
        assert len({got.body for got in server.got}) == 1

    run(life())


def test_what_cannot_be_said_again_holds_up_nothing(tmp_path: Path) -> None:
    """A failure is counted, and left for the next time; new alerts go out meanwhile."""

    async def life() -> None:
        async with serving(200, 503) as server:
            one = structs.replace(
                receiver("alertmanager", url=server.url), resend_every=Duration(0.1)
            )
            async with desk(tmp_path, one) as here:
                await here.seal(alerts(0))
                await server.wait_for(2)
                await here.seal(alerts(1))
                await server.wait_for(3)
                assert [len(got.json) for got in server.got] == [1, 1, 1]
                await server.wait_for(4)
                assert len(server.got[3].json) == 2
            assert here.tally("alertmanager").failed == 1

    run(life())
