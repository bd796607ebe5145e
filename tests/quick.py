"""What would be made anew for every test and is the same each time: kept, so that tests take the time of what they show.

Knows Django and WhiteNoise. Product code is none the wiser: a process of a real system makes each of these once.
"""

from typing import Any
from unittest import mock

from django.core import management
from django.core.signals import setting_changed
from django.db import connections
from django.test.signals import root_urlconf_changed
from django.urls import set_urlconf

from croody.web.assets import Static


def begin() -> None:
    """Once, after Django is set up and before a database is made."""
    setting_changed.disconnect(root_urlconf_changed)
    setting_changed.connect(_turn_to_addresses)
    _look_for_static_files_once()
    for alias in connections.databases:
        if alias != "default":
            _lean(alias)


def _turn_to_addresses(*, setting: str, **_: object) -> None:
    """Let tests go from one role's addresses to another's. Django would forget what it made of any of them, and make it again from hundreds
    of patterns; it keeps them by their module, so none stands for another."""
    if setting == "ROOT_URLCONF":
        set_urlconf(None)


def _look_for_static_files_once() -> None:
    """Each test's client has a middleware of its own, which would look at every static file again."""
    look, known = Static.add_files_from_finders, {}

    def add(middleware: Static) -> None:
        how = (middleware.static_prefix, middleware.max_age, middleware.allow_all_origins, middleware.charset)
        if how not in known:
            before = dict(middleware.files)
            look(middleware)
            known[how] = {path: file for path, file in middleware.files.items() if before.get(path) is not file}
        middleware.files.update(known[how])

    mock.patch.object(Static, "add_files_from_finders", add).start()


def _lean(alias: str) -> None:
    """Let a test database beside the default one have telemetry's tables alone, as from `croody setup`: to build the models of all other
    migrations takes seconds."""
    creation, call = connections[alias].creation, management.call_command
    create = creation.create_test_db

    def migrate_telemetry(command: str, **options: Any) -> Any:
        return call(command, "telemetry", **{**options, "run_syncdb": False}) if command == "migrate" else call(command, **options)

    def create_lean(*arguments: Any, **more: Any) -> Any:
        with mock.patch.object(management, "call_command", migrate_telemetry):
            return create(*arguments, **more)

    mock.patch.object(creation, "create_test_db", create_lean).start()
