"""Kyverno's functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from shipper.rules.dialects.kyverno.errors import EvaluationError, UndecidedError
from shipper.rules.dialects.kyverno.meter import Meter
from shipper.rules.dialects.kyverno.query import Interpreter, compiled


def _ask(text: str, data: Any = None) -> Any:
    return Interpreter(Meter()).ask(compiled(text), data)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("compare('a', 'b')", -1),
        ("equal_fold('Go', 'GO')", True),
        ("replace('aaa', 'a', 'b', `2`)", "bba"),
        ("replace_all('aaa', 'a', 'b')", "bbb"),
        ("to_upper('a')", "A"),
        ("trim('xxaxx', 'x')", "a"),
        ("trim_prefix('xxa', 'x')", "xa"),
        ("split('a,b', ',')", ["a", "b"]),
        ("regex_match('^[a-z]+$', 'abc')", True),
        ("regex_match('^1.$', `12`)", True),
        ("regex_replace_all('([a-z])(\\d)', 'a1b2', '$2${1}$$')", "1a$2b$"),
        ("regex_replace_all_literal('[0-9]', 'a1', '$1')", "a$1"),
        ("pattern_match('a*', 'abc')", True),
        ('label_match(`{"a":"b"}`, `{"a":"b","c":"d"}`)', True),
        ('label_match(`{"a":"b"}`, `{}`)', False),
        ("to_boolean('TRUE')", True),
        ("truncate('abcdef', `3`)", "abc"),
        ("path_canonicalize('/a/../b//c/')", "/b/c"),
        ("path_canonicalize('//a')", "/a"),
        ("base64_encode('a')", "YQ=="),
        ("base64_decode('YQ==')", "a"),
        ("sha256('a')", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
        ("parse_json('{\"a\": 1}').a", 1),
        ("parse_yaml('a: [1, x]').a[1]", "x"),
        ("lookup(`{\"a\": 1}`, 'a')", 1),
        ("lookup(`[1, 2]`, `1`)", 2),
        ("lookup(`[1, 2]`, `9`)", None),
        ("items(`{\"b\": 2, \"a\": 1}`, 'k', 'v')[0]", {"k": "a", "v": 1}),
        ('object_from_lists(`["a", "b"]`, `[1]`)', {"a": 1, "b": None}),
        ("semver_compare('1.2.3', '>=1.0.0 <2.0.0')", True),
        ("semver_compare('1.2.3', '<1.0.0 || 1.2.x')", True),
        ("semver_compare('3.0.0', '1.x || 2.x')", False),
        ("image_normalize('nginx')", "docker.io/nginx:latest"),
        ("image_normalize('localhost:5000/a/b:1')", "localhost:5000/a/b:1"),
        ("is_external_url('https://8.8.8.8/')", True),
        ("is_external_url('https://10.0.0.1/')", False),
        ("to_number('1e3')", 1000.0),
        ("to_number('1_000')", None),
        # arithmetic
        ("add(`1`, `2`)", 3),
        ("add('1Gi', '1Gi')", "2Gi"),
        ("add('500m', '500m')", "1"),
        ("add('1h', '30s')", "1h0m30s"),
        ("subtract('1Gi', '512Mi')", "512Mi"),
        ("multiply('1Gi', `2`)", "2Gi"),
        ("multiply(`2`, '1h')", "2h0m0s"),
        ("divide('1Gi', '512Mi')", 2.0),
        ("divide('10', `4`)", "2500m"),
        ("divide(`1`, `2`)", 0.5),
        ("modulo(`5`, `3`)", 2),
        ("modulo('-5s', '3s')", "-2s"),
        ('sum(`["1Mi", "1Mi"]`)', "2Mi"),
        ("round(`2.345`, `1`)", 2.3),
        ("round(`-2.5`, `0`)", -3.0),
        # time
        ("time_since('', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z')", "24h0m0s"),
        ("time_since('2006-01-02', '2026-01-01', '2026-01-02')", "24h0m0s"),
        ("time_add('2026-01-01T00:00:00+02:00', '1h')", "2026-01-01T01:00:00+02:00"),
        ("time_parse('02 Jan 2006', '05 Feb 2026')", "2026-02-05T00:00:00Z"),
        ("time_parse('1', '0')", "1970-01-01T00:00:00Z"),
        ("time_to_cron('2026-11-24T10:05:00Z')", "5 10 24 11 2"),
        ("time_utc('2026-01-01T00:00:00+02:00')", "2025-12-31T22:00:00Z"),
        ("time_diff('2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z')", "1h0m0s"),
        ("time_before('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z')", True),
        ("time_after('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z')", False),
        (
            "time_between('2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z')",
            True,
        ),
        ("time_truncate('2026-01-01T10:59:59Z', '1h')", "2026-01-01T10:00:00Z"),
    ],
)
def test_a_function(text: str, expected: Any) -> None:
    """As kyverno/pkg/engine/jmespath has it."""
    assert _ask(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "add('1Gi', `1`)",
        "add('1h', '30m')",  # 30m is a quantity first
        "add('x', 'y')",
        "divide(`1`, `0`)",
        "modulo(`1.5`, `1`)",
        "sum(`[]`)",
        "round(`1`, `0.5`)",
        "to_boolean('yes')",
        "base64_decode('?')",
        "parse_json('{')",
        "parse_yaml('a: [')",
        "semver_compare('1.0.0', 'newest')",
        "image_normalize('two words')",
        "time_before('soon', 'later')",
        "time_add('2026-01-01T00:00:00Z', 'a day')",
        "regex_match('(', 'a')",
        "lookup(`[1]`, 'a')",
        "object_from_lists(`[null]`, `[1]`)",
        "x509_decode('no certificate')",
        "time_add('9999-12-31T00:00:00Z', '100000h')",
    ],
)
def test_a_function_of_what_it_does_not_take(text: str) -> None:
    """It is the rule's error."""
    with pytest.raises(EvaluationError):
        _ask(text)


@pytest.mark.parametrize(
    "text",
    [
        "random('[a-z]{5}')",
        "time_now()",
        "time_now_utc()",
        "time_since('', '2026-01-01T00:00:00Z', '')",
        "is_external_url('https://example.com')",
        "time_parse('Jan _2 06', 'x')",
        f"regex_match('{'(a*)*' * 2000}', 'a')",
    ],
)
def test_what_clock_chance_or_network_decide_is_undecided(text: str) -> None:
    """Never guessed."""
    with pytest.raises(UndecidedError):
        _ask(text)


def test_a_certificate() -> None:
    """Its subject, names, times and key, as Go's JSON has them."""
    key = rsa.generate_private_key(65537, 2048)
    found = _ask("x509_decode(@)", _pem(key))
    assert found["Subject"]["CommonName"] == "web"
    assert found["DNSNames"] == ["web.example.com"]
    assert found["NotAfter"] == "2026-01-31T00:00:00Z"
    assert found["PublicKey"] == {"N": str(key.public_key().public_numbers().n), "E": 65537}
    with pytest.raises(EvaluationError, match="RSA"):
        _ask("x509_decode(@)", _pem(ec.generate_private_key(ec.SECP256R1())))


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "web")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    alternatives = x509.SubjectAlternativeName([x509.DNSName("web.example.com")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=30))
        .add_extension(alternatives, critical=False)
    )
    made = builder.sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()
