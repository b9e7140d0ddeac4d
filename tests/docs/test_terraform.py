"""`deploy/terraform/aws/README.md` says what the module takes, gives and refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tests.deploy.policies import MODULE

PAGE = (MODULE / "README.md").read_text()
NAMES = re.compile(r"`([\w-]+)`")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each row that begins with a name in a table."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def blocks(kind: str) -> dict[str, str]:
    """The bodies of the module's variables or outputs."""
    text = (MODULE / f"{kind}s.tf").read_text()
    return dict(re.findall(rf'^{kind} "(\w+)" {{\n(.*?)^}}', text, re.DOTALL | re.MULTILINE))


def test_every_input_stands_in_the_page() -> None:
    """Each once, in the module's order, with its default."""
    defaults = {}
    for name, body in blocks("variable").items():
        default = re.search(r"^  default\s+= (.*)$", body, re.MULTILINE)
        defaults[name] = f"`{default[1]}`" if default else "required"
    stated = [(cells[0].strip("`"), cells[1]) for cells in rows(section("Inputs"))]
    assert stated == list(defaults.items())


def test_every_output_stands_in_the_page() -> None:
    """Each once, with its description."""
    descriptions = {
        name: re.findall(r'description = "(.*)"', body)[0]
        for name, body in blocks("output").items()
    }
    stated = [(cells[0].strip("`"), cells[1]) for cells in rows(section("Outputs"))]
    assert stated == list(descriptions.items())


def test_every_statement_stands_in_the_page() -> None:
    """Those of the bucket, the roles and the key, and no others."""
    there = set(re.findall(r'Sid\s+= "(\w+)"', (MODULE / "kms.tf").read_text()))
    for path in (MODULE / "policies").glob("*.tftpl"):
        for group in json.loads(path.read_text()).values():
            there |= {statement["Sid"] for statement in group}
    explained = [
        name
        for cells in rows(section("What each statement does"))
        for name in NAMES.findall(cells[0])
    ]
    assert sorted(explained) == sorted(there)


def test_the_example_in_the_page_is_the_example() -> None:
    """What the page shows is examples/minimal, save where the module is found."""
    shown = re.findall(
        r'module "archive" {\n  source = .*\n(.*?)^}', PAGE, re.DOTALL | re.MULTILINE
    )
    example = (MODULE / "examples" / "minimal" / "main.tf").read_text()
    (body,) = shown
    assert body in example
