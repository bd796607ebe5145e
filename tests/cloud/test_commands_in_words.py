"""Every command of `croody` speaks the terminal's language: help, results and what is wrong."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

ES, EN = "es_CO.UTF-8", "C.UTF-8"


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("croody")
    bare = {name: value for name, value in os.environ.items() if name not in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE")}
    databases = {"DATABASE_URL": f"sqlite:///{folder / 'c.db'}", "TG_DB_PATH": str(folder / "t.db")}
    made = {**bare, **databases, "SECRET_KEY": "k" * 50, "CROODY_STATE_DIR": str(folder)}
    subprocess.run([sys.executable, "-m", "croody.manage", "setup", "-v0"], env=made, check=True, timeout=90)
    return made


def croody(environ: dict[str, str], lang: str, *words: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "croody.manage", *words]
    done = subprocess.run(command, env={**environ, "LANG": lang}, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_setup_makes_telemetrys_own_database_without_going_through_all_other_migrations(environ: dict[str, str]):
    with closing(sqlite3.connect(environ["TG_DB_PATH"])) as made:
        assert made.execute("SELECT DISTINCT app FROM django_migrations").fetchall() == [("telemetry",)]
        assert made.execute("SELECT count(*) FROM telemetry_record").fetchall() == [(0,)]


@pytest.mark.parametrize(("lang", "words"), [(ES, ("uso: croody", "cartas muertas")), (EN, ("usage: croody", "dead letters"))])
@pytest.mark.parametrize("asked", [(), ("--help",), ("-h",), ("help",)])
def test_help_names_our_commands_each_with_what_it_does(environ: dict[str, str], lang: str, words: tuple[str, ...], asked: tuple[str, ...]):
    code, out, _ = croody(environ, lang, *asked)
    assert code == 0
    for word in (*words, "alarms", "audit", "dead", "demo", "export", "ids", "login-link", "member", "robot", "setup", "token", "worker"):
        assert word in out
    assert "makemigrations" not in out


@pytest.mark.parametrize(
    ("words", "spanish", "english"),
    [
        (("robot", "--help"), "opciones:", "options:"),
        (("robot",), "falta: {add,claim,claims,unclaim,list,", "required: {add,claim,claims,unclaim,list,"),
        (("robot", "set", "nobody-1"), "no hay tal robot", "no such robot"),
        (("alarms", "list", "--help"), "cuántas como mucho", "how many at most"),
        (("alarms", "resolve", "7"), "there is no alarm 7", "there is no alarm 7"),
        (("alarms", "show", "7"), "no hay alerta 7", "there is no alert 7"),
        (("token", "create", "x", "--scopes", "fly"), "usa uno o más de", "use one or more of"),
        (("token", "revoke", "7"), "no hay clave 7", "there is no key 7"),
        (("export", "readings", "--start", "soon"), "escribe un momento", "write a time"),
        (("export", "readings", "--robot", "nobody-1"), "no hay tal robot", "no such robot"),
        (("audit", "--help"), "quién hizo qué", "who did what"),
        (("robot", "lost"), "elige entre 'add'", "choose from 'add'"),
        (("robot", "add"), "falta: ID", "required: ID"),
        (("robot", "rotate", "nobody-1"), "no hay tal robot", "no such robot"),
        (("robot", "add", "a"), "usa de 3 a 64 letras", "use 3 to 64 letters"),
        (("robot", "add", "rover-9", "--site", "moon"), "haz uno en la consola, en «Sitios»", "make one in the console, under Sites"),
        (("ids", "confirm", "--site", "moon"), "ninguno con ese nombre", "no site has this name"),
        (("member", "add", "dora"), "nadie se llama así", "nobody has this name"),
        (("member", "--help"), "saca a una persona", "take a person out"),
        (("dead", "show", "7"), "no hay carta muerta 7", "there is no dead letter 7"),
        (("login-link",), "todavía no hay nadie", "no user yet"),
        (("login-link", "--minutes", "x"), "no sirve", "invalid int value"),
        (("demo", "--help"), "plano del sitio", "plan of the site"),
        (("setup", "--help"), "pone al día", "up to date"),
        (("worker", "--help"), "por reloj", "by the clock"),
    ],
)
def test_each_command_says_it_in_both_languages(environ: dict[str, str], words: tuple[str, ...], spanish: str, english: str):
    for lang, told in ((ES, spanish), (EN, english)):
        _, out, err = croody(environ, lang, *words)
        assert told in out + err
        assert "usage" not in out + err or lang == EN
        assert "CommandError" not in out + err


def test_a_robot_that_was_revoked_is_added_again_and_rotate_says_so(environ: dict[str, str]):
    first = croody(environ, EN, "robot", "add", "rover-1")[1]
    assert croody(environ, ES, "robot", "revoke", "rover-1")[1] == "rover-1 revocado\n"
    code, _, err = croody(environ, EN, "robot", "rotate", "rover-1")
    assert code == 1
    assert err.startswith("croody: ")
    assert "`croody robot add rover-1` brings it back" in err
    code, again, _ = croody(environ, EN, "robot", "add", "rover-1")
    assert code == 0
    assert again.startswith("rover-1 ")
    assert again != first
    assert "is taken" in croody(environ, EN, "robot", "add", "rover-1")[2]


def test_what_a_person_types_reaches_the_terminal_escaped(environ: dict[str, str]):
    for words in (
        ("robot", "rotate", "a\x1b[2Jb"),
        ("robot", "add", "a\x1b[2Jb"),
        ("member", "add", "a\x1b[2Jb"),
        ("robot", "revoke", "\x1b]0;x\x07"),
    ):
        _, out, err = croody(environ, EN, *words)
        assert "\x1b" not in out + err


@pytest.mark.parametrize(
    ("words", "given", "spanish", "english"),
    [
        (["-m", "croody.bridge", "--help"], {}, "uso: croody-bridge", "usage: croody-bridge"),
        (["-m", "croody.bridge", "--lost"], {}, "no se conoce: --lost", "unrecognized arguments: --lost"),
        (["-m", "croody.bridge"], {"BRIDGE_MQTT_PASSWORD": ""}, "falta BRIDGE_MQTT_PASSWORD", "BRIDGE_MQTT_PASSWORD: missing"),
        (["-m", "croody.manage", "robot", "list"], {"CROODY_RETENTION_DAYS": "many"}, "escribe un número entero", "write a whole number"),
        (["-m", "croody.manage", "robot", "list"], {"DATABASE_URL": "mysql://x"}, "no se conoce 'mysql'", "unknown scheme 'mysql'"),
    ],
)
def test_what_the_environment_lacks_is_said_in_both_languages(
    environ: dict[str, str], words: list[str], given: dict[str, str], spanish: str, english: str
):
    for lang, told in ((ES, spanish), (EN, english)):
        done = subprocess.run(
            [sys.executable, *words], env={**environ, **given, "LANG": lang}, capture_output=True, text=True, check=False, timeout=60
        )
        assert told in done.stdout + done.stderr


def test_of_a_site_that_there_is_not_those_that_there_are_are_named(environ: dict[str, str]):
    plan = Path(__file__).parents[2] / "edge_agent/croody_edge/sim/bodega.json"
    croody(environ, EN, "demo", "--plan", str(plan))
    for words in (("robot", "add", "rover-9", "--site", "moon"), ("ids", "confirm", "--site", "moon")):
        assert "use one of: bodega (" in croody(environ, EN, *words)[2]
