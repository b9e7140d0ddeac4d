"""`fields` and `body` in rules of our own, and what a language costs those who do not use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shipper.rules.load import RulesError
from tests.rules.dialects.detect import messages, request, said
from tests.rules.support import rule, rules_of

POD = {"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/etc"}}]}}


def test_a_rule_of_our_own_may_use_the_fields_of_both_languages(tmp_path: Path) -> None:
    """As lists of texts, in conditions, messages and keys."""
    written = rule(
        when='body["ka.req.pod.volumes.hostpath"].exists(p, p.startsWith("/etc"))'
        ' && body["sigma.hostPath"] != [] && fields["ka.uri.param[dryRun]"] == []',
        message="mounts {{ body['ka.req.pod.volumes.hostpath'].join(', ') }}",
    )
    assert messages(rules_of(tmp_path, written), request(body=POD)) == ["mounts /etc"]


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ('body["ka.nope"] == []', "there is no field ka.nope"),
        ('fields["nope"] == []', "there is no field nope"),
        ('fields["ka.req.service.type"] == []', 'write body["ka.req.service.type"]'),
        ('body["ka.verb"] == []', 'write fields["ka.verb"]'),
        ("size(body) > 0", "name one field of body"),
        ("body[event.verb] == []", "name one field of body"),
    ],
)
def test_a_wrong_name_is_refused_at_load(tmp_path: Path, when: str, reason: str) -> None:
    """It would be empty for ever."""
    with pytest.raises(RulesError) as caught:
        rules_of(tmp_path, rule(when=when))
    assert reason in str(caught.value)


def test_a_line_that_is_torn_has_no_field_of_the_line(tmp_path: Path) -> None:
    """The event in it was recovered; what else stands there is somebody else's."""
    rules = rules_of(tmp_path, rule(when='fields["jevt.value[/verb]"] == ["create"]'))
    assert said(rules, request()) == [("r", "match")]
    found = said(rules, b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","le' + request())
    assert ("r", "match") not in found


def test_without_a_sigma_file_nothing_of_pysigma_is_imported(tmp_path: Path) -> None:
    """It takes memory, and time at every start."""
    path = tmp_path / "falco.yaml"
    path.write_text("- {list: x, items: [a]}\n")
    program = (
        "import sys; from pathlib import Path; from shipper.rules.load import load_tested;"
        f"load_tested([Path({str(path)!r})]); sys.exit('sigma' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
