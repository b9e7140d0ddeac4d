"""The configuration: one typed page. Each field states its unit, its default and the reason.

Reads and checks text; opens nothing that the text names. Every mistake is a `ConfigError` that
names the key and the remedy.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, cast, get_args, get_type_hints

import msgspec
import yaml

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
_LISTEN = rf"^(([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):{_PORT})?$"
_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$")


class Log(Section, frozen=True):
    """Which log this is: the origin is `<origin_prefix>/<cluster>/<node>/<instance>`."""

    cluster: Annotated[str, msgspec.Meta(pattern=_NAME)] = "default"
    """The cluster's name."""
    node: Annotated[str, msgspec.Meta(pattern=_NAME)] = msgspec.field(
        default_factory=socket.gethostname
    )
    """The node's name; by default the host's."""
    origin_prefix: Annotated[str, msgspec.Meta(pattern=_ORIGIN, max_length=200)] = "audit-shipper"
    """What makes the origin unique in the world: a domain of yours."""


class Source(Section, frozen=True):
    """The audit log to follow."""

    path: Annotated[str, msgspec.Meta(pattern=r"^/[^\x00-\x1f]*$", max_length=1024)]
    """The live file (`--audit-log-path`); rotated siblings are found beside it."""
    start_at: Literal["beginning", "end"] = "beginning"
    """Where a log's very first start begins. `beginning` loses nothing, so it is the default."""


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

    key_file: Annotated[str, msgspec.Meta(pattern="^/")]
    """The Ed25519 private key, PKCS#8 PEM, that nobody else can read: mode 0600 or 0400, a systemd
    credential, or a Secret with the program's own group."""


class SpoolLimits(Section, frozen=True):
    """Where sealed records wait for the store."""

    path: Annotated[str, msgspec.Meta(pattern="^/")] = "/var/lib/audit-shipper/spool"
    """A directory on a local disk, this daemon's alone."""
    max_bytes: Size = size("10GiB")
    """At this size reading stops until the store has taken some; what was read then (1 MiB) is
    still sealed. 10 GiB is days of most logs."""


class S3Options(Section, frozen=True):
    """How to reach an S3 service. All that is left out is found as the AWS tools find it."""

    region: str = ""
    """The bucket's region; by default that of the environment or profile, else `us-east-1`."""
    endpoint_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^/?#@\s]+/?)?$")] = ""
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
    bucket_owner: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{12})?$")] = ""
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
    paths: list[Annotated[str, msgspec.Meta(pattern="^/")]] = msgspec.field(default_factory=list)
    """Rule files of yours, or directories of them (`*.yaml`, `*.yml`)."""
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

    listen: Annotated[str, msgspec.Meta(pattern=_LISTEN)] = "127.0.0.1:9465"
    """`address:port`, or empty for none. This host alone by default: the page shows findings."""


