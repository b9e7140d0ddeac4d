"""`docs/s3.md` lists the permissions that the program needs, and the policies that give them."""

from __future__ import annotations

import json
import re

from tests.conftest import ROOT
from tests.deploy import policies

PAGE = (ROOT / "docs" / "s3.md").read_text()
CODE = "".join(path.read_text() for path in sorted((ROOT / "shipper/store/s3").glob("*.py")))

# `call("get_object", …)`, and the deeds of the preflight, which are handed on.
CALLED = re.compile(r'\.call\(\s*"(\w+)"')
FORBIDDEN = re.compile(r'"(s3:\w+)",\s*"(\w+)",')


def table(first_heading: str) -> list[list[str]]:
    """The cells of the rows of the table whose first column is so called."""
    rows = PAGE.partition(f"| {first_heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([\w:]+)`", cell))


def api_name(operation: str) -> str:
    """boto3's name of a call -> S3's."""
    return "".join(word.capitalize() for word in operation.split("_"))


def test_the_permissions_are_those_of_the_module() -> None:
    """What the table gives the writer and the auditor is what the module gives their roles."""
    writer = policies.writer_statements("b", "p", sets_retention=True, kms_key_arn="k")
    auditor = policies.auditor_statements("b", kms_key_arn="k")
    stated = [(words(cells[0]).pop(), cells[1], cells[2]) for cells in table("permission")]
    assert sorted(name for name, mark, _ in stated if mark) == sorted(policies.actions(writer))
    assert sorted(name for name, _, mark in stated if mark) == sorted(policies.actions(auditor))


def test_every_call_has_its_permission() -> None:
    """Each call of the program stands in the table, and no other does."""
    stated = {name for cells in table("permission") for name in words(cells[3])}
    assert stated == {api_name(operation) for operation in CALLED.findall(CODE)}


def test_every_forbidden_call_is_told() -> None:
    """What the preflight tries in vain stands in a table of its own."""
    stated = [(words(cells[0]).pop(), words(cells[1]).pop()) for cells in table("must be denied")]
    assert stated == [(name, api_name(operation)) for name, operation in FORBIDDEN.findall(CODE)]


def test_the_policies_are_those_of_the_module() -> None:
    """What is shown for other services is what the tests try on one."""
    shown = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    statements = [document["Statement"] for document in shown]
    assert statements == [
        policies.writer_statements("BUCKET", "PREFIX", sets_retention=True),
        policies.auditor_statements("BUCKET"),
    ]
