"""Expressions over metrics: what they mean, what they do not know, and that nobody's code is run."""

import pytest

from croody.notices import grammar
from croody.notices.grammar import BadExpression, Truth, Within, metrics_of, parse

YES, NO, UNKNOWN = Truth(True, False), Truth(False, True), Truth(True, True)


def holds(text: str, **values: float) -> Truth:
    return parse(text).holds({name: (value, value) for name, value in values.items()})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 1", YES),
        ("a > 2", NO),
        ("a >= 2 and b < 0", YES),
        ("not a == 2", NO),
        ("a != 2 or b == -3", YES),
        ("a + b * 2 == -4", YES),
        ("(a + b) * 2 == -2", YES),
        ("abs(b) > 2.5 and max(a, b, 7) == 7 and min(a, b) == b", YES),
        ("-b == 3 and --b == b", YES),
        ("a / b < -0.6", YES),
        ("a > 1 or c > 1", YES),
        ("a > 9 and c > 1", NO),
        ("c > 1", UNKNOWN),
        ("not c > 1", UNKNOWN),
        ("a / (b + 3) > 1", UNKNOWN),
        ("a > 1e200 * 1e200 * 1e200", UNKNOWN),
        ("1 < a and a < 3", YES),
    ],
)
def test_what_an_expression_says_of_a_reading(text, expected):
    assert holds(text, a=2, b=-3) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t > 80", UNKNOWN), ("t > 90", NO), ("t > 10", YES), ("abs(s) < 0.5", UNKNOWN), ("s * s >= 0", UNKNOWN), ("t == 80", UNKNOWN),
        ("t != 99", YES),
    ],
)  # fmt: skip
def test_of_an_hour_it_says_what_can_be_and_what_cannot(text, expected):
    assert parse(text).holds({"t": (70.0, 85.0), "s": (-1.0, 2.0)}) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "a", "1", "1 > 2", "a >", "> a", "a > 1 and", "a > 1 b", "(a > 1", "a > 1)", "a > 1 and 3", "abs(a, b) > 1", "max(a) > 1",
        "abs a > 1", "a.b > 1", "a > 'x'", "__import__('os').system('x') > 1", "a > 1; b > 1", "lambda: 1", "a[0] > 1", "a == b == c",
        "and > 1", "a > 1 & b > 1", "a" * 301, "(" * 30 + "a" + ")" * 30 + " > 1", "a+b+c+d+e+f+g > 1", "not a", "a > 1\x00",
    ],
)  # fmt: skip
def test_what_is_no_expression_is_refused_with_a_reason(text):
    with pytest.raises(BadExpression) as refused:
        parse(text)
    assert str(refused.value).startswith("expresión:")


def test_deep_and_long_ones_are_refused_and_never_a_stack_overflow():
    for text in ("-" * 299 + "a", "not " * 74 + "a>1", "(" * 149 + "a", "a" + "+a" * 149):
        try:
            parse(text + " > 1" if len(text) < 290 else text)
        except BadExpression:
            continue


def test_it_names_its_metrics_once_in_their_order():
    assert metrics_of(parse("b > 1 and (a < 2 or not b == 3)")) == ("b", "a")


def test_an_area_knows_who_is_inside():
    area = Within(((0, 0), (10, 0), (10, 5), (5, 5), (5, 10), (0, 10)))
    for x, y, inside in ((1, 1, True), (9, 4, True), (9, 9, False), (-1, 5, False), (4, 9, True)):
        assert area.holds({"x_m": (x, x), "y_m": (y, y)}) == Truth(inside, not inside)
    assert area.holds({"x_m": (0, 20), "y_m": (1, 1)}) == grammar.UNKNOWN
    assert area.holds({"x_m": (1, 1)}) == grammar.UNKNOWN
