"""Numbers, ages and times as people read them."""

from datetime import UTC, datetime

import pytest

from croody.web import formats

NUMBERS = [
    (1234.5, 1, "1\u00a0234,5", "1,234.5"),
    (0.125, 2, "0,12", "0.12"),
    (0.375, 2, "0,38", "0.38"),
    (2.675, 2, "2,67", "2.67"),
    (-0.004, 2, "0,00", "0.00"),
    (-58.0, 0, "\u221258", "\u221258"),
    (1234567.0, 0, "1\u00a0234\u00a0567", "1,234,567"),
    (999.96, 1, "1\u00a0000,0", "1,000.0"),
    (float("nan"), 1, "\u2014", "\u2014"),
    (999_999_999_999_999.0, 0, "999\u00a0999\u00a0999\u00a0999\u00a0999", "999,999,999,999,999"),
    (1.7976931348623157e308, 2, "1,8e308", "1.8e308"),
    (-3.4028234663852886e38, 0, "\u22123,4e38", "\u22123.4e38"),
]


@pytest.mark.parametrize(("value", "decimals", "spanish", "english"), NUMBERS)
def test_a_number_has_a_comma_in_spanish_and_a_point_in_english(value, decimals, spanish, english):
    assert formats.number(value, decimals, "es") == spanish
    assert formats.number(value, decimals, "en") == english


AGES = [(0, "0 s"), (-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (15120, "4 h 12 min"), (259200, "3 d")]


@pytest.mark.parametrize(("seconds", "text"), AGES)
def test_an_age_has_the_unit_that_fits(seconds, text):
    assert formats.age(seconds).replace("\u00a0", " ") == text


SHARES = [(10, 10, "100 %"), (999_999, 1_000_000, "99,999 %"), (99_999_999, 100_000_000, "99,999 %"), (0, 3, "0,000 %"), (2, 3, "66,666 %")]


@pytest.mark.parametrize(("part", "whole", "text"), SHARES)
def test_a_share_is_never_rounded_up_to_a_hundred(part, whole, text):
    assert formats.percent(part, whole, "es").replace("\u00a0", " ") == text


def test_a_moment_names_its_month_in_the_readers_language():
    at = datetime(2026, 1, 24, 3, 12, tzinfo=UTC)
    assert formats.moment(at, "es") == "24 ene 2026, 03:12 UTC"
    assert formats.moment(at, "en") == "24 Jan 2026, 03:12 UTC"


@pytest.mark.parametrize(
    ("raw", "decimals", "text"),
    [(None, 1, "\u2014"), (True, 1, "sí"), (False, None, "no"), ("x" * 500, 0, "x" * 79 + "\u2026"), (10**400, 2, "\u2014"),
     (49, None, "49"), (49.0, None, "49"), (49.128, None, "49,13"), (49, 1, "49,0"), (1.5e308, None, "1,5e308")],
)  # fmt: skip
def test_whatever_a_robot_said_has_a_text(raw, decimals, text):
    assert formats.value(raw, decimals, "es", yes="sí", no="no") == text
