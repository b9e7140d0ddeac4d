"""`docs/configuration.md` and `config/audit-shipper.yaml` say what `shipper/config.py` does."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipper import config
from shipper.errors import ConfigError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text()
EXAMPLE = (ROOT / "config" / "audit-shipper.yaml").read_text()
LEAST = {
    "source": {"path": "/var/log/audit.log"},
    "seal": {"key_file": "/etc/key.pem"},
    "store": {"url": "file:///srv/archive"},
}
HOST = {"HOSTNAME": "cp-1"}
RECEIVERS: dict[str, dict[str, Any]] = {
    "webhook": {"url": "https://a"},
    "slack": {"url_file": "/a"},
    "alertmanager": {"url": "https://a"},
    "pagerduty": {"routing_key_file": "/a"},
    "falcosidekick": {"url": "https://a"},
}
"""Each type of receiver, with the keys that it needs. In the page `alerts[].name` is a key of every
receiver, `alerts[slack].url_file` one of that type."""
COMMON = {"name", "min_severity", "rules", "namespaces", "timeout", "give_up_after", "ca_bundle"}

UNITS = {"size": ("B", config.parse_size, 1), "duration": ("ms", config.parse_duration, 0.001)}


def keys() -> Iterator[tuple[str, bool]]:
    """Every key of the schema with its section, and whether it is required."""
    sections = config.schema()["$defs"]

    def below(section: dict[str, Any], path: str) -> Iterator[tuple[str, bool]]:
        for key, body in section["properties"].items():
            reference = body.get("$ref", "").rpartition("/")[2]
            if reference:
                yield from below(sections[reference], f"{path}{key}.")
            elif path + key != "alerts":
                yield path + key, key in section["required"]

    yield from below(sections["Config"], "")
    receivers = sections["Config"]["properties"]["alerts"]["items"]["discriminator"]["mapping"]
    assert set(receivers) == set(RECEIVERS)
    for type_, reference in receivers.items():
        section = sections[reference.rpartition("/")[2]]
        for key in section["properties"].keys() - {"type"}:
            if key not in COMMON:
                yield f"alerts[{type_}].{key}", key in section["required"]
            elif type_ == "webhook":
                yield f"alerts[].{key}", key in section["required"]


def rows() -> dict[str, list[str]]:
    """The cells behind each key in the page's tables."""
    found = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if match := re.fullmatch(r"`([a-z_]+(?:\[[a-z]*\])?(?:\.[a-z0-9_]+)+)`", cells[0]):
            assert match[1] not in found
            found[match[1]] = cells[1:]
    return found


def with_key(key: str, value: Any) -> str:
    page: dict[str, Any] = copy.deepcopy(LEAST)
    if match := re.fullmatch(r"alerts\[(\w*)\]\.(\w+)", key):
        type_ = match[1] or "webhook"
        page["alerts"] = [{"type": type_, "name": "a", **RECEIVERS[type_], match[2]: value}]
        if match[2] == "url_file" and type_ == "webhook":
            del page["alerts"][0]["url"]
        return str(yaml.safe_dump(page))
    *sections, name = key.split(".")
    inner = page
    for section in sections:
        inner = inner.setdefault(section, {})
    inner[name] = value
    return str(yaml.safe_dump(page))


def defaults() -> dict[str, Any]:
    found = flat(config.to_plain(config.parse(yaml.safe_dump(LEAST))))
    receivers = [{"type": type_, "name": type_, **keys} for type_, keys in RECEIVERS.items()]
    page = config.to_plain(config.parse(yaml.safe_dump(LEAST | {"alerts": receivers})))
    page["alerts"][0]["url"] = ""  # given only because a webhook needs one of two keys
    for receiver in page["alerts"]:
        for key, value in receiver.items():
            found[f"alerts[{'' if key in COMMON else receiver['type']}].{key}"] = value
    return found


