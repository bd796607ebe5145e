"""What lets two containers of one service change places: each tells the gateway when it is the one that goes."""

import gc
import importlib
import socket

import pytest
from django.test import RequestFactory

from croody.serve import gunicorn_settings as serving
from croody.web import health


def asked(**headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return health.healthz(RequestFactory().get("/healthz", headers=named)).status_code


def test_whoever_is_named_as_leaving_says_so_and_nobody_else_does():
    assert asked() == 200
    assert asked(X_Leaving="another-container") == 200
    assert asked(X_Leaving=socket.gethostname()) == 503


def test_the_views_are_read_before_the_port_opens_unless_workers_reload_them(monkeypatch: pytest.MonkeyPatch):
    assert importlib.reload(serving).preload_app
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--reload")
    assert not importlib.reload(serving).preload_app
    monkeypatch.delenv("GUNICORN_CMD_ARGS")
    importlib.reload(serving)


def test_no_process_of_the_api_looks_through_its_code_for_garbage():
    thresholds = gc.get_threshold()
    try:
        serving.when_ready(None)
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] > thresholds[0]
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
