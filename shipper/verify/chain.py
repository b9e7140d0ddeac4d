"""What ties a manifest to the one before it: number, link, kind, time. Pure: manifests in.

Reads nothing and repairs nothing: after a break it goes on from what the record says.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import UNSET

from shipper.model import Manifest, Timestamp
from shipper.seal.manifest import FIRST_PREV, text_hash
from shipper.verify.ledger import Ledger
from shipper.verify.report import Noticed

CLOCK_TOLERANCE = timedelta(seconds=1)
"""How far the wall clock may run backwards between two manifests without a notice."""

_KEPT_BOOTS = 16


class Chain:
    """The chain so far. `seq` is the next number, `prev` the last text's hash (None: unknown)."""

    def __init__(
        self,
        log: str,
        ledger: Ledger,
        *,
        seq: int = 0,
        prev: str | None = FIRST_PREV,
        wall: datetime | None = None,
        boots: dict[str, int] | None = None,
    ) -> None:
        self.log = log
        self.seq = seq
        self.prev = prev
        self.wall = wall
        self.boots = dict(boots or {})
        self._ledger = ledger
        self._clock_step = False
        self._lock_waived = False

    def accept(self, manifest: Manifest, text: bytes) -> None:
        """Go on to `manifest`, whose note text is `text`; what does not fit is written down."""
        seq = self.seq
        if manifest.seq != seq:
            self._ledger.add("manifest-number", f"it says {manifest.seq}", seq=seq)
        if manifest.log != self.log:
            self._ledger.add("manifest-log", f"it says {manifest.log}", seq=seq)
        if self.prev is not None and manifest.prev != self.prev:
            self._ledger.add("link-broken", seq=seq)
        wrong = kind_rule(manifest)
        if wrong:
            self._ledger.add("manifest-kind", wrong, seq=seq)
        if _is_reserved(manifest):
            self._ledger.add("construct-unknown", _RESERVED, seq=seq)
        self._tell(manifest)
        self._time(manifest.time, manifest.notice is not None)
        self._clock_step = manifest.notice is not None and manifest.notice.reason == "clock-step"
        self.advance(text)

    def advance(self, text: bytes) -> None:
        """Go on to a text that this program cannot read (a newer version)."""
        self.prev = text_hash(text)
        self.seq += 1

    def jump(self, seq: int) -> None:
        """Go on at `seq` with nothing known of the manifest before it."""
        self.seq, self.prev = seq, None

    def _tell(self, manifest: Manifest) -> None:
        if manifest.lock_required is False and not self._lock_waived:
            self._lock_waived = True
            self._ledger.notice(Noticed(manifest.seq, "lock-not-required", _LOCK_WAIVED))
        notice = manifest.notice
        if notice is None:
            return
        self._ledger.notice(Noticed(manifest.seq, notice.reason, notice.detail))
        if notice.reason == "gap":
            self._ledger.add("bytes-lost", notice.detail, seq=manifest.seq)
        if notice.reason == "clock-step":
            self._clock_step = True

    def _time(self, time: Timestamp, has_notice: bool) -> None:
        wall, boot, monotonic = time.wall, time.boot_id, time.monotonic_ns
        if wall.tzinfo is not UTC:
            self._ledger.add("time-zone", seq=self.seq)
            return
        last = self.wall
        back = last - wall if last is not None else timedelta()
        if back > CLOCK_TOLERANCE and not self._clock_step:
            self._ledger.add("time-backwards", f"by {back.total_seconds():.3f} s", seq=self.seq)
        self.wall = wall
        if not boot:  # no boot id, no promise about its clock
            return
        before = self.boots.get(boot)
        if before is None:
            if len(self.boots) >= _KEPT_BOOTS:
                del self.boots[next(iter(self.boots))]
        elif monotonic < before:
            self._ledger.add("monotonic-backwards", seq=self.seq)
        self.boots[boot] = monotonic


_LOCK_WAIVED = (
    "from here on sealed with store.require_lock: false: what was stored could be deleted"
)
_RESERVED = "rotate-key, epoch and next_vkey have no meaning in version 1"


def _is_reserved(manifest: Manifest) -> bool:
    reserved = manifest.epoch is not UNSET or manifest.next_vkey is not UNSET
    return reserved or manifest.kind == "rotate-key"


def kind_rule(manifest: Manifest) -> str:
    """What in `manifest` does not fit its kind; empty if all does."""
    kind = manifest.kind
    if (kind == "genesis") != (manifest.seq == 0):
        return "number 0, and no other, is the genesis"
    if manifest.supersedes is not UNSET and kind != "genesis":
        return "only a genesis supersedes another log"
    if manifest.apiserver is not UNSET and kind not in ("heartbeat", "batch"):
        return f"a {kind} with the API server's counters"
    if (kind == "batch") != (manifest.data is not None):
        return "a batch, and nothing else, has data"
    if manifest.data is not None and not manifest.data.raw_size:
        return "a batch without a byte"
    if kind == "notice" and manifest.notice is None:
        return "a notice without its reason"
    if manifest.notice is not None and kind not in ("notice", "batch"):
        return f"a {kind} with a notice"
    if manifest.data is None and (
        manifest.range is not None or manifest.malformed_lines or manifest.findings is not None
    ):
        return "events or findings are described, but there is no data"
    return ""
