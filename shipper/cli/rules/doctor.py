"""`rules doctor`: which rules are blind under a cluster's audit policy, and what to add to it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
import msgspec
import yaml

from shipper.cli.rules.options import chosen, rules_options
from shipper.rules.audit_policy import load_policy
from shipper.rules.doctor import Gap, Sight, examine, remedy
from shipper.rules.probes import Probe

_SHOWN = 6
_ADVICE = """
Put these before the policy's first rule to see it all, or those of them that you want. Bodies of
secrets and configmaps hold what is in them: weigh that before you log them.
"""


@click.command(
    "doctor",
    epilog="""\b
Exit codes: 0 every rule sees all that it looks for; 1 a rule is blind, or partly;
2 usage, or a mistake in the policy or a rule.
""",
)
@click.argument("policy", type=click.Path(path_type=Path))
@rules_options
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="For people or for programs.",
)  # fmt: skip
def command(policy: Path, config_path: Path | None, paths: tuple[Path, ...], output: str) -> None:
    """Say which rules are blind under the audit policy POLICY (the API server's
    --audit-policy-file), and what to add to it."""
    sights = examine(chosen(config_path, paths), load_policy(policy))
    hidden = [sight for sight in sights if sight.gaps]
    if output == "json":
        page = {"rules": [_plain(sight) for sight in sights], "add": remedy(sights)}
        click.echo(msgspec.json.format(msgspec.json.encode(page), indent=2).decode())
    else:
        _print(sights, hidden)
    raise SystemExit(1 if hidden else 0)


def _print(sights: list[Sight], hidden: list[Sight]) -> None:
    for sight in hidden:
        word = click.style("blind", fg="red") if sight.blind else click.style("partly", fg="yellow")
        click.echo(f"{word}  {sight.rule.name} ({sight.rule.severity}): {sight.rule.title}")
        for gap in sight.gaps:
            click.echo(f"       {_says(gap)}")
    blind = sum(sight.blind for sight in hidden)
    click.echo(
        f"{len(sights)} rules: {len(sights) - len(hidden)} see all that they look for,"
        f" {len(hidden) - blind} a part of it, {blind} nothing"
    )
    add = remedy(hidden)
    if add:
        click.echo(_ADVICE)
        snippet = yaml.safe_dump(add, sort_keys=False, default_flow_style=None, width=100)
        click.echo(snippet, nl=False)
    stages = {stage for sight in hidden for gap in sight.gaps for stage in _omitted(gap)}
    if stages:
        click.echo(f"\nTake {' and '.join(sorted(stages))} out of omitStages.")


def _says(gap: Gap) -> str:
    rule = f"rule {gap.number} of the policy" if gap.number else "no rule of the policy fits, which"
    some = "" if gap.surely else " for those whom it names"
    if gap.why == "not logged":
        says = f"{rule} does not log{some}"
    elif gap.why == "level too low":
        says = f"{rule} logs{some} at {gap.level} what needs {gap.needs}"
    else:
        says = f"{rule} omits{some} the stage {' and '.join(sorted(_omitted(gap)))}"
    return f"{says}: {_shown(gap.probes)}"


def _omitted(gap: Gap) -> Iterable[str]:
    if gap.why != "stage omitted":
        return ()
    return {stage for probe in gap.probes for stage in probe.stages}


def _shown(probes: tuple[Probe, ...]) -> str:
    verbs: dict[str, dict[str, None]] = {}
    for probe in probes:  # two API groups may have resources of one name
        verbs.setdefault(str(probe.resource), {})[probe.verb] = None
    texts = [f"{','.join(found)} {name}" for name, found in verbs.items()]
    more = f" and {len(texts) - _SHOWN} more resources" if len(texts) > _SHOWN else ""
    return "; ".join(texts[:_SHOWN]) + more


def _plain(sight: Sight) -> dict[str, object]:
    return {
        "name": sight.rule.name,
        "severity": sight.rule.severity,
        "blind": sight.blind,
        "gaps": [
            {
                "why": gap.why,
                "policyRule": gap.number,
                "forAll": gap.surely,
                "level": gap.level,
                "needs": gap.needs,
                "requests": [
                    {"verb": probe.verb, **probe.resource._asdict()} for probe in gap.probes
                ],
            }
            for gap in sight.gaps
        ],
    }
