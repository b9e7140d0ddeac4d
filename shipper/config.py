"""The configuration: one typed page. Each field states its unit, its default and the reason.

Opens nothing that its text names. Every mistake in it is named at once, by key, value and remedy.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from shipper import receivers
from shipper.errors import ConfigError
from shipper.model import Severity
from shipper.page import (
    DURATION,
    SIZE,
    Duration,
    Section,
    Size,
    duration,
    encode,
    parse_duration,
    parse_size,
    size,
)
from shipper.reading import Limit, PageError, read

__all__ = [
    "Config",
    "Duration",
    "S3Options",
    "Size",
    "StoreOptions",
    "digest",
    "load",
    "parse",
    "parse_duration",
    "parse_size",
    "schema",
    "to_plain",
]

_NAME = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$"
_ORIGIN = r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$"
_PORT = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4})"
LISTEN = rf"^(([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):{_PORT})?$"
_Name = Annotated[
    str, Meta(pattern=_NAME, description="a name: at most 253 letters, digits, ., _ and -")
]
_Path = Annotated[str, Meta(pattern="^/", description="an absolute path")]
_OptionalPath = Annotated[str, Meta(pattern="^(/.*)?$", description="an absolute path")]


class Log(Section, frozen=True):
    """Which log this is: the origin is `<origin_prefix>/<cluster>/<node>/<instance>`."""

    cluster: _Name = "default"
    """The cluster's name."""
    node: _Name = msgspec.field(default_factory=socket.gethostname)
    """The node's name; by default the host's."""
    origin_prefix: Annotated[
        str,
        Meta(
            pattern=_ORIGIN,
            max_length=200,
            description="words of letters, digits, ., _ and -"
            " with slashes between them, at most 200 characters",
        ),
    ] = "audit-shipper"
    """What makes the origin unique in the world: a domain of yours."""


class ApiServer(Section, frozen=True):
    """The API server that writes the log: its counters say whether all of it was read."""

    url: Annotated[
        str, Meta(pattern=r"^(https?://[^/?#@\s]+(/[^?#\s]*)?)?$", description="https://host:port")
    ] = ""
    """Where this node's own kube-apiserver answers, not a load balancer; empty: it is not asked."""
    token_file: _OptionalPath = ""
    """A file with a bearer token that may `get` the non-resource URL /metrics; read at each use."""
    cert_file: _OptionalPath = ""
    """PEM file with a client certificate that may do so, instead of a token; read at each use."""
    key_file: _OptionalPath = ""
    """Its key, without a passphrase, where that is not in `cert_file`."""
    ca_file: _OptionalPath = ""
    """PEM file with the cluster's certificate authority; by default the system's."""
    server_name: str = ""
    """The name to expect in its certificate, where that is not the one in the URL."""
    every: Duration = duration("60s")
    """How often it is asked. A loss is known after three times that."""


class Source(Section, frozen=True):
    """The audit log to follow."""

    path: Annotated[
        str,
        Meta(
            pattern=r"^/[^\x00-\x1f]*$",
            max_length=1024,
            description="an absolute path of at most 1,024 characters",
        ),
    ]
    """The live file (`--audit-log-path`); rotated siblings are found beside it."""
    start_at: Literal["beginning", "end"] = "beginning"
    """Where a log's very first start begins. `beginning` loses nothing, so it is the default."""
    apiserver_metrics: ApiServer = msgspec.field(default_factory=ApiServer)


class BatchLimits(Section, frozen=True):
    """When a batch ends."""

    max_bytes: Size = size("8MiB")
    """Bytes of log in a batch. 8 MiB compresses to some 0.5 MiB and bounds the memory."""
    max_age: Duration = duration("10s")
    """The longest time a line waits for its seal; what a node's loss can cost."""
    urgent_severity: Severity = "high"
    """A finding this severe, or more, closes the batch at once, so that it is sealed and told."""
    heartbeat: Duration = duration("60s")
    """After this long without a record an empty one is sealed: silence is evidence."""


class Seal(Section, frozen=True):
    """Who signs."""

    key_file: _Path
    """The Ed25519 private key, PKCS#8 PEM, that nobody else can read: mode 0600 or 0400, a systemd
    credential, or a Secret with the program's own group."""


class SpoolLimits(Section, frozen=True):
    """Where sealed records wait for the store."""

    path: _Path = "/var/lib/audit-shipper/spool"
    """A directory on a local disk, this daemon's alone."""
    max_bytes: Size = size("10GiB")
    """At this size reading stops until the store has taken some; what was read then (1 MiB) is
    still sealed. 10 GiB is days of most logs."""


