"""The documentation says what the code does; and what checks it would notice if it did not."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from croody_contract import batch, limits, messages
from croody_edge.texts import TEXTS
from tools import docs
from tools.stack import ROOT


@pytest.mark.slow
@pytest.mark.timeout(900)  # It asks each command for its options, some dozens of processes: minutes on a busy machine.
def test_every_setting_command_topic_file_and_link_of_the_documentation_is_true() -> None:
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


def test_a_file_or_module_that_is_not_there_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    real = "`worker/jobs.py` `cloud/croody/telemetry/` `jobs.py` `tools/*.py` `croody.worker.jobs` `croody.worker.run.beat` `and/or`"
    page.write_text(f"{real} `worker/lanes.py` `cloud/croody/gone/` `lanes.py` `croody.worker.lanes`\n```\n`gone.py`\n```\n")
    known = {"cloud", "cloud/croody", "cloud/croody/telemetry", "cloud/croody/worker", "tools", "tools/docs.py"}
    known |= {f"cloud/croody/worker/{name}.py" for name in ("jobs", "run")}

    found = [line.split(": ")[1] for line in docs.gone_files([page], known)]

    assert found == ["worker/lanes.py", "cloud/croody/gone/", "lanes.py", "croody.worker.lanes"]


def test_the_repository_has_its_folders_and_its_files() -> None:
    assert {"cloud", "cloud/croody/worker", "cloud/croody/worker/jobs.py", "croody"} <= docs.repository()


def glossary(name: str) -> list[tuple[str, str, str, str]]:
    text = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    return re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \| (.+?) \| `(.+?)` \|$", text, re.MULTILINE)


def test_the_glossary_has_the_same_words_in_both_languages_each_once_and_each_somewhere() -> None:
    english, spanish = glossary("glossary.md"), glossary("glossary.es.md")

    assert len(english) >= 30
    assert [(other, word, where) for word, other, _, where in english] == [(word, other, where) for word, other, _, where in spanish]
    assert len({word for word, *_ in english}) == len(english)
    assert [where for *_, where in english if not (ROOT / where).exists()] == []


def test_the_architecture_names_every_room_of_the_cloud_and_its_picture_every_layer() -> None:
    rooms = {path.parent.name for path in (ROOT / "cloud" / "croody").glob("*/__init__.py")}
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    picture = (ROOT / "docs" / "images" / "architecture.svg").read_text(encoding="utf-8")

    assert [room for room in sorted(rooms) if f"`cloud/croody/{room}`" not in page] == []
    assert [room for room in sorted(rooms) if not re.search(rf">[^<]*\b{room}\b[^<]*</text>", picture)] == []


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


PROTOCOL = (ROOT / "docs" / "reference" / "protocol.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```json (\w+)\n(.+?)^```", PROTOCOL, re.MULTILINE | re.DOTALL)


def said(message: Any) -> Any:
    return json.loads(messages.encode(message))


@pytest.mark.parametrize(("kind", "text"), EXAMPLES, ids=[f"{kind}-{number}" for number, (kind, _) in enumerate(EXAMPLES)])
def test_an_example_of_the_protocol_is_what_the_contract_reads_whole(kind: str, text: str) -> None:
    body = text.encode()
    match kind:
        case "record":
            assert said(messages.decode_record(body)) == json.loads(text)
        case "batch":
            read = batch.unpack(body, len(json.loads(text)["records"]))
            assert said(read) == json.loads(text)
        case _:
            struct = {"presence": messages.Presence, "ack": messages.Ack, "outgoing": messages.Outgoing, "answer": messages.Answer}[kind]
            assert said(msgspec.json.decode(body, type=struct)) == json.loads(text)


def test_the_protocol_shows_every_body_and_its_limits_are_the_contracts() -> None:
    assert {kind for kind, _ in EXAMPLES} == {"presence", "record", "batch", "ack", "outgoing", "answer"}
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", PROTOCOL, re.MULTILINE))
    assert rows["one publish"] == f"{limits.MAX_PUBLISH_BYTES // limits.KIB} KiB"
    assert rows["records in one batch"] == str(limits.MAX_RECORDS)
    assert rows["one record, as bytes"] == f"{limits.MAX_RECORD_BYTES // limits.KIB} KiB"
    assert rows["a batch, unpacked"] == f"{limits.MAX_DECOMPRESSED_BYTES // limits.MIB} MiB"
    assert rows["nesting of JSON"] == str(limits.MAX_NESTING)
    wanted = f"{limits.MAX_METRICS}; a name has {limits.MAX_NAME_CHARS} characters at most, a text {limits.MAX_TEXT_CHARS}"
    assert rows["metrics in a reading"] == wanted
    assert rows["seq"] == "2^53 \u2212 1"
    assert limits.MAX_SEQ == 2**53 - 1


@pytest.mark.parametrize("page", ["edge-board", "without-internet"])
def test_a_guide_has_the_same_commands_in_both_languages(page: str) -> None:
    files = [docs.ROOT / "docs" / "how-to" / name for name in (f"{page}.md", f"{page}.es.md")]
    english, spanish = (re.findall(r"^```sh\n(.*?)^```", file.read_text(encoding="utf-8"), re.M | re.S) for file in files)

    assert len(english) >= 4
    assert spanish == english


TRANSLATED = [page for page in docs.pages() if page.name.endswith(".es.md")]


def places(page: Path) -> list[tuple[str, int]]:
    """Where a page leads: the English page of each pair, and which of its headings; -1 for the page itself."""
    led = []
    for target in re.findall(r"\]\(([^)\s]+)\)", docs.without_fences(page)):
        name, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            led.append((name, -1))
            continue
        found = (page.parent / name).resolve() if name else page
        place = docs.headings(docs.without_fences(found)).index(anchor) if anchor and found.suffix == ".md" else -1
        led.append((str(found).replace(".es.", "."), place))
    return sorted(led)


@pytest.mark.parametrize("page", TRANSLATED, ids=lambda page: page.name)
def test_a_page_leads_to_the_same_places_in_both_languages_and_stays_in_its_own(page: Path) -> None:
    english = page.with_name(page.name.replace(".es.", "."))
    assert places(page) == places(english)
    linked = re.findall(r"\]\(([^)\s#:]+\.md)", docs.without_fences(page))
    other = [name for name in linked if not name.endswith(".es.md") and (page.parent / name).with_suffix(".es.md").exists()]
    assert [name for name in other if (page.parent / name).resolve() != english] == []


def as_pattern(template: str, hole: str) -> str:
    return ".+".join(re.escape(part) for part in re.split(hole, template))


def is_said(phrase: str, language: int) -> bool:
    """Whether a text of the agent's says it. `...` in it stands for anything, as `{name}` does in the text."""
    wanted = as_pattern(phrase, r"\s*\.\.\.\s*")
    spoken = [text[language] for text in TEXTS.values()]
    return any(re.search(wanted, text) or re.search(as_pattern(text, r"\{\w+\}"), phrase) for text in spoken)


@pytest.mark.parametrize("name", ["edge-board", "provision-a-line", "connect-a-drone", "connect-a-ros-2-robot"])
@pytest.mark.parametrize("language", [0, 1], ids=["es", "en"])
def test_what_a_table_of_remedies_quotes_is_what_the_log_says(name: str, language: int) -> None:
    page = ROOT / "docs" / "how-to" / f"{name}{['.es', ''][language]}.md"
    tables = re.findall(
        r"^\| (?:(?:the|its) log says|(?:el|su) registro dice) \|.*\n.*\n((?:\|.*\n)+)", page.read_text("utf-8"), re.MULTILINE
    )
    quoted = [phrase for table in tables for phrase in re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)]
    assert len(quoted) >= 3
    assert [phrase for phrase in quoted if not is_said(phrase, language)] == []
