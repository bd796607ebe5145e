"""The browsers that show somebody's notices: subscribed by that person, in that browser, and taken off the list by them or by its service.

A push service is a stranger's address, which a browser names: it is asked as a webhook's receiver is, and no other way.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from croody.audit.actor import Actor
from croody.audit.services import record
from croody.notices import push, webhook
from croody.notices.models import Browser, PushKey
from croody.notices.spec import BadRule
from croody.notices.webhook import Failed

#: Browsers of one person.
MOST: Final = 10
_ENDPOINT: Final = 1000
#: A push service keeps what it cannot deliver for so long, in seconds: as long as it is news.
KEPT_S: Final = 24 * 3600
_LEAST_S: Final = 0.5
_MOST_ID: Final = 2**63 - 1


def key(now: datetime) -> str:
    """This site's private key, made by the first who asks for it."""
    row = PushKey.objects.filter(pk=1).first()
    if row is None:
        # Two at once: the first one's stays.
        PushKey.objects.bulk_create([PushKey(pk=1, value=push.new_key(), created_at=now)], ignore_conflicts=True)
        row = PushKey.objects.get(pk=1)
    return row.value


def public_key(now: datetime) -> str:
    """What a browser is subscribed with, base64url."""
    return push.encode(push.point(push.key_of(key(now))))


def of(user_id: int) -> list[Browser]:
    """A person's, the newest first."""
    return list(Browser.objects.filter(person_id=user_id).order_by("-pk")[:MOST])


def subscribe(user_id: int, given: Mapping[str, Any], name: str, *, by: Actor, now: datetime) -> Browser:
    """Keep a browser for a person. One that was somebody else's is theirs from now on: notices go to who sits there.

    Args:
        given: as `PushSubscription.toJSON()` has it.

    Raises:
        BadRule: it is no subscription, or there are too many.
    """
    keys = given.get("keys")
    fields = keys if isinstance(keys, Mapping) else {}
    endpoint, p256dh, auth = str(given.get("endpoint") or ""), str(fields.get("p256dh") or ""), str(fields.get("auth") or "")
    _check(endpoint, p256dh, auth)
    with transaction.atomic():
        row = Browser.objects.select_for_update().filter(endpoint=endpoint).first()
        if row is not None and row.person_id == user_id:
            Browser.objects.filter(pk=row.pk).update(p256dh=p256dh, auth=auth, name=name)
            return row
        if Browser.objects.filter(person_id=user_id).count() >= MOST:
            raise BadRule("", _("ya hay %(most)s navegadores, que es lo máximo: quita uno que no uses") % {"most": MOST})
        if row is not None:
            row.delete()
        row = Browser.objects.create(person_id=user_id, endpoint=endpoint, p256dh=p256dh, auth=auth, name=name, created_at=now)
        record(by, "add", "browser", str(row.pk), organisation_id=None, after={"name": name}, now=now)
    return row


def forget(user_id: int, number: int, *, by: Actor, now: datetime) -> bool:
    """Take one of a person's off their list; False when there is none."""
    row = Browser.objects.filter(pk=number, person_id=user_id).first() if 0 < number <= _MOST_ID else None
    if row is None:
        return False
    with transaction.atomic():
        row.delete()
        record(by, "delete", "browser", str(number), organisation_id=None, before={"name": row.name}, now=now)
    return True


def tell(user_id: int, text: bytes, topic: str, *, urgent: bool, now: datetime) -> str:
    """Send one notice to all browsers of a person; how many took it. One that is no longer subscribed goes from the list.

    Args:
        text: at most `push.ROOM` bytes.
        topic: a later one of the same topic takes the place of one that still waits at the service.

    Raises:
        Failed: no browser took it.
    """
    private, rows = push.key_of(key(now)), of(user_id)
    if not rows:
        raise Failed("no browser is subscribed", final=True)
    taken, refused, begun = 0, list[Failed](), time.monotonic()
    for row in rows:
        left_s = webhook.WITHIN_S - (time.monotonic() - begun)
        if left_s < _LEAST_S:
            # All of them together take no longer than one receiver: a service that drips holds up its own person, and nobody else.
            refused.append(Failed(f"no answer within {webhook.WITHIN_S:g} s"))
            break
        headers = {
            "Authorization": push.authorization(row.endpoint, private, contact=_contact(), now_s=int(now.timestamp())),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEPT_S),
            "Topic": topic,
            "Urgency": "high" if urgent else "normal",
        }
        try:
            body = push.encrypt(text, push.Keys.read(row.p256dh, row.auth))
            webhook.post(row.endpoint, body, headers, allowed=settings.ENV.notice_networks, within_s=left_s)
        except Failed as error:
            if error.status in {404, 410}:
                Browser.objects.filter(pk=row.pk).delete()
            refused.append(error)
            continue
        Browser.objects.filter(pk=row.pk).update(told_at=now)
        taken += 1
    if not taken:
        lasting = [error for error in refused if not error.final]
        raise (lasting or refused)[0]
    left_out = f"; {refused[0]}" if refused else ""
    return f"{taken} of {len(rows)}{left_out}"


def _check(endpoint: str, p256dh: str, auth: str) -> None:
    if len(endpoint) > _ENDPOINT or urlsplit(webhook.check(endpoint)).scheme != "https":
        raise BadRule("endpoint", _("navegador: la dirección de su servicio tiene que empezar con https://"))
    try:
        push.Keys.read(p256dh, auth)
    except ValueError as error:
        raise BadRule("keys", _("navegador: sus claves no son de un navegador: quítalo allí y apúntalo de nuevo")) from error


def _contact() -> str:
    """Whom the people of a push service may ask."""
    public = str(settings.ENV.public_url)
    address: str = settings.ENV.mail_from
    return public if public.startswith("https://") else f"mailto:{address.rpartition('<')[2].rstrip('>')}"
