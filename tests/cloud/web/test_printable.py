"""What robots and strangers name cannot command a terminal."""

import io
import logging
import logging.config
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from croody.telemetry.models import DeadLetter
from croody_contract.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("temp_c", "temp_c"),
        ("Bodega número 2", "Bodega número 2"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\x9b31m", "\\x9b31m"),
        ("\ud800", "\\ud800"),
        ("línea\u2028dos", "línea\\u2028dos"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(text: str, shown: str):
    assert printable(text) == shown


@pytest.mark.django_db(databases="__all__")
def test_a_dead_letter_is_listed_and_shown_without_its_control_characters():
    DeadLetter.objects.create(
        reason="bad_value",
        detail="data.\x1b[2J: null",
        topic="croody/v1/\x1b]0;x\x07",
        body=b'{"\x1b[2J": null}\nzwei',
        received_at=timezone.now(),
    )
    number = DeadLetter.objects.get().pk
    for words in (["list"], ["show", str(number)]):
        out = io.StringIO()
        call_command("dead", *words, stdout=out)
        assert "\\x1b[2J" in out.getvalue()
        assert "\x1b" not in out.getvalue()
        assert "\x07" not in out.getvalue()


def _logged(log: Any) -> str:
    """What the lines of `log()` look like under our own settings of logging."""
    out = io.StringIO()
    wanted = {**settings.LOGGING, "handlers": {"out": {**settings.LOGGING["handlers"]["out"], "stream": out}}}
    before = [(name, logging.getLogger(name).level) for name in ("", *wanted["loggers"])]
    handlers = logging.getLogger().handlers[:]
    try:
        logging.config.dictConfig(wanted)
        log()
    finally:
        logging.getLogger().handlers[:] = handlers
        for name, level in before:
            logging.getLogger(name).setLevel(level)
    return out.getvalue()


def test_a_line_of_the_log_stays_one_line():
    text = _logged(lambda: logging.getLogger("croody").warning("robot %s", "a\n2026-11-29 ERROR forged\x1b[2J"))
    assert text.count("\n") == 1
    assert "a\\n2026-11-29 ERROR forged\\x1b[2J" in text


@pytest.mark.django_db(databases="__all__")
def test_a_wrong_host_is_refused_without_a_traceback_in_the_log():
    text = _logged(lambda: Client(raise_request_exception=False).get("/", headers={"Host": "scan1.example"}))
    assert "Traceback" not in text
    assert text.count("\n") <= 1


@pytest.mark.django_db(databases="__all__")
def test_what_a_stranger_sends_costs_a_line_of_the_log_and_no_traceback():
    many = "&".join(f"a{number}=1" for number in range(1100))
    long = "a=" + "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)

    def ask() -> None:
        client = Client(raise_request_exception=False)
        for body in (many, long):
            answer = client.post("/contacto/", body, content_type="application/x-www-form-urlencoded")
            assert answer.status_code in (400, 413)

    text = _logged(ask)
    assert "Traceback" not in text
    assert text.count("\n") <= 2
