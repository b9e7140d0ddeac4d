"""Many logs over several processes. Results are small; a worker that dies is a verdict, no crash.

Does not verify anything itself, and starts no process for a single log.
"""

from __future__ import annotations

import multiprocessing
import queue
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.context import SpawnContext
from typing import Any

from shipper.errors import ShipperError
from shipper.seal.keys import VerifierKey
from shipper.store.base import Store
from shipper.verify.heads import SeenLog
from shipper.verify.identity import lies_at
from shipper.verify.log import verify_log
from shipper.verify.outcome import Outcome
from shipper.verify.request import Progress, Request

Opener = Callable[[], Store]

_POLL_SECONDS = 0.2


def verify_logs(
    open_store: Opener,
    paths: Sequence[str],
    keys: Sequence[VerifierKey],
    request: Request,
    *,
    seen: Mapping[str, SeenLog],
    workers: int,
    progress: Progress,
) -> list[Outcome]:
    """The outcome of each log, in the order of `paths`."""
    workers = min(workers, len(paths))
    if workers <= 1:
        store = open_store()
        return [
            verify_log(store, path, keys, request, seen=_of(seen, path), progress=progress)
            for path in paths
        ]
    public = [key.public for key in keys]
    pool = _Pool((open_store, public, request), workers, progress)
    tasks = {path: _of(seen, path) for path in paths}
    done = pool.run(tasks)
    # A dead worker breaks its whole pool. Each log that is left gets a process of its own, so that
    # the one that kills its verifier blinds nobody to the others.
    for path in paths:
        if path not in done:
            done |= _Pool((open_store, public, request), 1, progress).run({path: tasks[path]})
    return [done.get(path) or _died(path) for path in paths]


def _of(seen: Mapping[str, SeenLog], path: str) -> dict[str, SeenLog]:
    return {origin: log for origin, log in seen.items() if lies_at(origin, path)}


def _died(path: str) -> Outcome:
    outcome = Outcome(path, path)
    outcome.ledger.add("check-failed", "its process died; is there enough memory?")
    return outcome


class _Pool:
    def __init__(
        self, setup: tuple[Opener, list[bytes], Request], workers: int, progress: Progress
    ) -> None:
        self._context: SpawnContext = multiprocessing.get_context("spawn")
        self._setup = setup
        self._workers = workers
        self._progress = progress

    def run(self, tasks: Mapping[str, Mapping[str, SeenLog]]) -> dict[str, Outcome]:
        """The outcomes of those whose worker lived."""
        told: Any = self._context.Queue()
        with ProcessPoolExecutor(
            self._workers,
            mp_context=self._context,
            initializer=_begin,
            initargs=(*self._setup, told),
        ) as executor:
            futures = {executor.submit(_verify, path, seen): path for path, seen in tasks.items()}
            self._watch(set(futures), told)
        done = {}
        for future, path in futures.items():
            error = future.exception()
            if error is None:
                done[path] = future.result()
            elif isinstance(error, ShipperError):
                raise error
        return done

    def _watch(self, waiting: set[Future[Outcome]], told: Any) -> None:
        while waiting:
            _, waiting = wait(waiting, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            while True:
                try:
                    self._progress(*told.get_nowait())
                except queue.Empty:
                    break


class _Worker:
    """What a worker process holds; set once by `_begin`."""

    store: Store
    keys: list[VerifierKey]
    request: Request
    progress: Progress


def _begin(open_store: Opener, public: list[bytes], request: Request, told: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker without a traceback
    told.cancel_join_thread()  # a worker that has ended waits for nobody to read its progress
    _Worker.store = open_store()
    _Worker.keys = [VerifierKey(key) for key in public]
    _Worker.request = request
    _Worker.progress = staticmethod(lambda *what: told.put(what))


def _verify(path: str, seen: Mapping[str, SeenLog]) -> Outcome:
    worker = _Worker
    return verify_log(
        worker.store, path, worker.keys, worker.request, seen=seen, progress=worker.progress
    )