class S3Options(Section, frozen=True):
    """How to reach an S3 service. All that is left out is found as the AWS tools find it."""

    region: str = ""
    """The bucket's region; by default that of the environment or profile, else `us-east-1`."""
    endpoint_url: Annotated[
        str, Meta(pattern=r"^(https?://[^/?#@\s]+/?)?$", description="https://host[:port]")
    ] = ""
    """`https://host[:port]` of a service that is not AWS; by default AWS's own for the region."""
    addressing_style: Literal["auto", "path", "virtual"] = "auto"
    """`virtual`: bucket.host, `path`: host/bucket; `auto`: virtual at AWS, path elsewhere."""
    ca_bundle: str = ""
    """PEM file with the certificate authorities to trust, where the system's are not enough."""
    credentials_file: str = ""
    """A file in the form of `~/.aws/credentials`; it is read again when the store refuses. By
    default the usual AWS chain: environment, profile, web identity, container and instance role."""
    profile: str = ""
    """The profile in it, or in `~/.aws`; by default `AWS_PROFILE`, else `default`."""
    sse: Literal["", "AES256", "aws:kms"] = ""
    """Server-side encryption to ask for; by default as the bucket says."""
    sse_kms_key_id: str = ""
    """The KMS key (`aws:kms`); by default the bucket's."""
    bucket_owner: Annotated[
        str, Meta(pattern=r"^([0-9]{12})?$", description="an account's 12 digits")
    ] = ""
    """The account that must own the bucket: a bucket of the same name elsewhere is refused."""


class StoreOptions(Section, frozen=True):
    """The archive."""

    url: str
    """`s3://bucket/prefix`, or `file:///absolute/path`, a write-once directory."""
    checkpoint_every: Duration = duration("60s")
    """The shortest time between two shipped checkpoints: bounds their number."""
    immutable: bool = False
    """Directory: set the file system's immutable flag on each object (CAP_LINUX_IMMUTABLE)."""
    retention: Duration = duration("400d")
    """S3: how long nobody can delete an object. 400 days are a year and the time to look at it."""
    mode: Literal["COMPLIANCE", "GOVERNANCE"] = "COMPLIANCE"
    """S3: whom the lock binds: everybody, or all but those who may bypass it."""
    lock: Literal["object", "bucket-default"] = "object"
    """S3: each upload carries its lock, or relies on the bucket's default retention: then the
    writer needs no s3:PutObjectRetention."""
    confirm: Literal["all", "sample", "none"] = "sample"
    """S3: whether the lock in force is read back: of each object, of the first and then one in a
    hundred, or of none."""
    require_lock: bool = True
    """S3: refuse a bucket without Object Lock. `false` is written into every manifest."""
    s3: S3Options = msgspec.field(default_factory=S3Options)


class RuleOverride(Section, frozen=True):
    """What the configuration changes of one rule; what is left out stays as the rule says."""

    severity: Severity | None = None
    """Another severity."""
    mode: Literal["alert", "shadow", "off"] | None = None
    """`shadow`: sealed, nobody is alerted; `off`: the rule is not asked."""
    exceptions: list[dict[str, Any]] = msgspec.field(default_factory=list)
    """Added to the rule's own, in the same form: `match`, `when`, `until`, `reason`."""


class Rules(Section, frozen=True):
    """The guardrail rules in force."""

    catalog: Literal["default", "none"] = "default"
    """The rules that come with the program, or none of them."""
    paths: list[_Path] = msgspec.field(default_factory=list)
    """Rule files of yours, or directories of them (`*.yaml`, `*.yml`), and policies that your
    cluster enforces: ValidatingAdmissionPolicy, Kyverno, Gatekeeper, Sigma, Falco."""
    policies: Literal["fixed", "from-log"] = "fixed"
    """`fixed`: writes are judged by the policies in `paths`. `from-log`: those are where it starts,
    and policies, bindings, parameters, exceptions and Namespaces in the log keep them current."""
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    """Values for parameters that rules declare: allowed registries, protected namespaces, …"""
    overrides: dict[str, RuleOverride] = msgspec.field(default_factory=dict)
    """By the name of a rule, yours or the catalog's: another severity or mode, more exceptions."""


class Shutdown(Section, frozen=True):
    """How to end."""

    drain: Duration = duration("20s")
    """How long to go on shipping once told to stop; what is left waits in the spool."""


class Health(Section, frozen=True):
    """Where to ask how the daemon is doing: probes, metrics, status page."""

    listen: Annotated[
        str, Meta(pattern=LISTEN, description="address:port, [address]:port or empty")
    ] = "127.0.0.1:9465"
    """`address:port`, or empty for none. This host alone by default: the page shows findings."""


class Logging(Section, frozen=True):
    """The daemon's own log, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe line that is printed."""
    format: Literal["json", "console"] = "json"
    """`json` for machines, `console` for people."""


