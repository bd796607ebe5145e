"""What the fleet does by the clock: the broker's credential files."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models import Count, Max

from croody.fleet import credential_files
from croody.fleet.models import Credential, NextCredential
from croody.fleet.vehicles import branches
from croody_contract import mosquitto

log = logging.getLogger(__name__)
#: The rules first: a name without rules may do nothing.
_NAMES: Final = (mosquitto.ACL_NAME, mosquitto.BRIDGE_PASSWD_NAME, mosquitto.PASSWD_NAME)


class CredentialWriter:
    """Keeps the broker's files in `folder` as the database says. Asks for one small row when nothing changed."""

    def __init__(self, folder: Path, bridge_password: str) -> None:
        self._folder = folder
        self._bridge_password = bridge_password
        self._written: list[tuple[int, int | None]] | None = None

    def __call__(self) -> bool:
        """Say whether a file was changed.

        Raises:
            OSError: the folder cannot be written.
        """
        # A new secret is always a new row, so count and greatest id together change with every change.
        marker = [_marker(model) for model in (Credential, NextCredential)]
        if marker == self._written and all((self._folder / name).exists() for name in _NAMES):
            return False
        robots = dict(Credential.objects.filter(robot__deleted_at=None).values_list("robot_id", "mqtt_hash"))
        # An account has one line on a broker: while a robot changes its secret that of the new one, until it failed to come in by it.
        coming = NextCredential.objects.filter(robot__deleted_at=None).values_list("robot_id", "mqtt_hash")
        robots |= {robot_id: hashed for robot_id, hashed in coming if robot_id in robots}
        before = credential_files.read(self._folder / mosquitto.BRIDGE_PASSWD_NAME)
        texts = credential_files.texts(robots, self._bridge_password, before=before, vehicles=branches())
        changed = [name for name in _NAMES if credential_files.replace_if_changed(self._folder / name, texts[name])]
        self._written = marker
        if changed:
            log.info("credentials written for %d robots: %s", len(robots), ", ".join(changed))
        return bool(changed)


def _marker(model: type[Credential] | type[NextCredential]) -> tuple[int, int | None]:
    found = model.objects.filter(robot__deleted_at=None).aggregate(count=Count("pk"), newest=Max("pk"))
    return found["count"], found["newest"]


_writer: CredentialWriter | None = None


def write_credentials(now: datetime) -> None:
    """Keep the broker's files; due every half second, so that a change is there within one."""
    global _writer
    if _writer is None:
        _writer = CredentialWriter(settings.ENV.state_dir / "broker", settings.ENV.bridge_mqtt_password)
    _writer()