def said_as(key: str) -> str:
    """The pattern of the key in an error."""
    return re.escape(re.sub(r"\[\w*\]", "[0]", key))


def in_yaml(value: Any) -> str:
    if isinstance(value, tuple):
        return str(list(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_key_stands_in_the_page() -> None:
    """The page's tables have each key of the schema once, and no other."""
    assert sorted(rows()) == sorted(key for key, _ in keys())


@pytest.mark.parametrize(("key", "required"), list(keys()))
def test_the_page_states_the_default(key: str, required: bool) -> None:
    """A default in the page is the one that the program takes; without one the key is required."""
    stated = rows()[key][1]
    if required:
        assert stated == "required"
    elif key == "log.node":
        assert stated == "the host's name"
    else:
        assert stated == (f"`{in_yaml(defaults()[key])}`" if defaults()[key] != "" else "empty")


@pytest.mark.parametrize(
    ("key", "kind", "low", "high"),
    [
        (key, cells[0], *match.groups())
        for key, cells in rows().items()
        if (match := re.fullmatch(r"`(\w+)` to `(\w+)`", cells[2]))
    ],
)
def test_the_page_states_the_limits(key: str, kind: str, low: str, high: str) -> None:
    """Both bounds in the page are accepted, and the next value beyond each is refused."""
    for value in (low, high):
        config.parse(with_key(key, value))
    unit, parse, step = UNITS[kind]
    beyond = [parse(high) / step + 1]
    if parse(low):
        beyond.append(parse(low) / step - 1)
    for number in beyond:
        with pytest.raises(ConfigError, match=f"{said_as(key)}: .* is out of range"):
            config.parse(with_key(key, f"{round(number)}{unit}"))


@pytest.mark.parametrize(
    ("key", "choices"),
    [(key, re.findall(r"`([\w:-]+)`", row[0])) for key, row in rows().items() if "`" in row[0]],
)
def test_the_page_states_the_choices(key: str, choices: list[str]) -> None:
    """Each value that the page offers is accepted, and no other text is."""
    for choice in choices:
        config.parse(with_key(key, yaml.safe_load(choice)))
    with pytest.raises(ConfigError, match=said_as(key)):
        config.parse(with_key(key, "something-else"))


def test_every_key_with_limits_or_choices_is_tested() -> None:
    """The tables have a column of limits for each size and duration."""
    measured = [key for key, cells in rows().items() if cells[0] in UNITS]
    assert all(" to " in rows()[key][2] for key in measured)
    assert len(measured) == 16


def test_the_example_is_valid_and_has_the_defaults() -> None:
    """The example as it stands sets the three required keys and nothing else."""
    loaded = config.parse(EXAMPLE, {})
    assert loaded.source.path == "/var/log/kubernetes/audit/audit.log"
    required = {key for key, needed in keys() if needed and not key.startswith("alerts")}
    assert set(flat(yaml.safe_load(EXAMPLE))) == required


def test_the_example_shows_every_key_with_its_default() -> None:
    """With its keys uncommented the example has every key there is, each with its default."""
    whole = re.sub(r"^( *)# ?(?=( *)(# |[a-z0-9_]+:( |$)))", r"\1", EXAMPLE, flags=re.MULTILINE)
    written = flat(yaml.safe_load(whole))
    assert written.pop("alerts") == []
    single = {key for key, _ in keys() if not key.startswith("alerts")}
    assert set(written) == single
    given = {key for key, needed in keys() if needed} | {"log.node"}
    assert {k: v for k, v in written.items() if k not in given} == {
        k: v for k, v in defaults().items() if k in single - given
    }
    assert config.parse(whole, HOST).log.node == "cp-1"


def flat(page: dict[str, Any], path: str = "") -> dict[str, Any]:
    """The page's keys with their sections; an empty mapping is a value."""
    found: dict[str, Any] = {}
    for key, value in page.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{path}{key}.")
        else:
            found[path + key] = list(value) if isinstance(value, tuple) else value
    return found
