"""One's own picture: uploaded, shown to oneself, taken away. Every write of it is here."""

from datetime import datetime, timedelta
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from croody.accounts import audit_trail, throttle
from croody.accounts.caller import actor_of, of_session
from croody.accounts.models import ProfilePicture
from croody.accounts.rules import open_to
from croody.audit.actor import Actor
from croody.web import pictures
from croody.web.pictures import MOST_BYTES, BadPicture

#: Pixels of its sides, of which the page shows half: twice as many as points for a sharp screen.
SIDE: Final = 192
_LEAST: Final = 64
#: New ones of one person in an hour: each costs a processor's while.
_MOST: Final = 20
#: The address has its digest; whoever may see it keeps it for themselves.
_CACHE: Final = "private, max-age=31536000, immutable"


def put(user: User, data: bytes, *, actor: Actor, now: datetime) -> None:
    """Have this one from now on.

    Raises:
        BadPicture: it is none.
    """
    made = pictures.make(data, widths=(SIDE,), least=_LEAST, square=True)
    with transaction.atomic():
        said = {"digest": made.digest, "webp": made.files[(made.width, "webp")], "at": now}
        ProfilePicture.objects.update_or_create(user=user, defaults=said)
        audit_trail.note(user, actor, "picture", "person", user.get_username(), now)


def remove(user: User, *, actor: Actor, now: datetime) -> None:
    """Have none."""
    with transaction.atomic():
        if ProfilePicture.objects.filter(user=user).delete()[0]:
            audit_trail.note(user, actor, "remove_picture", "person", user.get_username(), now)


@login_required
@open_to("people")
def change(request: HttpRequest) -> HttpResponse:
    """`/cuenta/foto/`: the form's address. Who types it is led to the profile."""
    assert isinstance(request.user, User)
    if request.method != "POST":
        return redirect("profile")
    actor, now = actor_of(request, of_session(request)), timezone.now()
    try:
        if request.POST.get("act") == "remove":
            remove(request.user, actor=actor, now=now)
            messages.success(request, _("Tu imagen ya no está."))
            return redirect("profile")
        _check_pace(request.user)
        file = request.FILES.get("file")
        if file is None:
            raise BadPicture(_("imagen: no elegiste ninguna: elige un archivo JPEG, PNG o WebP"))
        put(request.user, file.read(MOST_BYTES + 1), actor=actor, now=now)
        messages.success(request, _("Tu imagen está al día."))
    except BadPicture as refused:
        messages.error(request, str(refused))
    return redirect("profile")


@require_GET
@login_required
@open_to("people")
def file(request: HttpRequest, digest: str) -> HttpResponse:
    """The picture of who asks."""
    assert isinstance(request.user, User)
    one = ProfilePicture.objects.filter(user=request.user, digest=digest[:64]).first()
    if one is None:
        raise Http404("no picture of yours")
    return pictures.answer(bytes(one.webp), "webp", _CACHE)


def _check_pace(user: User) -> None:
    if not throttle.may_try("picture", str(user.pk), _MOST, timedelta(hours=1)):
        raise BadPicture(_("imagen: ya cambiaste %(most)s veces en una hora: espera un rato") % {"most": _MOST})
