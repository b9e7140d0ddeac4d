"""docs/cli.md: what `--help` says of each command. `make cli-page` writes it."""

from __future__ import annotations

from collections.abc import Iterator

import click
from click.testing import CliRunner

from shipper.cli.main import commands
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "cli.md"
_HEAD = """\
# The command line

What `--help` says, of each command. Made by `make cli-page`: change the program, not this page.
"""


def made() -> str:
    """The page as it should be."""
    return _HEAD + "".join(_section(path) for path in verbs(commands, ()))


def verbs(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words of each command below `command`, and of itself, in the program's order."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from verbs(below, (*path, name))


def _section(path: tuple[str, ...]) -> str:
    arguments = [*path, "--help"]
    result = CliRunner().invoke(
        commands, arguments, prog_name="audit-shipper", terminal_width=100, env={"COLUMNS": "100"}
    )
    assert result.exit_code == 0, result.output
    title = " ".join(("audit-shipper", *path))
    return f"\n## {title}\n\n```text\n{result.output}```\n"


if __name__ == "__main__":
    PAGE.write_text(made())
