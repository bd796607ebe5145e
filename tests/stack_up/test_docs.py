"""The documentation says what the code does; and what checks it would notice if it did not."""

from pathlib import Path

import pytest

from tools import docs


@pytest.mark.slow
def test_every_setting_command_topic_and_link_of_the_documentation_is_true() -> None:
    assert docs.findings() == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Title\n\n## Why `this` is so\n\n[a](page.md) [b](gone.md) [c](#why-this-is-so) [d](#nothing) [e](https://example.org/x)\n"
    )
    found = list(docs.broken_links([page]))
    assert [line.split(": ")[1] for line in found] == ["gone.md", "#nothing"]


def test_a_topic_that_the_contract_does_not_know_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("`croody/v1/{robot_id}/up/batch/{stream}/{first}-{last}` `croody/v1/ID/down/#` `croody/v1/robot-7/up/telemetri`\n")
    assert [line.split(": ")[1] for line in docs.topics_in_docs([page])] == ["croody/v1/robot-7/up/telemetri"]


def test_the_variables_that_a_part_reads_are_found_by_letting_it_read() -> None:
    names = docs.settings_in_code()
    assert {"SECRET_KEY", "ROBOT_SECRET", "BRIDGE_SHARE", "ADMIN_PASSWORD", "TG_DB_PATH", "CROODY_CA_FILE"} <= names
    assert "SECRET_KEY_FILE" not in names


def test_the_options_of_a_command_are_found_by_asking_it() -> None:
    assert "--witness" in docs.options_in_code("croody-sim")
    assert docs.options_in_code("croody robot") >= {"--kind", "--site", "--shared"}


def test_options_are_read_from_their_section_of_the_page() -> None:
    text = "# Commands\n\n## `a b`\n\n`--one` and `--two-three`\n\n## `c`\n\nnone -- really\n"
    assert docs.options_in_docs(text) == {"a b": {"--one", "--two-three"}, "c": set()}
