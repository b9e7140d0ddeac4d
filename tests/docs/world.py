"""The world that the pages' commands live in: a node's files, an archive in a bucket, a receiver.

A command in a page names things as a reader has them: `FILE`, `STORE`, `signing-key.pem.pub` in the
working directory, the bucket `audit-archive`. Here is what they stand for.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
from itertools import islice
from pathlib import Path

from click.testing import CliRunner, Result
from msgspec import structs

from bench.replay import read_lines
from shipper.cli.main import commands
from tests.conftest import DATA, ROOT
from tests.daemon import Place
from tests.docs.pages import arguments
from tests.s3.ceph import Ceph
from tests.s3.stores import store_options, write_credentials

_BUCKET = "audit-archive"
_ARCHIVE = f"s3://{_BUCKET}/k8s"
"""The store of the pages' examples."""

_LINES = 4000

_PRIVILEGED = "deploy/guardrails/base/policies/no-privileged.yaml"
_POLICIES = {
    "gatekeeper": "tests/docs/data/gatekeeper.yaml",
    "kyverno": "tests/docs/data/kyverno.yaml",
    "vpol": "tests/docs/data/vpol.yaml",
} | dict.fromkeys(("new", "no-privileged", "old", "policy", "vap"), _PRIVILEGED)
"""What the pages' policies are, by the file's name."""


class World:
    """All of it, below `root`, which commands are run in; the bucket on demand."""

    def __init__(self, root: Path, *, receiver: str) -> None:
        self.root = root
        self._place = place = Place(root)
        self._environment: dict[str, str] = {}
        place.log.write_bytes(b"".join(islice(read_lines(DATA / "demo.log.zst"), _LINES)))
        alerts = [{"type": "webhook", "name": "soc", "url": receiver, "min_severity": "critical"}]
        (root / "config.yaml").write_text(place.yaml(alerts=alerts))
        shutil.copy(place.log, root / "audit.log")
        shutil.copy(place.public, root / "signing-key.pem.pub")
        (root / "rules.d").mkdir()
        rule = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/rules.md").read_text(), re.DOTALL)[0]
        for path in (root / "shell.yaml", root / "rules.d" / "shell.yaml"):
            path.write_text(rule)
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
        (root / "web.yaml").write_text(json.dumps(service))  # JSON is YAML
        (root / "audit.log.1.gz").write_bytes(gzip.compress(place.log.read_bytes()))
        for name, policy in _POLICIES.items():
            shutil.copy(ROOT / policy, root / f"{name}.yaml")
        assert place.once() == 0, place.said.getvalue()
        self._things = {
            "/etc/audit-shipper/config.yaml": "config.yaml",
            "--config FILE": "--config config.yaml",
            "--head FILE": "--head heads.json",
            "STORE": _ARCHIVE,
            "KEY": "signing-key.pem.pub",
            "SEQ": "1",
            "NAME": "soc",
            "AUDIT.LOG": "audit.log",
            "MANIFESTS --rules PATH": "web.yaml --rules policy.yaml",
            "POLICY.yaml": str(ROOT / "config" / "audit-policy.yaml"),
            "PATHS": "rules.d",
            "PATH": "rules.d",
            "UID": str(os.getuid()),
            "GID": str(os.getgid()),
        }

    def open_bucket(self, gateway: Ceph) -> None:
        """Make the bucket of the examples, and ship the log there as they do, with their locks."""
        store = store_options(gateway, gateway.bucket(_BUCKET), "k8s", retention="400d")
        spool = {"path": str(self.root / "spool-s3")}
        config = structs.replace(self._place.config(spool=spool), store=store)
        assert self._place.once(config=config) == 0, self._place.said.getvalue()
        said = [json.loads(line) for line in self._place.said.getvalue().splitlines()]
        self._things["LOG"] = [line["log"] for line in said if line["event"] == "started"][-1]
        self._environment = {
            "AWS_SHARED_CREDENTIALS_FILE": str(write_credentials(self.root, gateway.owner)),
            "AWS_CA_BUNDLE": str(gateway.ca_bundle),
            "AWS_ENDPOINT_URL_S3": gateway.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def run(self, line: str) -> Result:
        """The program with the line's arguments; what its output is piped to is left out."""
        return CliRunner().invoke(commands, self._arguments(line), env=self._environment)

    def _arguments(self, line: str) -> list[str]:
        """What follows the program, with the things of this world in it; nothing runs for ever."""
        for name, thing in self._things.items():
            line = re.sub(rf"(?<= ){re.escape(name)}(?= |$)", thing, line)
        _, verb, *words = arguments(line)
        endless = verb in ("run", "watch") and "--once" not in words
        return [verb, *words, *(["--once"] if endless else [])]
