"""The workflows of GitHub, read as GitHub reads them: they run nowhere here, so that what can be known of them without it is known."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.stack import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FLOW = '{ name: croody-cloud, try: python -c "import croody, lightgbm" }'


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return found


def rows(job: dict[str, Any]) -> list[dict[str, Any]]:
    """What one job is run with, once each."""
    matrix = job.get("strategy", {}).get("matrix", {})
    return list(matrix.get("include", [])) + [{name: value} for name, values in matrix.items() if name != "include" for value in values]


def commands() -> Iterator[tuple[Path, str]]:
    """Every line that a shell gets, with its row of the matrix filled in."""
    for path in FILES:
        for job in jobs(path).values():
            for row in rows(job) or [{}]:
                for step in job["steps"]:
                    for line in step.get("run", "").splitlines():
                        yield path, re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda name, row=row: str(row[name[1]]), line)


def test_a_row_that_yaml_cuts_at_a_comma_is_seen() -> None:
    assert None in yaml.safe_load(FLOW).values()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_row_of_a_matrix_is_whole_and_its_words_are_a_shells(path: Path) -> None:
    for job in jobs(path).values():
        for row in rows(job):
            for name, value in row.items():
                assert isinstance(value, str), f"{path.name}: {name}: {value!r}"
                assert shlex.split(value) or value == "", f"{path.name}: {name}: {value!r}"


def test_rows_that_stand_beside_each_other_say_the_same_things() -> None:
    for path in FILES:
        for job in jobs(path).values():
            assert len({tuple(sorted(row)) for row in rows(job)}) <= 1, path.name


def test_every_make_that_they_call_is_there() -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    called = {(path.name, word) for path, line in commands() for word in re.findall(r"\bmake ([a-z-]+)", line)}

    assert {word for _, word in called} >= {"lint", "test", "test-stack"}
    assert [(name, word) for name, word in called if word not in known] == []


def test_every_file_that_they_name_is_there() -> None:
    named = {row["file"] for path in FILES for job in jobs(path).values() for row in rows(job) if "file" in row}
    named |= {word for _, line in commands() for word in line.split() if re.fullmatch(r"(tools|tests|cloud|ops)/[\w./-]+", word)}

    assert {"cloud/Dockerfile", "broker/Dockerfile", "edge_agent/Dockerfile", "tools/run", "tests/stack/test_edge.py"} <= named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_image_is_built_from_a_stage_that_its_file_has_and_says_of_which_commit_it_is() -> None:
    (job,) = jobs(ROOT / ".github" / "workflows" / "images.yml").values()
    (build,) = [step["with"] for step in job["steps"] if "build-push-action" in step.get("uses", "")]
    arguments = [line.partition("=")[0] for line in build["build-args"].splitlines()]

    assert arguments == ["VERSION", "REVISION"]
    for row in rows(job):
        text = (ROOT / row["file"]).read_text(encoding="utf-8")
        stages = re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
        wanted = [stage for stage in stages if f" AS {row['target']}\n" in stage] if row["target"] else stages[-1:]
        assert len(wanted) == 1, f"{row['name']}: {row['file']} has no stage {row['target']}"
        for argument in arguments:
            assert f"\nARG {argument}" in wanted[0], f"{row['name']}: {row['file']} takes no {argument}"
        assert 'org.opencontainers.image.revision="${REVISION}"' in wanted[0]
