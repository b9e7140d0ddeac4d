"""Kubernetes' quantities in expressions."""

from __future__ import annotations

import pytest

from tests.rules.cel.asking import ask, refused

TRUE = [
    'isQuantity("1.3G")',
    'isQuantity("1.3Gi")',
    'isQuantity("10000k")',
    'isQuantity("12e6")',
    'isQuantity("12E-3")',
    'isQuantity("+.5")',
    'isQuantity("5.")',
    'isQuantity("0")',
    'isQuantity("-1Ki")',
    'quantity("200M") == quantity("0.2G")',
    'quantity("2000k") == quantity("2M")',
    'quantity("1e3") == quantity("1k")',
    'quantity("1E") == quantity("1000P")',
    'quantity("200M") != quantity("0.3G")',
    'quantity("0.1n") == quantity("1n")',
    'quantity("-0.1n") == quantity("-1n")',
    'quantity("16Ei") == quantity("9223372036854775807")',
    'quantity("50M").isLessThan(quantity("50Mi"))',
    'quantity("50M").isLessThan(quantity("100M"))',
    '!quantity("100M").isLessThan(quantity("50M"))',
    'quantity("50Mi").isGreaterThan(quantity("50M"))',
    '!quantity("50Mi").isGreaterThan(quantity("100Mi"))',
    'quantity("200M").compareTo(quantity("0.2G")) == 0',
    'quantity("50M").compareTo(quantity("50Mi")) == -1',
    'quantity("50Mi").compareTo(quantity("50M")) == 1',
    'quantity("50k").add(quantity("20k")) == quantity("70k")',
    'quantity("50k").add(20) == quantity("50020")',
    'quantity("50k").sub(quantity("20")) == quantity("49.98k")',
    'quantity("50k").add(20).sub(quantity("100k")).sub(-50000) == quantity("20")',
    'quantity("50k").add(20).sub(quantity("100k")).asInteger() == -49980',
    'quantity("50k").asInteger() == 50000',
    'quantity("50000000G").isInteger()',
    '!quantity("9999999999999999999999999999999999999G").isInteger()',
    '!quantity("1.5").isInteger()',
    'quantity("50.703k").asApproximateFloat() == 50703.0',
    'quantity("50k").sub(20000).asApproximateFloat() == 30000.0',
    'quantity("-3Mi").sign() == -1 && quantity("0").sign() == 0 && quantity("3m").sign() == 1',
    '[quantity("1Gi")].all(q, q.isLessThan(quantity("2Gi")))',
    "quantity(object.limit).isGreaterThan(quantity(object.request))",
    "isQuantity(object.limit)",
]

NO_QUANTITIES = [
    "",
    "200K",
    "Three",
    "Mi",
    ".",
    "1,3G",
    "1.1.M",
    "1+1.0M",
    "0.1mi",
    "1i",
    "-3.01e-",
    "1e",
    "1e9999999999",
    " 1",
    "1 ",
    "1\n",
    "\u0663",
    "9" * 300,
]

REFUSED = [
    'quantity("9999999999999999999999999999999999999G").asInteger()',
    'quantity("1.5").asInteger()',
    "quantity(object.nothing)",
    "quantity(object.number)",
    "object.limit.isLessThan(quantity('1'))",
]

OBJECT = {"limit": "1Gi", "request": "512Mi", "number": 5}


@pytest.mark.parametrize("text", TRUE)
def test_quantities_compare_and_add_as_in_kubernetes(text: str) -> None:
    """What Kubernetes' documentation says of a quantity holds."""
    assert ask(text, object=OBJECT) is True


@pytest.mark.parametrize("text", NO_QUANTITIES)
def test_other_texts_are_no_quantities(text: str) -> None:
    """A text that is no quantity is told from one, and refused as one."""
    assert ask("isQuantity(object)", object=text) is False
    assert refused("quantity(object)", object=text)


@pytest.mark.parametrize("text", REFUSED)
def test_what_a_quantity_can_not_give_is_an_error(text: str) -> None:
    """An error is a value with a reason, never an exception."""
    assert refused(text, object=OBJECT)


def test_the_reason_does_not_tell_the_data() -> None:
    """An error may go into a log; what was in the event may not."""
    assert "hunter2" not in ask("quantity(object)", object="hunter2").reason
