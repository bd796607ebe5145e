"""The commands of the earlier Croody, and those of a server's every day, read from the pages that list them and typed in a copy of the
sources, from top to bottom."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.system import OWN, ROOT, System, eventually
from tests.stack.terminal import typed

pytestmark = pytest.mark.stack
PAGE = ROOT / "docs" / "reference" / "from-the-earlier-croody.md"
SERVER = ROOT / "docs" / "how-to" / "deploy-one-server.md"
SAME, NEEDLESS = "the same", "not needed"
#: What the Spanish page says instead.
IN_SPANISH = {SAME: "igual", NEEDLESS: "no hace falta", "FILE": "ARCHIVO", "NAME": "NOMBRE"}
PROJECT = f"{OWN}-earlier"
#: Go on until Ctrl-C.
ENDLESS = re.compile(r"logs -f|docker stats")
ANSWERS = {
    "createsuperuser": ["carmen", "carmen@example.org", "fourteen-Robots", "fourteen-Robots"],
    " bash": ["id -u", "exit"],
    "volume prune": ["y"],
}
#: What has to be shown by commands of which an exit status says little.
SHOWN = {
    "logs": "(croody|bridge)-",
    "exec croody bash": "10001",
    "run --rm croody bash": "10001|No migrations to apply",
    "createsuperuser": "uperuser|uperusuario",
    "healthz": "ok",
    " top": "croody.serve",
    "docker stats": PROJECT,
    "Health.Status": "healthy",
    "Health.Log": "ok",
    "docker inspect": PROJECT + "|healthy|ok",
    " ps": "healthy",
    "network ls": f"{PROJECT}_storage",
    "network inspect": '"Internal": true',
    "volume ls": f"{PROJECT}_croody_data",
    "volume inspect": f"{PROJECT}_croody_data",
    "volume prune": "reclaimed space: 0B",
    "backup": r"[1-9]\d* (robots|readings)|^$",
    "restore": "restored",
}


def table(page: Path, heading: str) -> list[tuple[str, str]]:
    """First two columns of the table below a heading."""
    _, _, below = page.read_text(encoding="utf-8").partition(f"## {heading}\n")
    lines = [line for line in below.partition("\n## ")[0].splitlines() if line.startswith("| ")][2:]
    cells = [re.split(r"(?<!\\)\|", line) for line in lines]
    return [(row[1].strip().replace("\\|", "|"), row[2].strip()) for row in cells]


def commands(heading: str) -> list[str]:
    """What is to be typed, once each: the earlier command where nothing changed, ours otherwise."""
    found = []
    for earlier, here in table(PAGE, heading):
        if here != NEEDLESS:
            found.append((earlier if here == SAME else here).strip("`").replace("docker-compose ", "docker compose "))
    return list(dict.fromkeys(found))


def every_day(page: Path) -> list[str]:
    """What is typed on a server from its first person on, but `update`, of which test_production.py takes care, and `restore`, as above."""
    text = page.read_text(encoding="utf-8")
    text = text[text.index("## 4. ") : text.index("## 7. ")]
    lines = re.findall(r"^(\./croody .+)$|`((?:\./croody |rm secrets/|openssl )[^`]+)`", text, re.MULTILINE)
    return [line or span for line, span in lines if " restore " not in span]


@pytest.fixture(scope="module")
def development(copy: Path) -> Iterator[System]:
    """Nothing runs yet: the first command of the page starts it."""
    with System(PROJECT, ["docker-compose.yml"]) as system:
        del system.environ["COMPOSE_FILE"]
        yield system


@pytest.fixture(scope="module")
def production(copy: Path) -> Iterator[System]:
    """A `.env` and secrets, and nothing running."""
    files = ["docker-compose.yml", "docker-compose.prod.yml", "docker-compose.acme.yml"]
    with System(PROJECT, files, CROODY_DOMAIN="localhost") as system:
        # A server that is not there: nobody at Let's Encrypt is asked by a test.
        lines = [f"COMPOSE_FILE={':'.join(files[:2])}", "CROODY_DOMAIN=localhost", "ACME_SERVER=https://127.0.0.1:9/directory"]
        (copy / ".env").write_text("".join(f"{line}\n" for line in lines))
        outside = {name: system.environ.pop(name) for name in ("COMPOSE_FILE", "COMPOSE_DISABLE_ENV_FILE", "CROODY_DOMAIN")}
        assert typed("./croody secrets init", copy, system.environ).status == 0
        yield system
        system.environ |= outside


def test_an_answer_is_typed_when_it_is_asked_for_and_not_before(tmp_path: Path) -> None:
    # A terminal that asks for a password forgets what was typed before it asked.
    ask = "from getpass import getpass; from time import sleep; one = getpass(); sleep(2); print(one, getpass('Again: '))"
    assert "one two" in typed(f'{sys.executable} -c "{ask}"', tmp_path, os.environ, ["one", "two"], limit_s=20).shown


def test_both_languages_list_the_same_commands() -> None:
    spanish = PAGE.with_suffix(".es.md")
    for heading, titulo in (
        ("Commands of development", "Órdenes de desarrollo"),
        ("Commands of production", "Órdenes de producción"),
    ):
        english = table(PAGE, heading)
        assert len(english) > 5
        translated = [tuple(re.sub("|".join(IN_SPANISH), lambda word: IN_SPANISH[word[0]], cell) for cell in row) for row in english]
        assert table(spanish, titulo) == translated


@pytest.mark.parametrize("command", commands("Commands of development"))
def test_in_development_each_earlier_command_works(development: System, copy: Path, command: str) -> None:
    try_out(development, copy, command)
    if " down -v" in command:
        assert f"{PROJECT}_" not in development.run("docker", "volume", "ls")
    elif " up -d" in command:
        eventually("the site", lambda: development.plain("/").status == 200, 90)
    if "--scale croody=3" in command:
        assert len(development.compose("ps", "-q", "croody").split()) == 3


@pytest.mark.parametrize("command", commands("Commands of production"))
def test_in_production_each_earlier_command_works(production: System, copy: Path, command: str) -> None:
    try_out(production, copy, command)
    if " up -d" in command:
        eventually("the site", lambda: production.plain("/").status == 302, 90)
    if "> backup.sql" in command:
        assert "CREATE TABLE public.telemetry_record" in (copy / "backup.sql").read_text()


@pytest.mark.parametrize("command", every_day(SERVER))
def test_on_a_server_each_command_of_every_day_works(production: System, copy: Path, command: str) -> None:
    try_out(production, copy, command)


def test_after_a_day_of_a_server_all_is_well_and_both_languages_have_the_same_day(production: System, copy: Path) -> None:
    assert len(every_day(SERVER)) > 15
    assert every_day(SERVER.with_suffix(".es.md")) == every_day(SERVER)
    assert typed("./croody up", copy, production.environ).status == 0  # runs already where the day went before
    eventually("a good status", lambda: typed("./croody status", copy, production.environ).status == 0, 60)
    assert production.plain("/").status == 302


def try_out(system: System, copy: Path, command: str) -> None:
    """Type it under the project's own name, with a fresh backup for FILE, and look at what it shows."""
    line = re.sub(r"\bcroody(?=_back|_croody_data)|(?<=project=)croody", PROJECT, command)
    if "FILE" in line:
        assert typed("./croody backup", copy, system.environ).status == 0
        newest = max((copy / "backups").iterdir(), key=lambda file: file.stat().st_mtime)
        line = line.replace("FILE", str(newest.relative_to(copy)))

    answers = next((given for word, given in ANSWERS.items() if word in command), [])
    said = typed(line, copy, system.environ, answers, ends=not ENDLESS.search(command))

    assert said.status in {0, None}, f"{line}: exit status {said.status}\n{said.shown[-3000:]}"
    expected = next((text for word, text in SHOWN.items() if word in command), "")
    assert re.search(expected, said.shown), f"{line}: {expected} is not in\n{said.shown[-3000:]}"
