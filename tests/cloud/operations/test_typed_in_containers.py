"""What the pages tell people to type in a container of the cloud is something that its entry point takes."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).parents[3]
#: `docker compose run`, its options, a service of the cloud's image, and the first word of what it is to do.
RUN = re.compile(r"docker[ -]compose run(?: -{1,2}[\w-]+)* (?:migrate|croody|telemetry-gateway|ids-ml|bridge|worker) ([\w.-]+)")


def _taken() -> set[str]:
    """Roles and programs that the entry point names; anything else it hands to `croody`."""
    cases = re.findall(r"^  ([\w |]+)\)", (ROOT / "cloud" / "entrypoint.sh").read_text(encoding="utf-8"), re.MULTILINE)
    return {word for case in cases for word in case.split(" | ")}


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_a_page_types_in_a_container_what_its_entry_point_takes(page: Path) -> None:
    typed = RUN.findall(page.read_text(encoding="utf-8"))
    assert [word for word in typed if word not in _taken() | set(get_commands())] == []


def test_what_is_typed_is_found() -> None:
    assert RUN.findall("docker compose run --rm -T --no-deps migrate tar -cf - -C /data tls > it.tar") == ["tar"]
    assert {"sh", "web", "prepare", "python"} <= _taken()
    assert sum(len(RUN.findall(page.read_text(encoding="utf-8"))) for page in (ROOT / "docs").rglob("*.md")) > 8
