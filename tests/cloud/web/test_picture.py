"""What leads from one picture of a page to the next. Pure: a small browser of dictionaries places it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from croody.live.picture import REMEMBERED, Picture, Piece, changes, everything


def picture(rows: dict[str, tuple[str, str]], **data: Any) -> Picture:
    """Robots with a shape and a text, in a list."""
    return Picture(
        {name: {"v0": text} for name, (_, text) in rows.items()},
        {f"robot-{name}": Piece(shape, lambda shape=shape, text=text: f"{shape} {text}") for name, (shape, text) in rows.items()},  # type: ignore[misc]
        {"rows": [f"robot-{name}" for name in rows]},
        data,
    )


class Browser:
    """Places messages as place.js does."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.html: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.version = ""

    def take(self, message: dict[str, Any]) -> None:
        self.html |= message.get("html", {})
        self.rows = list(message.get("lists", {}).get("rows", self.rows))
        assert all(row in self.html for row in self.rows), "a list names what is not there"
        for robot, fields in message.get("texts", {}).items():
            self.texts[robot] = fields["v0"]
        self.version = message.get("version", self.version)

    def shapes(self) -> dict[str, str]:
        return {row: self.html[row].split()[0] for row in self.rows}


ROWS = st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.sampled_from(["s1", "s2"]), st.sampled_from(["1", "2"])))


@given(st.lists(ROWS, min_size=1, max_size=8), st.booleans())
def test_however_a_page_changes_a_browser_ends_with_it(steps: list[dict[str, tuple[str, str]]], again: bool):
    browser = Browser()
    before = picture(steps[0])
    browser.take(everything(before))
    for rows in steps[1:]:
        now = picture(rows)
        browser.take(changes(before, now))
        before = now
    if again:
        browser.take(everything(before, browser.version))
    assert browser.rows == [f"robot-{name}" for name in steps[-1]]
    assert browser.shapes() == {f"robot-{name}": shape for name, (shape, _) in steps[-1].items()}
    assert all(browser.texts[name] == text for name, (_, text) in steps[-1].items())
    assert browser.version == before.version


def test_nothing_is_said_when_nothing_changed():
    rows = {"a": ("s1", "1")}
    assert changes(picture(rows, places=[1]), picture(rows, places=[1])) == {}


def test_a_text_that_changed_travels_alone():
    told = changes(picture({"a": ("s1", "1"), "b": ("s1", "1")}), picture({"a": ("s1", "2"), "b": ("s1", "1")}))
    assert told == {"texts": {"a": {"v0": "2"}}}


def test_what_is_part_of_a_piece_comes_with_it():
    def page(shape: str) -> Picture:
        return Picture({}, {"plan": Piece(shape, lambda: "<svg>"), "mark": Piece(shape, lambda: "<g>", "plan")})

    assert changes(page("1"), page("2"))["html"] == {"plan": "<svg>"}


def test_who_comes_with_a_version_of_a_moment_ago_is_sent_what_differs_and_not_the_whole_page():
    before = picture({"a": ("s1", "1"), "b": ("s1", "1"), "c": ("s1", "1")})
    version, now = before.version, picture({"a": ("s1", "1"), "b": ("s2", "1")})
    told = everything(now, version)
    assert told["html"] == {"robot-b": "s2 1"}
    assert told["lists"] == {"rows": ["robot-a", "robot-b"]}


def test_a_version_that_nobody_remembers_gets_the_whole_page():
    made = [picture({f"r{number}": ("s1", "1")}).version for number in range(REMEMBERED + 1)]
    now = picture({"a": ("s1", "1")})
    assert everything(now, made[0])["html"] == everything(now, "of another process")["html"] == {"robot-a": "s1 1"}


def test_who_has_this_structure_is_sent_no_html():
    now = picture({"a": ("s1", "1")})
    assert "html" not in everything(now, now.version)
    assert everything(now, "another")["html"] == {"robot-a": "s1 1"}
