"""What an address asks for: whatever somebody wrote there, a page answers."""

import pytest

from croody.web.address import page_count, page_number, page_of, query_of, typed, whole


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("007", 7), ("0", 0), ("", None), ("-1", None), ("1.5", None), ("٣", None), ("9" * 18, 10**18 - 1), ("9" * 5000, None)],
)
def test_a_whole_number_is_ascii_digits_and_no_more_of_them_than_a_database_takes(text: str, number: int | None):
    assert whole(text) == number


@pytest.mark.parametrize(("text", "number"), [("3", 3), ("", 1), ("0", 1), ("x", 1), ("99999", 99999), ("100000", 1), ("9" * 5000, 1)])
def test_what_is_no_page_is_the_first_one(text: str, number: int):
    assert page_number(text) == number


def test_what_somebody_typed_is_cut_and_holds_no_nul():
    assert typed({"q": " a\x00b "}, "q") == "ab"
    assert typed({}, "q") == ""
    assert typed({"q": "x" * 100}, "q") == "x" * 64


def test_an_address_leaves_out_what_is_empty():
    assert query_of({"q": "a b", "site": "", "page": 2}) == "?q=a+b&page=2"
    assert query_of({}) == "?"


@pytest.mark.parametrize(
    ("number", "page"), [(1, ([0, 1], 1, 3)), (3, ([4], 3, 3)), (9, ([4], 3, 3))], ids=["the first", "the last", "behind the last"]
)
def test_a_page_that_is_not_there_is_the_last_one(number: int, page: tuple[list[int], int, int]):
    assert page_of(list(range(5)), number, 2) == page


def test_nothing_fills_one_page():
    assert (page_count(0, 10), page_count(10, 10), page_count(11, 10)) == (1, 1, 2)
    assert page_of([], 4, 10) == ([], 1, 1)
