"""No message repeats a value of 70 kB: neither a text of a catalogue, nor what is said of any setting of any source, variable or rule."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from croody_broker import texts as broker
from croody_contract import texts as contract
from croody_edge.local.rules import config as rules
from croody_edge.settings import from_environment
from croody_edge.sources.config import choose
from croody_edge.sources.finding import find, names
from croody_edge.sources.own import from_table
from croody_edge.texts import TEXTS, text_in
from croody_edge.variables import BadSetting

LONG = "x\u00e9" * 35_000
#: A sentence with two values, of which one has a reason inside.
MOST = 3_000
CATALOGUES = {"edge": TEXTS, "broker": broker.TEXTS, "contract": contract.TEXTS}
WORDS = (LONG, f"mqtt://{LONG}", f"http://h/{LONG}", f"mqtt://h:{'9' * 70_000}", "9" * 70_000, "-" * 70_000)
ODD: tuple[Any, ...] = (*WORDS, [LONG], {"a": LONG}, {LONG: 1})


def told(made: Callable[[], object]) -> str:
    """What is said of it; empty where nothing is wrong."""
    try:
        made()
    except BadSetting as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", list(CATALOGUES))
def test_every_text_cuts_every_value(name: str) -> None:
    catalogue = CATALOGUES[name]
    for key, both in catalogue.items():
        values = dict.fromkeys((place for words in both for place in re.findall(r"\{(\w+)[:}]", words)), LONG)
        if not values or any(re.search(r"\{\w+:", words) for words in both):  # Its numbers and times have a form.
            continue
        for words in (contract.said(catalogue, key, **values), *([text_in("es", key, **values)] if name == "edge" else [])):
            assert len(words) < 2_000 + 600 * len(values), key


def test_what_is_no_longer_than_a_line_or_two_is_whole_and_a_long_one_keeps_both_ends() -> None:
    assert contract.short("x" * 500) == "x" * 500
    assert contract.short("a" * 70_000 + " end") == f"{'a' * 300} \u2026 {'a' * 196} end"


@pytest.mark.parametrize("kind", names())
def test_no_setting_of_a_source_is_repeated_whole(kind: str) -> None:
    try:
        made = find(kind, "test").Settings
    except BadSetting:
        pytest.skip("what it needs is not installed")
    said = [
        told(partial(from_table, made, table, "sources.toml [source.x]"))
        for field in msgspec.structs.fields(made)
        for value in ODD
        for table in ({field.encode_name: value}, {f"{field.encode_name}_file": value}, {**_least(made), field.encode_name: value})
    ]
    assert any(said)
    assert max(map(len, said)) < MOST, max(said, key=len)[:300]


def _chosen(environ: Mapping[str, str]) -> None:
    choose(from_environment(environ), environ)


def _least(kind: type[msgspec.Struct]) -> Mapping[str, Any]:
    return {field.encode_name: "mqtt://h" if field.name == "broker" else "a" for field in msgspec.structs.fields(kind) if field.required}


@pytest.mark.parametrize("value", WORDS, ids=range(len(WORDS)))
def test_no_variable_of_the_agent_is_repeated_whole(value: str, tmp_path: Path) -> None:
    base = {"ROBOT_ID": "rover-1", "ROBOT_SECRET": "s", "CROODY_EDGE_DIR": str(tmp_path)}
    said = [
        told(partial(_chosen, {**base, name: value}))
        for name in ("ROBOT_ID", "CROODY_BROKER_URL", "CROODY_QOS", "CROODY_SOURCE", "CROODY_LOG_LEVEL", "CROODY_INTERVAL_S", "MQTT_PORT")
    ]
    assert sum(map(bool, said)) > 3
    assert max(map(len, said)) < MOST, max(said, key=len)[:300]


@pytest.mark.parametrize(
    "written",
    [
        f"[source.{'x' * 70_000}]\nkind='sim'",
        f"[source.a]\nkind='{LONG}'",
        f"['{LONG}']\na=1",
        f"a = {'x' * 70_000}",
        f"[source.a]\nkind='sim'\n{'x' * 70_000}=1",
        f"[source.a]\nkind='vda5050'\nbroker='{LONG}'\nmanufacturer='a'\nserial_number='b'",
        f"[source.a]\nkind='sim'\nreport='{LONG}'",
        f"[source.a]\nkind='sim'\n[source.a.metrics]\n{'m' * 70_000}='{LONG}'",
    ],
    ids=range(8),
)
def test_no_file_of_sources_or_rules_is_repeated_whole(written: str, tmp_path: Path) -> None:
    settings = from_environment({"ROBOT_ID": "rover-1", "ROBOT_SECRET": "s", "CROODY_EDGE_DIR": str(tmp_path)})
    (tmp_path / "sources.toml").write_text(written, encoding="utf-8")
    assert 0 < len(told(partial(choose, settings, {}))) < MOST
    file = tmp_path / "rules.toml"
    file.write_text(written.replace("source.", "rule."), encoding="utf-8")
    problems = rules.read(file, hooks=True).problems
    assert problems
    assert all(len(problem) < MOST for problem in problems)
