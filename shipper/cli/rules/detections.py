"""The rules of other detection languages in a rule set, for `rules list`. Prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shipper.rules.message import MAX_MESSAGE
from shipper.rules.ruleset import RuleSet
from shipper.text import harmless


def shown(rules: RuleSet, *, explain: bool) -> Iterator[str]:
    """Lines for people; none where there is nothing to say."""
    translated = [rule for rule in rules.rules if rule.language]
    counted = Counter(rule.language for rule in translated)
    for language, many in sorted(counted.items()):
        yield f"{many} of them translated from {language}"
    if rules.notes and not explain:
        yield f"left out with a note: {len(rules.notes)} (--explain)"
    if explain:
        for note in rules.notes:
            yield harmless(str(note), MAX_MESSAGE)
        for rule in translated:
            yield f"\n{rule.name}: {rule.language}, {rule.file}:{rule.line}"
            yield f"  when: {harmless(rule.written.spec.when or 'always', MAX_MESSAGE)}"
