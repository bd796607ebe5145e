"""Every write to a robot's next secret: it is offered, and comes in or is given up. Knows neither why nor how the robot is asked.

One of them counts at every moment: what is in `Credential` until the robot has come in by the next one, and the next one from then on.
Each step is one transaction behind the robot's own row, so two at once come one after the other.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from croody.fleet.models import Credential, NextCredential, Robot
from croody_contract.claims import SecretHashes


def offer(robot_id: str, hashes: SecretHashes, *, outgoing: int, until: datetime, now: datetime) -> bool:
    """Let the robot in by this secret, too. False when it has another one under way, when it is shut out, or when that is over."""
    with transaction.atomic():
        if until <= now or not _locked(robot_id) or not Credential.objects.filter(robot_id=robot_id).exists():
            return False
        there = NextCredential.objects.filter(robot_id=robot_id).first()
        if there is not None or Credential.objects.filter(sha256=hashes.sha256).exists():
            return False
        try:
            with transaction.atomic():
                NextCredential.objects.create(
                    robot_id=robot_id,
                    mqtt_hash=hashes.mqtt_hash,
                    sha256=hashes.sha256,
                    outgoing=outgoing,
                    created_at=now,
                    expires_at=until,
                )
        except IntegrityError:
            # Another robot's, which this one cannot have made.
            return False
    return True


def promote(robot_id: str, *, outgoing: int, now: datetime) -> bool:
    """The next secret counts from now on, and the one of before is dead. False when there is none of this command any more."""
    with transaction.atomic():
        if not _locked(robot_id):
            return False
        coming = NextCredential.objects.filter(robot_id=robot_id, outgoing=outgoing, expires_at__gt=now).first()
        if coming is None:
            return False
        Credential.objects.filter(robot_id=robot_id).delete()
        Credential.objects.create(robot_id=robot_id, mqtt_hash=coming.mqtt_hash, sha256=coming.sha256)
        coming.delete()
    return True


def give_up(robot_id: str, *, outgoing: int) -> bool:
    """The secret of before counts on. False when there was no next one of this command."""
    with transaction.atomic():
        _locked(robot_id)
        deleted, _rows = NextCredential.objects.filter(robot_id=robot_id, outgoing=outgoing).delete()
    return deleted > 0


def _locked(robot_id: str) -> bool:
    return Robot.objects.select_for_update().filter(pk=robot_id, deleted_at=None).first() is not None
