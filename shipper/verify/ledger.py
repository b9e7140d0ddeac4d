"""Where the problems of one log are written down while it is verified.

Keeps a hundred of each code and counts the rest: a flood fills no memory and hides no other code.
Refuses codes that the table does not have.
"""

from __future__ import annotations

from collections import Counter

from shipper.verify.codes import MEANINGS
from shipper.verify.report import Noticed, Problem, Question, State, Verdicts, together

KEPT_OF_A_CODE = 100
"""Problems of one code that are kept of each log; the others are counted."""

KEPT_NOTICES = 1_000

_DETAIL_CHARACTERS = 1_000
_BREAKS_OFF = frozenset({"store-failed", "check-failed", "nothing-found"})


class Ledger:
    """The problems of the log at `log` (its origin, as soon as that is known)."""

    def __init__(self, log: str) -> None:
        self.log = log
        self.problems: list[Problem] = []
        self.more_problems: Counter[str] = Counter()
        self.notices: list[Noticed] = []
        self.more_notices = 0
        self.broken_off = False
        self._counts: Counter[str] = Counter()
        self._kept: set[tuple[str, str, int | None, str | None]] = set()
        self._found: dict[Question, State] = {}

    def add(
        self, code: str, detail: str = "", *, seq: int | None = None, key: str | None = None
    ) -> None:
        """Write down a problem, once. `detail` completes the sentence of its code."""
        if (code, detail, seq, key) in self._kept:
            return
        meaning = MEANINGS[code]
        self.broken_off |= code in _BREAKS_OFF
        state: State = "unknown" if meaning.unknown else "fails"
        self._found[meaning.verdict] = together(
            (state, self._found.get(meaning.verdict, "not asked"))
        )
        self._counts[code] += 1
        if self._counts[code] > KEPT_OF_A_CODE:
            self.more_problems[code] += 1
            return
        self._kept.add((code, detail, seq, key))
        self.problems.append(
            Problem(
                verdict=meaning.verdict,
                state="unknown" if meaning.unknown else "fails",
                code=code,
                log=plain(self.log),
                seq=seq,
                key=None if key is None else plain(key),
                says=f"{meaning.says}: {plain(detail)}" if detail else meaning.says,
            )
        )

    def notice(self, noticed: Noticed) -> None:
        """Write down what the daemon itself has sealed as remarkable."""
        if len(self.notices) < KEPT_NOTICES:
            self.notices.append(noticed)
        else:
            self.more_notices += 1

    def fails(self, question: Question) -> bool:
        """Whether anything was found that counts against it."""
        return self._found.get(question) is not None or self.broken_off

    def verdicts(self, *, freshness_asked: bool, retention_asked: bool = False) -> Verdicts:
        """The answers. A check that broke off proves nothing beyond what it found wrong."""
        otherwise: State = "unknown" if self.broken_off else "holds"
        freshness: State = otherwise if freshness_asked else "not asked"
        retention: State = otherwise if retention_asked else "not asked"
        return Verdicts(
            integrity=self._found.get("integrity", otherwise),
            completeness=self._found.get("completeness", otherwise),
            freshness=self._found.get("freshness", freshness),
            retention=self._found.get("retention", retention),
        )


def plain(text: str) -> str:
    """`text` of bounded length that every encoding and terminal can take."""
    shown = text if len(text) <= _DETAIL_CHARACTERS else text[:_DETAIL_CHARACTERS] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)
