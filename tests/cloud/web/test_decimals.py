"""What people write as a number is read as they meant it, or refused with both of what it may be."""

import pytest
from django.utils import translation

from croody.web import decimals


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("80", 80),
        (" 1.5 ", 1.5),
        ("1,5", 1.5),
        ("\u22121,5", -1.5),
        ("+2", 2),
        (".5", 0.5),
        ("7.", 7),
        ("0.500", 0.5),
        ("0,125", 0.125),
        ("1.1250", 1.125),
        ("1500,250", 1500.25),
        ("1 500", 1500),
        ("1\u00a0500,25", 1500.25),
        ("12\u202f345\u202f678", 12345678),
        ("1'500", 1500),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("1,234,567", 1234567),
        ("1.234.567", 1234567),
        ("1.234.567,125", 1234567.125),
        ("-1,234.500", -1234.5),
        ("6e23", 6e23),
        ("1e-3", 0.001),
    ],
)
def test_what_is_one_number_is_read(text: str, number: float):
    assert decimals.read(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tibio",
        "nan",
        "inf",
        "1e999",
        "9" * 400,
        "1_000",
        "1 50",
        "1,23,456",
        "1.2.3",
        "1 500 00",
        "--1",
        "0x10",
        "\u0663",
        "1,5,",
        "1,500 m",
    ],
)
def test_what_is_none_is_said_and_cut(text: str):
    with pytest.raises(decimals.BadDecimal, match="no es un número") as refused:
        decimals.read(text)
    assert text[:40] in str(refused.value)
    assert len(str(refused.value)) < 120


@pytest.mark.parametrize(
    ("text", "thousands", "part"),
    [
        ("1,500", "1500", "1,5"),
        ("1.500", "1500", "1.5"),
        ("-12.125", "-12125", "-12.1250"),
        ("\u2212999,999", "-999999", "-999,9990"),
        ("+1.000", "1000", "1"),
    ],
)
def test_what_may_be_two_is_refused_with_both_which_are_read(text: str, thousands: str, part: str):
    for language, said in (("es", "puede ser"), ("en", "may be")):
        with translation.override(language), pytest.raises(decimals.BadDecimal) as refused:
            decimals.read(text)
        assert f" {said} {thousands} " in str(refused.value)
        assert f" {part}:" in str(refused.value)
    assert decimals.read(thousands) == 1000 * decimals.read(part)


def test_what_makes_sense_in_only_one_way_is_that():
    assert decimals.read("4.711", -90, 90) == 4.711
    assert decimals.read("-74,081", -180, 180) == -74.081
    assert decimals.read("1.500", 100, 10_000) == 1500
    assert decimals.read("91.500", -90, 90) == 91.5
    with pytest.raises(decimals.BadDecimal):
        decimals.read("1.500", 1, 10_000)


def test_whole_numbers_have_no_part():
    assert [decimals.whole(text) for text in ("90", "1 500", "60,0")] == [90, 1500, 60]
    for text, said in (("1,5", "entero"), ("1,500", "puede ser"), ("mucho", "no es un número")):
        with pytest.raises(decimals.BadDecimal, match=said):
            decimals.whole(text)


def test_what_is_kept_from_before_is_read_as_it_was():
    assert [decimals.stored(raw) for raw in ("1,500", "1.500", 3, "\u22122")] == [1.5, 1.5, 3, -2]
    for raw in (None, "tibio", "nan"):
        with pytest.raises(decimals.BadDecimal):
            decimals.stored(raw)


@pytest.mark.parametrize("number", [0, -0.5, 1500, 1.5, 1.125, -999.999, 604123.46, 1e22, 1e-7, 0.125])
def test_what_a_form_shows_is_what_it_reads(number: float):
    assert decimals.read(decimals.written(number)) == number
