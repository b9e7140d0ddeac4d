"""Coverage-guided fuzzing of the rules: `make fuzz`, or `python -m tests.fuzz [SECONDS]`.

Needs atheris (`pip install -e '.[fuzz]'`); says so and does nothing without it. Not a part of
`make test`. An input that breaks something is left in the working directory as `crash-…`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

SECONDS = 60


def main(seconds: int) -> None:
    """Fuzz for so long."""
    try:
        import atheris
    except ImportError:
        sys.stderr.write("skipped: atheris is not installed (pip install -e '.[fuzz]')\n")
        return
    with atheris.instrument_imports(include=["shipper"]):
        from tests.fuzz.target import SEEDS, Target
    with tempfile.TemporaryDirectory() as name:
        corpus = Path(name) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(SEEDS):
            (corpus / str(number)).write_bytes(seed)
        limits = [f"-max_total_time={seconds}", "-max_len=8192", "-timeout=60"]
        atheris.Setup([sys.argv[0], *limits, "-rss_limit_mb=2048", str(corpus)], Target(Path(name)))
        atheris.Fuzz()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
