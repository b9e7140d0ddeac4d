"""Texts in expressions: the strings extension, in whoever's hands."""

from __future__ import annotations

import pytest

from tests.rules.cel.asking import ask, refused

TRUE = [
    "'hello'.charAt(4) == 'o' && 'hello'.charAt(5) == ''",
    "'hello mellow'.indexOf('') == 0",
    "'hello mellow'.indexOf('ello') == 1",
    "'hello mellow'.indexOf('jello') == -1",
    "'hello mellow'.indexOf('', 2) == 2",
    "'hello mellow'.indexOf('ello', 2) == 7",
    "'hello mellow'.indexOf('ello', 12) == -1",
    "'éa'.indexOf('a') == 1",
    "'hello mellow'.lastIndexOf('') == 12",
    "'hello mellow'.lastIndexOf('ello') == 7",
    "'hello mellow'.lastIndexOf('jello') == -1",
    "'hello mellow'.lastIndexOf('ello', 6) == 1",
    "'hello mellow'.lastIndexOf('ello', 7) == 7",
    "['hello', 'mellow'].join() == 'hellomellow'",
    "['hello', 'mellow'].join(' ') == 'hello mellow'",
    "[].join() == '' && [].join('/') == ''",
    "'TacoCat É'.lowerAscii() == 'tacocat É'",
    "'TacoCat é'.upperAscii() == 'TACOCAT é'",
    "'hello hello'.replace('he', 'we') == 'wello wello'",
    "'hello hello'.replace('he', 'we', -1) == 'wello wello'",
    "'hello hello'.replace('he', 'we', 1) == 'wello hello'",
    "'hello hello'.replace('he', 'we', 0) == 'hello hello'",
    "'ab'.replace('', '_') == '_a_b_'",
    "'hello hello hello'.split(' ') == ['hello', 'hello', 'hello']",
    "'hello hello hello'.split(' ', 0) == []",
    "'hello hello hello'.split(' ', 1) == ['hello hello hello']",
    "'hello hello hello'.split(' ', 2) == ['hello', 'hello hello']",
    "'hello hello hello'.split(' ', -1) == ['hello', 'hello', 'hello']",
    "'abc'.split('') == ['a', 'b', 'c'] && ''.split('') == []",
    "'abc'.split('', 2) == ['a', 'bc'] && 'abc'.split('', 5) == ['a', 'b', 'c']",
    "'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco'",
    "'  \\ttrim\\n  '.trim() == 'trim'",
    "strings.quote('a\"b') == '\"a\\\\\"b\"'",
    "'%s is %d, %.1f or %x'.format(['a', 1, 2.5, 255]) == 'a is 1, 2.5 or ff'",
    "'nginx:latest'.contains(':') && !'nginx'.contains(event.part)",
    "event.image.contains(event.part) && event.image.indexOf(event.part) == 5",
    "event.image.startsWith('nginx') && event.image.endsWith(event.part)",
    "event.image.split(':')[1] == 'latest'",
    "size(event.image) == 12",
]

REFUSED = [
    "'hello'.charAt(6)",
    "'hello'.indexOf('l', -1)",
    "'hello'.indexOf('l', 6)",
    "'hello'.lastIndexOf('l', -1)",
    "'hello'.substring(6)",
    "'hello'.substring(3, 2)",
    "event.mixed.join(',')",
    "'%d'.format(['a'])",
    "'%s %s'.format(['a'])",
    "event.number.contains(event.part)",
    "event.number.split(',')",
    "event.image.replace(event.number, 'a')",
]

EVENT = {"image": "nginx:latest", "part": ":latest", "number": 5, "mixed": ["a", 1]}


@pytest.mark.parametrize("text", TRUE)
def test_texts_answer_as_in_cel_go(text: str) -> None:
    """What the extension's documentation says of a text holds."""
    assert ask(text, event=EVENT) is True


@pytest.mark.parametrize("text", REFUSED)
def test_what_a_text_can_not_answer_is_an_error(text: str) -> None:
    """Positions outside of the text and wrong types have no answer."""
    assert refused(text, event=EVENT)
