"""The configuration page: defaults, units, variables, and mistakes that name themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper import config
from shipper.errors import ConfigError
from shipper.reading import PageError

LEAST = """
source: {path: /var/log/audit.log}
seal: {key_file: /etc/key.pem}
store: {url: "file:///srv/archive"}
"""


def test_three_keys_are_enough() -> None:
    """Everything but the log, the key and the store has a default."""
    loaded = config.parse(LEAST)
    assert loaded.batch.max_bytes == 8 * 2**20
    assert float(loaded.batch.max_age) == 10
    assert loaded.spool.max_bytes == 10 * 2**30
    assert float(loaded.shutdown.drain) == 20
    assert loaded.log.node


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "source: it is required"),
        (LEAST + "sourse: {}", r"sourse: unknown key; did you mean source\?"),
        (
            LEAST + "batch: {max_agee: 1s}",
            r"batch.max_agee: unknown key; did you mean batch.max_age",
        ),
        (LEAST + "rule: {}", r"rule: unknown key; did you mean rules\?"),
        (
            LEAST + "rules: {paths: [rules.d]}",
            r"rules.paths\[0\]: 'rules.d' is not an absolute path",
        ),
        (
            LEAST + "rules: {overrides: {x: {mode: no}}}",
            "overrides.x.mode: 'no' is not one of 'alert', 'shadow', 'off'",
        ),
        (
            LEAST + "rules: {overrides: {x: {sevrity: low}}}",
            "rules.overrides.x.sevrity: unknown key; did you mean rules.overrides.x.severity",
        ),
        (LEAST + "batch: {max_age: 10}", "batch.max_age: 10 has no unit"),
        (LEAST + "batch: {max_age: 10 parsecs}", "batch.max_age: .* is not a duration"),
        (LEAST + "batch: {max_bytes: 8MiBs}", "batch.max_bytes: .* is not a size"),
        (LEAST + "batch: {max_bytes: 1KiB}", "batch.max_bytes: '1KiB' is out of range"),
        (LEAST + "log: {node: a/b}", "log.node"),
        (LEAST + "log: {cluster: 7}", "log.cluster: 7 is not a name"),
        (LEAST + "source: {path: /x}", "the key 'source' .* stands twice"),
        (LEAST.replace("/var/log", "var/log"), "source.path"),
        (LEAST + "logging: {level: loud}", "logging.level"),
        (LEAST + "log: {cluster: '${NOPE}'}", "log.cluster: the environment has no NOPE"),
        (LEAST + "log: {cluster: 'a$b'}", r"log.cluster: there is a lone \$ in 'a\$b'"),
        (LEAST + "store: [", "not YAML"),
        ("- a", "not a mapping"),
        (LEAST + "alerts: {}", "alerts: {} is not a list"),
        (LEAST + "alerts: [slack]", r"alerts\[0\]: 'slack' is not a mapping"),
        (LEAST + "alerts: [{name: a}]", r"alerts\[0\].type: it is required; give one of webhook,"),
        (LEAST + "alerts: [{type: slak}]", r"alerts\[0\].type: 'slak' is not a type"),
        (
            LEAST + "alerts: [{type: slack, name: a, url_fil: /a}]",
            r"alerts\[0\].url_fil: unknown key; did you mean alerts\[0\].url_file\?",
        ),
        (
            LEAST + "alerts: [{type: slack, name: a}]",
            r"alerts\[0\].url_file: it is required; give an absolute path",
        ),
        (LEAST + "alerts: [{type: slack, name: a b, url_file: /a}]", r"alerts\[0\].name"),
        (LEAST + "alerts: [{type: webhook, name: a}]", r"alerts\[0\]: url or url_file is needed"),
        (
            LEAST + "alerts: [{type: webhook, name: a, url: 'https://user:pw@b'}]",
            r"alerts\[0\].url",
        ),
        (
            LEAST + "alerts: [&a {type: slack, name: a, url_file: /a}, *a]",
            r"alerts\[1\].name: 'a' stands twice",
        ),
        ("1: 2", "the key 1"),
        (LEAST + "log: !!python/object:os.system {}", "not YAML"),
    ],
)
def test_mistakes_name_the_key_and_the_remedy(text: str, message: str) -> None:
    """Each mistake is one line of the error, that says where it is."""
    with pytest.raises(PageError, match=message) as caught:
        config.parse(text, {})
    many = len(caught.value.mistakes)
    assert str(caught.value).count("\n") == (many if many > 1 else 0)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("url: 'http://a', token_file: /t", "url: neither a token nor a certificate is sent"),
        ("url: 'http://a', cert_file: /c", "url: neither a token nor a certificate is sent"),
        ("url: 'https://a:b', token_file: /t", "url: it has no port that can be"),
        ("url: 'https://a:65536'", "url: it has no port that can be"),
        ("url: 'https://user:pw@a'", r"url: .* is not https://host:port"),
        ("url: 'https://a', key_file: /k", "key_file: there is no cert_file"),
        ("url: 'https://a', token_file: t", "token_file: 't' is not an absolute path"),
        ("every: 1s", "every: '1s' is out of range"),
    ],
)
def test_mistakes_about_the_api_server(keys: str, message: str) -> None:
    """Nothing secret goes over http, and no daemon starts with an address that it cannot ask."""
    asked = f"audit.log, apiserver_metrics: {{{keys}}}}}"
    with pytest.raises(PageError, match=f"source.apiserver_metrics.{message}"):
        config.parse(LEAST.replace("audit.log}", asked), {})


def test_every_mistake_is_named_at_once() -> None:
    """Unknown keys, variables, types, limits and what is missing, each with its key; the order is
    that of the page."""
    text = """
    source: {path: audit.log, start_at: middle}
    batch: {max_age: 10, max_bytes: 1GiB, heartbeat: 60s, max_lines: 5}
    log: {cluster: "${NOPE}", node: a/b}
    store: {retention: 1y}
    alerts: [{type: webhook, name: a, url: "https://soc/?token=hunter2 x", timeout: 1h}]
    """
    with pytest.raises(PageError) as caught:
        config.parse(text, {})
    assert [one.message.split(":")[0] for one in caught.value.mistakes] == [
        "log.cluster",
        "source.path",
        "source.start_at",
        "batch.max_age",
        "batch.max_bytes",
        "batch.max_lines",
        "log.node",
        "store.retention",
        "store.url",
        "alerts[0].url",
        "alerts[0].timeout",
        "seal",
    ]
    assert all(one.remedy for one in caught.value.mistakes)
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).startswith("there are 12 mistakes:\n  log.cluster: the environment")


def test_a_page_full_of_mistakes_is_no_flood() -> None:
    """A hundred are named, and long values are cut."""
    text = LEAST + "rules: {paths: [" + ", ".join(["x" * 500] * 1000) + "]}"
    with pytest.raises(PageError) as caught:
        config.parse(text, {})
    assert len(caught.value.mistakes) == 100
    assert len(str(caught.value)) < 20_000


def test_variables_are_expanded_in_values_only() -> None:
    """`${VAR}`, `${VAR:-default}` and `$$`, after parsing: a value cannot smuggle in YAML."""
    text = LEAST + "log: {cluster: '${C}', node: '${N:-n-1}'}\nspool: {path: '/a$$b'}"
    loaded = config.parse(text, {"C": "prod"})
    assert (loaded.log.cluster, loaded.log.node, loaded.spool.path) == ("prod", "n-1", "/a$b")
    with pytest.raises(ConfigError, match=r"log\.cluster"):
        config.parse(text, {"C": "x}\nstore: {url: y"})


def test_off_is_a_text_and_a_date_is_one() -> None:
    """As in YAML 1.2: only true and false are booleans, so `mode: off` is what it seems."""
    text = LEAST + "rules: {params: {day: 2026-11-23}, overrides: {x: {mode: off}}}"
    loaded = config.parse(text, {})
    assert loaded.rules.overrides["x"].mode == "off"
    assert loaded.rules.params == {"day": "2026-11-23"}


def test_the_shown_page_reads_back_the_same() -> None:
    """`config show` is a configuration, with the same hash."""
    import yaml

    loaded = config.parse(LEAST + "batch: {max_age: 200ms, max_bytes: 1MB}")
    again = config.parse(yaml.safe_dump(config.to_plain(loaded)))
    assert again == loaded
    assert config.digest(again) == config.digest(loaded)


def test_an_unreadable_file_is_one_clear_error(tmp_path: Path) -> None:
    """Missing, not UTF-8, or a directory: the path is named."""
    with pytest.raises(ConfigError, match="there is no configuration at"):
        config.load(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path)
    (tmp_path / "latin").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path / "latin")
    with pytest.raises(ConfigError, match="longer than 4 MiB"):
        config.load(Path("/dev/zero"))


def test_a_long_number_does_not_pass_for_a_duration() -> None:
    """Durations and sizes are exact about their form."""
    for text in ("", "1", "s", "1 s s", "-1s", "1e3s", "\u0661s"):
        with pytest.raises(ConfigError):
            config.parse_duration(text)
    assert float(config.parse_duration("1.5h")) == 5400
    assert config.parse_size("10GB") == 10**10
