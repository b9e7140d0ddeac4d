"""`python -m bench [NAME ...] [--quick] [--full]`: run the benchmarks and print one table.

With `--quick` nothing is judged: start-up weighs too much in small runs. The exit code is 0 whether
targets are met or not (a busy machine misses them), and 1 if a benchmark could not be run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from bench import (
    backlog,
    backtest,
    capture,
    first_batch,
    follow,
    latency,
    memory,
    mixed,
    policies,
    rules,
    s3_capture,
    s3_follow,
    s3_latency,
    start,
    verify,
    year,
)
from bench.bench import Bench, NoRoomError, prepared
from bench.corpus import NoCorpusError
from bench.process import ProgramFailedError
from bench.services import NoServiceError
from bench.table import Row, render

BENCHMARKS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "start": start.rows,
    "capture": capture.rows,
    "memory": memory.rows,
    "follow": follow.rows,
    "latency": latency.rows,
    "verify": verify.rows,
    "rules": rules.rows,
    "policies": policies.rows,
    "mixed": mixed.rows,
    "backtest": backtest.rows,
    "year": year.rows,
    "s3-capture": s3_capture.rows,
    "s3-follow": s3_follow.rows,
    "s3-latency": s3_latency.rows,
    "backlog": backlog.rows,
    "first-batch": first_batch.rows,
}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure audit-shipper; docs/performance.md explains."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="small runs, no verdicts")
    parser.add_argument("--full", action="store_true", help="memory over 10 GB")
    given = parser.parse_args()
    unknown = set(given.names) - BENCHMARKS.keys()
    if unknown:
        parser.error(
            f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}"
        )
    rows: list[Row] = []
    broken = False
    try:
        with prepared(quick=given.quick, full=given.full) as bench:
            for name in given.names or BENCHMARKS:
                try:
                    found = BENCHMARKS[name](bench)
                    rows += (row._replace(ok=None) for row in found) if given.quick else found
                except NoServiceError as error:
                    broken = True
                    rows.append(Row(name, f"could not be run: {error}", "", False))
                except (NoCorpusError, NoRoomError, ProgramFailedError, TimeoutError) as error:
                    broken = True
                    bench.say(str(error))
                    rows.append(Row(name, "could not be run", "", False))
    except KeyboardInterrupt:
        broken = True
    if rows:
        print(render(rows))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