MAX_BYTES = 4 * 2**20
"""Of a file: ten thousand overrides fit."""

LIMITS = {
    "source.apiserver_metrics.every": Limit(10, 3600, "10s and 1h"),
    "batch.max_bytes": Limit(64 * 2**10, 64 * 2**20, "64KiB and 64MiB"),
    "batch.max_age": Limit(0.05, 3600, "50ms and 1h"),
    "batch.heartbeat": Limit(1, 86400, "1s and 1d"),
    "spool.max_bytes": Limit(2**20, 2**50, "1MiB and 1024TiB"),
    "store.checkpoint_every": Limit(0, 86400, "0s and 1d"),
    "store.retention": Limit(86400, 36500 * 86400, "1d and 36500d"),
    "shutdown.drain": Limit(0, 3600, "0s and 1h"),
    **receivers.LIMITS,
}


class Config(Section, frozen=True):
    """The whole page."""

    source: Source
    seal: Seal
    store: StoreOptions
    log: Log = msgspec.field(default_factory=Log)
    batch: BatchLimits = msgspec.field(default_factory=BatchLimits)
    spool: SpoolLimits = msgspec.field(default_factory=SpoolLimits)
    rules: Rules = msgspec.field(default_factory=Rules)
    shutdown: Shutdown = msgspec.field(default_factory=Shutdown)
    health: Health = msgspec.field(default_factory=Health)
    logging: Logging = msgspec.field(default_factory=Logging)
    alerts: tuple[receivers.Receiver, ...] = ()
    """Who is told of findings."""


class AlertsPage(Section, frozen=True):
    """The receivers alone, for who has nothing else to configure: a watch over an archive."""

    alerts: tuple[receivers.Receiver, ...]
    """Who is told."""


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """Read and check the file at `path`."""
    with _mistakes_within(path):
        return parse(_text(path), environment)


def load_alerts(
    path: Path, environment: Mapping[str, str] = os.environ
) -> tuple[receivers.Receiver, ...]:
    """The receivers in the file at `path`, which holds `alerts` and nothing else."""
    with _mistakes_within(path):
        page = read(_text(path), AlertsPage, environment=environment, limits=LIMITS)
        _refuse(receivers.mistakes(page.alerts))
        return page.alerts


def parse(text: str, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration in `text` (YAML), with `${VAR}` expanded inside string values."""
    config = read(text, Config, environment=environment, limits=LIMITS)
    _refuse([*_mistakes(config.source.apiserver_metrics), *receivers.mistakes(config.alerts)])
    return config


def _mistakes(options: ApiServer) -> Iterator[ConfigError]:
    """What is wrong where each key by itself is right."""
    here = "source.apiserver_metrics"
    if (options.token_file or options.cert_file) and options.url.startswith("http:"):
        says = f"{here}.url: neither a token nor a certificate is sent over http"
        yield ConfigError(says, remedy="write https://")
    if options.key_file and not options.cert_file:
        yield ConfigError(f"{here}.key_file: there is no cert_file", remedy="name it, or neither")
    try:
        urlsplit(options.url).port  # noqa: B018 it is what raises
    except ValueError:
        yield ConfigError(
            f"{here}.url: it has no port that can be", remedy="write https://host:port"
        )


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError(f"the configuration {path} is longer than {MAX_BYTES >> 20} MiB")
        return data.decode("utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no configuration at {path}", remedy="give --config FILE"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the configuration {path} cannot be read: {error}") from error


@contextmanager
def _mistakes_within(path: Path) -> Iterator[None]:
    try:
        yield
    except PageError as error:
        raise error.within(str(path)) from error


def _refuse(mistakes: Iterable[ConfigError]) -> None:
    if found := list(mistakes):
        raise PageError(found)


def digest(config: Config) -> str:
    """SHA-256 (hex) of the whole page, defaults included, as canonical JSON."""
    encoded = msgspec.json.encode(to_plain(config), order="sorted")
    return hashlib.sha256(encoded).hexdigest()


def to_plain(config: Config) -> dict[str, Any]:
    """The page as plain mappings, with units, as it could stand in a file."""
    return cast(dict[str, Any], msgspec.to_builtins(config, enc_hook=encode))


def schema() -> dict[str, Any]:
    """The JSON schema of the file, for editors, with what each key is for."""
    from shipper.described import describe  # parses the source: nobody else needs that

    made = msgspec.json.schema(Config, schema_hook=_schema)
    describe(made, Config)
    return made


def _schema(kind: type) -> dict[str, Any]:
    pattern = DURATION if kind is Duration else SIZE
    return {"type": "string", "pattern": f"^{pattern.pattern}$", "description": kind.__doc__}
