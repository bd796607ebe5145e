"""Pages of the second factor and of sessions: allauth's flows with our pages. See `adapter` for words and for how secrets are kept."""

from typing import Any

from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.webauthn import views as keys
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from croody.accounts import sign_ins, user_agents
from croody.accounts.caller import actor_of, of_session
from croody.accounts.rules import open_to
from croody.accounts.views import NoReplay
from croody.web.address import whole

#: Passkeys of one person.
MOST_KEYS = 10


class Index(base.IndexView):  # type: ignore[misc]
    """`/cuenta/segundo-factor/`: what there is, and what can be added."""

    template_name = "accounts/mfa/index.html"


class Again(NoReplay, base.ReauthenticateView):  # type: ignore[misc]
    """A code once more, before a grave act."""

    template_name = "accounts/mfa/again.html"


class KeyAgain(NoReplay, keys.ReauthenticateWebAuthnView):  # type: ignore[misc]
    """A passkey once more, before a grave act."""

    template_name = "accounts/mfa/key_again.html"


class Codes(recovery.ViewRecoveryCodesView):  # type: ignore[misc]
    """The codes, shown once; afterwards how many are left."""

    template_name = "accounts/mfa/codes.html"


class AddKey(keys.AddWebAuthnView):  # type: ignore[misc]
    """A passkey more, of `MOST_KEYS`."""

    template_name = "accounts/mfa/add_key.html"

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep it, unless there are too many."""
        if Authenticator.objects.filter(user_id=self.request.user.pk, type=Authenticator.Type.WEBAUTHN).count() >= MOST_KEYS:
            messages.error(self.request, _("Ya tienes %(most)s llaves: quita una antes.") % {"most": MOST_KEYS})
            return redirect("mfa_index")
        answer: HttpResponse = super().form_valid(form)
        return answer


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
@open_to("people")
def sessions(request: HttpRequest) -> HttpResponse:
    """`/cuenta/sesiones/`: where one is signed in; one or all others can be ended."""
    assert isinstance(request.user, User)
    here = sign_ins.key_of(request)
    if request.method == "POST":
        asked = request.POST.get("session", "")
        number = whole(asked)
        if number is None and asked != "others":
            return redirect("sessions")
        actor = actor_of(request, of_session(request))
        count = sign_ins.end(request.user, number=number, keep=here, now=timezone.now(), actor=actor)
        messages.success(request, ngettext("%(count)s sesión cerrada.", "%(count)s sesiones cerradas.", count) % {"count": count})
        return redirect("sessions")
    rows = [{"row": row, "words": user_agents.words(row.agent), "here": row.session_key == here} for row in sign_ins.of(request.user)]
    return render(request, "accounts/sessions.html", {"rows": rows})