class Logging(Section, frozen=True):
    """The daemon's own log, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe line that is printed."""
    format: Literal["json", "console"] = "json"
    """`json` for machines, `console` for people."""


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


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """Read and check the file at `path`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no configuration at {path}", remedy="give --config FILE"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the configuration {path} cannot be read: {error}") from error
    try:
        return parse(text, environment)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", remedy=error.remedy) from error


def parse(text: str, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration in `text` (YAML), with `${VAR}` expanded inside string values."""
    try:
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506 a SafeLoader with duplicates refused
    except yaml.YAMLError as error:
        raise ConfigError(f"not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(raw, dict):
        raise ConfigError(
            "the configuration is not a mapping", remedy="see config/audit-shipper.yaml"
        )
    _refuse_unknown(raw, Config, "")
    expanded = _expand(raw, "", environment)
    try:
        config = msgspec.convert(expanded, Config, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise ConfigError(_plain(str(error)), remedy="see docs/configuration.md") from error
    _check_limits(config)
    receivers.check(config.alerts)
    return config


def digest(config: Config) -> str:
    """SHA-256 (hex) of the whole page, defaults included, as canonical JSON."""
    encoded = msgspec.json.encode(to_plain(config), order="sorted")
    return hashlib.sha256(encoded).hexdigest()


def to_plain(config: Config) -> dict[str, Any]:
    """The page as plain mappings, with units, as it could stand in a file."""
    return cast(dict[str, Any], msgspec.to_builtins(config, enc_hook=encode))


def schema() -> dict[str, Any]:
    """The JSON schema of the file, for editors."""
    return msgspec.json.schema(Config, schema_hook=_schema)


class _Loader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error, not a silent choice.

    As in YAML 1.2, its booleans are true and false alone (`mode: off` is text), and a date is text.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML has it
        first: [(tag, form) for tag, form in known if not tag.endswith((":bool", ":timestamp"))]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str) or key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is no text or stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def _refuse_unknown(raw: Mapping[str, Any], section: type[Section], path: str) -> None:
    fields = get_type_hints(section)
    for key, value in raw.items():
        if key == section.__struct_config__.tag_field:
            continue
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            known = f"did you mean {path}{near[0]}?" if near else f"known: {', '.join(fields)}"
            raise ConfigError(f"unknown key {path}{key}", remedy=known)
        _refuse_within(value, fields[key], f"{path}{key}")


def _refuse_within(value: Any, kind: Any, path: str) -> None:
    """Look into a section, or into a list of sections of several types."""
    if isinstance(value, list):
        for n, item in enumerate(value):
            _refuse_within(item, get_args(kind)[0], f"{path}[{n}]")
    elif isinstance(value, dict) and isinstance(kind, UnionType):
        types = {section.__struct_config__.tag: section for section in get_args(kind)}
        given = str(value.get("type", ""))
        if given not in types:
            known = f"known: {', '.join(types)}"
            raise ConfigError(f"{path}.type: {given!r} is not a type of receiver", remedy=known)
        _refuse_unknown(value, types[given], f"{path}.")
    elif isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, Section):
        _refuse_unknown(value, kind, f"{path}.")
    elif isinstance(value, dict) and get_args(kind)[1:] == (RuleOverride,):
        for name, override in value.items():
            _refuse_within(override, RuleOverride, f"{path}.{name}")


def _expand(value: Any, path: str, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: _expand(item, f"{path}.{key}" if path else key, environment)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_expand(item, f"{path}[{n}]", environment) for n, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        if match[1] is None:
            raise ConfigError(f"{path}: a lone $ in {value!r}", remedy="write $$ for a dollar")
        found = environment.get(match[1], match[2])
        if found is None:
            raise ConfigError(
                f"{path}: the environment has no {match[1]}",
                remedy=f"set it, or write ${{{match[1]}:-default}}",
            )
        return found

    return _VARIABLE.sub(replace, value)


def _decode(kind: type, value: Any) -> Any:
    parser = {Duration: parse_duration, Size: parse_size}[kind]
    if not isinstance(value, str):
        raise ValueError(f"{value!r} has no unit; write it like 10s or 8MiB")  # noqa: TRY004 msgspec adds the key to a ValueError
    try:
        return parser(value)
    except ConfigError as error:
        raise ValueError(str(error)) from error


def _schema(kind: type) -> dict[str, Any]:
    pattern = DURATION if kind is Duration else SIZE
    return {"type": "string", "pattern": f"^{pattern.pattern}$", "description": kind.__doc__}


def _plain(message: str) -> str:
    """msgspec's message with the key first: `Expected `str` - at `$.log.node`` and the like."""
    what, _, where = message.partition(" - at `$.")
    return f"{where.rstrip('`')}: {what}" if where else what


def _check_limits(config: Config) -> None:
    limits = (
        ("batch.max_bytes", config.batch.max_bytes, 64 * 2**10, 64 * 2**20, "64KiB and 64MiB"),
        ("batch.max_age", config.batch.max_age, 0.05, 3600, "50ms and 1h"),
        ("batch.heartbeat", config.batch.heartbeat, 1, 86400, "1s and 1d"),
        ("spool.max_bytes", config.spool.max_bytes, 2**20, 2**50, "1MiB and 1024TiB"),
        ("store.checkpoint_every", config.store.checkpoint_every, 0, 86400, "0s and 1d"),
        ("store.retention", config.store.retention, 86400, 36500 * 86400, "1d and 36500d"),
        ("shutdown.drain", config.shutdown.drain, 0, 3600, "0s and 1h"),
    )
    for key, value, low, high, words in limits:
        if not low <= value <= high:
            raise ConfigError(f"{key} is out of range", remedy=f"give a value between {words}")
