"""The pictures of the console in the documentation are those that `make pictures` takes, and each is shown somewhere."""

from tools import docs, pictures
from tools.stack import ROOT


def test_every_picture_of_the_console_is_taken_by_the_tool_and_shown_on_a_page() -> None:
    taken = {file for file, *_ in pictures.files()}
    there = {path.name for path in pictures.FOLDER.glob("console-*.png")}
    shown = "".join(page.read_text(encoding="utf-8") for page in docs.pages(ROOT))

    assert taken == there
    assert [file for file in sorted(taken) if f"images/{file}" not in shown] == []


def test_a_picture_is_small_enough_for_a_page() -> None:
    assert [path.name for path in pictures.FOLDER.glob("console-*.png") if path.stat().st_size > 400_000] == []
