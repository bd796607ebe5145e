"""The table: what a row shows, and that a page keeps everything but the results that were measured anew."""

import pytest

from tools.bench import machine, table
from tools.bench.__main__ import PAGE, chosen, main
from tools.bench.parts.catalogue import PARTS
from tools.bench.row import OURS, Goal, Note, Row
from tools.words import Problem

_PAGE = f"# The bench\n\nProse.\n\n{table.BEGIN}\n\n{table.END}\n\nMore prose.\n"


def test_a_line_shows_the_median_the_spread_our_share_of_each_peer_and_the_goal():
    row = Row("things", "/s", {OURS: [1000, 3000, 2000], "peer": [4000, 4000, 1], "other": [500]}, Goal(0.9, most=False, of="peer"))
    assert table.line(row) == (
        "| things | 2,000 /s | 1,000 to 3,000 | peer 4,000 (x 0.50); other 500 (x 4.00) | at least 0.9 x peer | **no** |"
    )
    assert table.line(Row("alone", "MB", {OURS: [1.234]})) == "| alone | 1.23 MB | - | - | - | - |"
    assert table.line(Row("lost", "", {OURS: [0], "peer": [0]}, Goal(0))).endswith("| peer 0 | at most 0 | yes |")


def test_results_are_put_between_the_markers_and_prose_stays():
    section = table.section("stream", "About.", [Row("x", "ms", {OURS: [1]}), Note("A note.")])
    page = table.put(_PAGE, {"stream": section}, list(PARTS))
    assert page.startswith("# The bench\n\nProse.\n")
    assert page.endswith("\n\nMore prose.\n")
    assert "### `stream`\n\nAbout.\n\n| what |" in page
    assert "\n\nA note.\n" in page
    assert table.put(page, {"stream": section}, list(PARTS)) == page, "the same results change nothing"


def test_a_part_that_was_measured_alone_replaces_only_its_own_results():
    def about(name: str, text: str) -> dict[str, str]:
        return {name: table.section(name, text, [])}

    page = table.put(_PAGE, about("stream", "old stream") | about("live", "old live"), list(PARTS))
    page = table.put(page, about("live", "new live"), list(PARTS))
    assert "old stream" in page
    assert "new live" in page
    assert "old live" not in page
    assert page.index("### `live`") < page.index("### `stream`"), "in the order of the catalogue"


def test_a_page_without_a_place_for_results_is_refused():
    with pytest.raises(ValueError, match="no place for results"):
        table.put("# The bench\n", {}, [])


def test_the_page_of_the_repository_has_a_place_for_results_and_names_every_part():
    text = PAGE.read_text(encoding="utf-8")
    assert table.put(text, {}, list(PARTS)) == text
    assert [name for name in PARTS if f"| `{name}` |" not in text] == []


def test_a_name_that_is_no_part_is_refused_with_those_that_are():
    assert chosen("") == list(PARTS)
    assert chosen(" stream, live ") == ["stream", "live"]
    with pytest.raises(Problem, match=r"strem.*ceiling, batches"):
        chosen("strem")


def test_the_list_says_what_each_part_is(capsys: pytest.CaptureFixture[str]):
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(PARTS)


def test_the_machine_is_told_with_versions_and_how_busy_it_was():
    found = machine.look(0.05)
    assert 0 <= found.busy <= 1
    assert f"{found.cores} cores" in found.text()
    assert "Python 3." in found.text()
    assert found.commit
