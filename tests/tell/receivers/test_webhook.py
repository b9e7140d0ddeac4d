"""The generic webhook: CloudEvents 1.0 in JSON, signed as Standard Webhooks say."""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest

from shipper.errors import TellError
from shipper.tell.receivers.webhook import render
from tests.tell.support import LOG, finding, message, receiver

NOW = datetime(2026, 11, 23, 14, 5, 9, tzinfo=UTC)
KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + b64encode(KEY).decode()  # not a secret: the tests' own


def test_one_alert() -> None:
    """The whole event, field by field."""
    request = render(message(), receiver("webhook"), NOW, {})
    assert request.url == "https://soc.example.com/hook"
    assert request.headers["Content-Type"] == "application/cloudevents+json; charset=UTF-8"
    assert request.headers["User-Agent"].startswith("audit-shipper/")
    assert json.loads(request.body) == {
        "specversion": "1.0",
        "id": f"{LOG}/7/3/pod-exec",
        "source": LOG,
        "type": "audit-shipper.alert.v1",
        "subject": "pod-exec",
        "time": "2026-11-23T14:00:01.500000+00:00",
        "datacontenttype": "application/json",
        "data": {
            "title": "Command run in a pod",
            "severity": "high",
            "alerts": [
                {
                    "id": f"{LOG}/7/3/pod-exec",
                    "finding": {
                        "rule": "pod-exec",
                        "title": "Command run in a pod",
                        "severity": "high",
                        "verdict": "match",
                        "mode": "alert",
                        "attack": ["T1609"],
                        "message": "jane ran a command in prod-pay/api-0",
                        "audit_id": "5c1a2b3d-0000-4000-8000-123456789abc",
                        "line": 3,
                        "time": "2026-11-23T14:00:00.250000Z",
                        "who": {
                            "user": "jane",
                            "groups": ["dev", "system:authenticated"],
                            "impersonated": "",
                        },
                        "what": {
                            "stage": "ResponseComplete",
                            "verb": "create",
                            "api_group": "",
                            "resource": "pods",
                            "subresource": "exec",
                            "namespace": "prod-pay",
                            "name": "api-0",
                            "code": 101,
                        },
                        "where": {
                            "source_ip": "203.0.113.9",
                            "user_agent": "kubectl/v1.33.1",
                            "uri": "/api/v1/namespaces/prod-pay/pods/api-0/exec?command=sh",
                        },
                    },
                    "evidence": {
                        "log": LOG,
                        "seq": 7,
                        "manifest_sha256": f"{7:064x}",
                        "manifest_key": "prod/cp-1/0123456789abcdef/manifest/"
                        "000000000007-aaaaaaaaaaaaaaaa.note",
                        "sealed_at": "2026-11-23T14:00:01.500000Z",
                    },
                }
            ],
        },
    }


def test_several_alerts_are_one_event() -> None:
    """Its id tells the first and how many follow, so that another group has another id."""
    request = render(message(finding(), finding(line=5)), receiver("webhook"), NOW, {})
    event = json.loads(request.body)
    assert event["id"] == f"{LOG}/7/3/pod-exec+1"
    assert [one["finding"]["line"] for one in event["data"]["alerts"]] == [3, 5]


def test_a_secret_address_and_a_token() -> None:
    """`url_file` goes before `url`; the token is a bearer token."""
    secrets = {"url": "https://soc.example.com/s3cret", "token": "t0ken"}
    request = render(message(), receiver("webhook"), NOW, secrets)
    assert request.url == "https://soc.example.com/s3cret"
    assert request.headers["Authorization"] == "Bearer t0ken"


def test_the_signature_is_that_of_the_specification() -> None:
    """HMAC-SHA256 over id, time and body, joined by full stops; no full stop in the id."""
    request = render(message(), receiver("webhook"), NOW, {"hmac_key": SECRET})
    headers = request.headers
    assert re.fullmatch(r"msg_[0-9a-f]{32}", headers["webhook-id"])
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    version, _, signature = headers["webhook-signature"].partition(",")
    assert version == "v1"
    assert hmac.compare_digest(b64decode(signature), hmac.digest(KEY, signed, "sha256"))


def test_a_later_try_has_the_same_id_and_another_signature() -> None:
    """Replays are known by their time, repetitions by their id."""
    first = render(message(), receiver("webhook"), NOW, {"hmac_key": SECRET})
    later = render(message(), receiver("webhook"), NOW.replace(minute=6), {"hmac_key": SECRET})
    assert first.headers["webhook-id"] == later.headers["webhook-id"]
    assert first.headers["webhook-signature"] != later.headers["webhook-signature"]


def test_two_keys_sign_twice() -> None:
    """While keys are changed the receiver may know either."""
    other = "whsec_" + b64encode(KEY[::-1]).decode()
    request = render(message(), receiver("webhook"), NOW, {"hmac_key": f"{other}\n{SECRET}"})
    alone = render(message(), receiver("webhook"), NOW, {"hmac_key": SECRET})
    both = request.headers["webhook-signature"].split(" ")
    assert len(both) == 2
    assert both[1] == alone.headers["webhook-signature"]


@pytest.mark.parametrize("key", ["hunter2", "whsec_hunter2", "whsec_QUJD", "whsec_" + "A" * 200])
def test_a_weak_key_is_refused(key: str) -> None:
    """Keys have 24 to 64 bytes in base64; the error does not repeat it."""
    with pytest.raises(TellError, match="hmac_key_file is no key") as caught:
        render(message(), receiver("webhook"), NOW, {"hmac_key": key})
    assert key not in str(caught.value)
