"""A small log in a bucket of the gateway, and the command line of whoever reads it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result
from msgspec import structs

from shipper.cli.main import commands
from shipper.config import Config, Size
from tests.daemon import Place, with_batch
from tests.s3.ceph import Ceph, Keys
from tests.s3.stores import open_s3, store_options, write_credentials

LINES = b"".join(b'{"n":%d}\n' % n for n in range(60))


def audit(ceph: Ceph, place: Place, keys: Keys, *arguments: str) -> Result:
    """`audit-shipper` with these arguments and credentials, trusting the key of `place`."""
    environment = {
        "AWS_SHARED_CREDENTIALS_FILE": str(write_credentials(place.root, keys)),
        "AWS_CA_BUNDLE": str(ceph.ca_bundle),
    }
    options = [*arguments, "--key", str(place.public)]
    result = CliRunner().invoke(commands, options, env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


class Archive:
    """A bucket with one small log in it. `keys` are those of `run`, by default the owner's."""

    def __init__(
        self, ceph: Ceph, root: Path, *, retention: str = "2d", mode: str = "COMPLIANCE"
    ) -> None:
        self.ceph = ceph
        self.bucket = ceph.bucket()
        self.place = Place(root)
        self.endpoint = ceph.endpoint
        self.keys = ceph.owner
        self._retention, self._mode = retention, mode
        self.place.log.write_bytes(LINES)
        self.ship()

    def config(self, keys: Keys | None = None) -> Config:
        """The daemon's configuration."""
        store = store_options(
            self.ceph, self.bucket, keys=keys, retention=self._retention, mode=self._mode
        )
        config = structs.replace(self.place.config(), store=store)
        return with_batch(config, max_bytes=Size(150))

    def ship(self, keys: Keys | None = None) -> None:
        """Archive what is in the audit log."""
        assert self.place.once(config=self.config(keys)) == 0, self.place.said.getvalue()

    def run(self, command: str, *options: str, url: str = "") -> Result:
        """`audit-shipper COMMAND` as the auditor calls it."""
        arguments = [command, url or f"s3://{self.bucket}/p", "--endpoint-url", self.endpoint]
        return audit(self.ceph, self.place, self.keys, *arguments, *options)

    def listed(self, place: str) -> list[str]:
        """The keys (below the store's prefix) of one of the format's places."""
        store = open_s3(self.ceph, self.bucket)
        return [entry.key for entry in store.scan("") if f"/{place}/" in entry.key]
