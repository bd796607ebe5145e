"""`/console/access/`. Who may do what is `accounts.organisation_rules`' table; every act calls one service and leads back."""

from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from croody.accounts import fresh_token, invitations, mail_texts, mailer, members, organisation_settings, tokens
from croody.accounts import organisations as making
from croody.accounts.caller import actor_of, has_second_factor, of_session
from croody.accounts.models import Invitation, Organisation, Token
from croody.accounts.organisation_rules import Affair, need, organisations
from croody.accounts.roles import Role
from croody.console import frame, page_access
from croody.console.access import facts, forms, words
from croody.web.address import page_number
from croody.web.refusals import Denied


@page_access.page()
def access(request: HttpRequest) -> HttpResponseBase:
    """Lead to one's first organisation."""
    caller = of_session(request)
    first = organisations(caller).first()
    if first is None and caller.superuser:
        return _first(request, forms.NewOrganisation())
    if first is None:
        return frame.draw(request, "console/nobody.html", {"alone": True}, page="access")
    return redirect("console_access_of", organisation=first.slug)


@page_access.page(Affair.MEET)
def access_of(request: HttpRequest, organisation: str) -> HttpResponseBase:
    """Who can do what here."""
    return _page(request, need(of_session(request), Affair.MEET, organisation))


@page_access.act("superuser", back="console_access")
def new_organisation(request: HttpRequest) -> HttpResponseBase:
    """Make an organisation. Who runs the site makes them; the others are invited into one."""
    caller = of_session(request)
    if not caller.superuser or not isinstance(request.user, User):
        raise Denied(403, "organisation: only who administers the site makes one")
    form = forms.NewOrganisation(request.POST)
    if not form.is_valid():
        first = organisations(caller).first()
        return _first(request, form, status=422) if first is None else _page(request, first, new=form, status=422)
    made = making.make(form.cleaned_data["name"], request.user, now=timezone.now(), actor=_actor(request))
    said = _("«%(name)s» está lista y tú la administras. Agrega un robot, o invita a quien lo cuida.") % {"name": made.name}
    return page_access.done(request, _home(made), said)


@page_access.act(Affair.INVITE, back="console_access_of")
def invite(request: HttpRequest, organisation: str) -> HttpResponseBase:
    """Invite somebody: the link is shown to copy, and mailed where an address was given."""
    found = need(of_session(request), Affair.INVITE, organisation)
    form = forms.Invite(request.POST)
    if not form.is_valid():
        return _page(request, found, invite=form, status=422)
    email, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
    try:
        _made, secret = invitations.invite(found, role=role, email=email, now=timezone.now(), actor=_actor(request))
    except invitations.TooMany as refused:
        form.add_error(None, str(refused))
        return _page(request, found, invite=form, status=422)
    said = _("Invitación lista: copia el enlace ahora, no se muestra otra vez.")
    if email and mailer.can_mail():
        sent = mailer.send(email, *mail_texts.invitation(found.name, _name(request), _link(request, secret)))
        said = _("Le escribimos a %(email)s.") % {"email": email} if sent else _("El correo no se pudo enviar: entrega tú el enlace.")
    return fresh_token.show(page_access.done(request, _home(found), said), secret)


@page_access.act(Affair.INVITE, back="console_access")
def revoke_invitation(request: HttpRequest, organisation: str, number: int) -> HttpResponseBase:
    """Take an invitation back."""
    found = need(of_session(request), Affair.INVITE, organisation)
    invitation = Invitation.objects.filter(organisation=found, pk=number).first()
    if invitation is None:
        raise Http404
    done = invitations.revoke(invitation, now=timezone.now(), actor=_actor(request))
    return page_access.done(request, _home(found), _("La invitación ya no sirve.") if done else _("Ya se había usado o anulado."))


@page_access.act(Affair.MEMBERS, back="console_access")
def change_role(request: HttpRequest, organisation: str, number: int) -> HttpResponseBase:
    """Let a member do more or less."""
    found = need(of_session(request), Affair.MEMBERS, organisation)
    user, form = _member(found, number), forms.Role(request.POST)
    if not form.is_valid():
        return _page(request, found, refused=_("Elige lo que podrá de la lista."), status=422)
    try:
        members.change_role(user, found, Role(form.cleaned_data["role"]), now=timezone.now(), actor=_actor(request))
    except (members.LastOwner, members.NoMember) as refused:
        return _page(request, found, refused=str(refused), status=409)
    return page_access.done(request, _home(found), _("Cambio guardado: %(name)s.") % {"name": user.get_username()})


@page_access.page(Affair.MEMBERS)
def remove(request: HttpRequest, organisation: str, number: int) -> HttpResponseBase:
    """GET asks, POST takes a member out: they would need an invitation to come back."""
    found = need(of_session(request), Affair.MEMBERS, organisation)
    user = _member(found, number)
    if request.method != "POST":
        question = _("¿Quitar a %(name)s de %(organisation)s?") % {"name": user.get_username(), "organisation": found.name}
        effect = _("Deja de ver sus robots en el acto. Su cuenta sigue, y lo que hizo conserva su nombre.")
        return _ask(request, found, question, effect, _("Quitar"))
    try:
        members.remove(user, found, now=timezone.now(), actor=_actor(request))
    except (members.LastOwner, members.NoMember) as refused:
        return _page(request, found, refused=str(refused), status=409)
    return page_access.done(request, _home(found), _("%(name)s ya no está.") % {"name": user.get_username()})


@page_access.page(Affair.LEAVE)
def leave(request: HttpRequest, organisation: str) -> HttpResponseBase:
    """GET asks, POST goes."""
    found = need(of_session(request), Affair.LEAVE, organisation)
    assert isinstance(request.user, User)
    if request.method != "POST":
        effect = _("Dejas de ver sus robots en el acto. Para volver hace falta que te inviten.")
        return _ask(request, found, _("¿Salir de %(organisation)s?") % {"organisation": found.name}, effect, _("Salir de la organización"))
    try:
        members.remove(request.user, found, now=timezone.now(), actor=_actor(request))
    except (members.LastOwner, members.NoMember) as refused:
        return _page(request, found, refused=str(refused), status=409)
    return page_access.done(request, "console", _("Saliste de %(organisation)s.") % {"organisation": found.name})


@page_access.act(Affair.SETTINGS, back="console_access_of")
def change_settings(request: HttpRequest, organisation: str) -> HttpResponseBase:
    """Another name, and whether members need a second factor. Who asks for one has one."""
    found = need(of_session(request), Affair.SETTINGS, organisation)
    form = forms.Settings(request.POST)
    if not form.is_valid():
        return _page(request, found, settings=form, status=422)
    asks = form.cleaned_data["asks_second_factor"]
    if asks and not has_second_factor(request.user.pk or 0):
        form.add_error("asks_second_factor", _("Activa antes el tuyo, en tu perfil: si no, tampoco tú verías esta organización."))
        return _page(request, found, settings=form, status=422)
    organisation_settings.change(found, name=form.cleaned_data["name"], asks_second_factor=asks, now=timezone.now(), actor=_actor(request))
    return page_access.done(request, _home(found), _("Cambio guardado: %(name)s.") % {"name": found.name})


@page_access.act(Affair.TOKENS, back="console_access_of")
def make_token(request: HttpRequest, organisation: str) -> HttpResponseBase:
    """A service token, shown once."""
    found = need(of_session(request), Affair.TOKENS, organisation)
    form = forms.ServiceToken(request.POST)
    if not form.is_valid():
        return _page(request, found, token=form, status=422)
    try:
        name = form.cleaned_data["name"]
        _made, secret = tokens.make_service(found, name, now=timezone.now(), actor=_actor(request), **form.values())
    except tokens.TooMany as refused:
        form.add_error(None, str(refused))
        return _page(request, found, token=form, status=422)
    return fresh_token.show(page_access.done(request, f"{_home(found)}#tokens"), secret)


@page_access.page(Affair.TOKENS)
def revoke_token(request: HttpRequest, organisation: str, number: int) -> HttpResponseBase:
    """GET asks, POST shuts a service token out."""
    found = need(of_session(request), Affair.TOKENS, organisation)
    token = Token.objects.filter(organisation=found, pk=number).first()
    if token is None:
        raise Http404
    if request.method != "POST":
        effect = _("Los programas que la usan dejan de entrar en el acto.")
        return _ask(request, found, _("¿Revocar la clave «%(name)s»?") % {"name": token.name}, effect, _("Revocar la clave"))
    done = tokens.revoke(token, now=timezone.now(), actor=_actor(request))
    said = _("La clave ya no funciona.") if done else _("Ya se había revocado.")
    return fresh_token.forget(page_access.done(request, f"{_home(found)}#tokens", said))


def _page(request: HttpRequest, organisation: Organisation, *, refused: str = "", status: int = 200, **bound: Any) -> HttpResponseBase:
    caller, now = of_session(request), timezone.now()
    found = facts.access(caller, organisation, page_number(request.GET.get("page", "")), now)
    fresh = fresh_token.secret_of(request, {*(one.sha256 for one in found.invitations), *(one.sha256 for one in found.tokens)})
    context = {
        "found": found,
        "sentence": words.sentence(found.total, len(found.invitations), get_language() or "es"),
        "organisations": organisations(caller)[:200],
        "roles": forms.ROLE_CHOICES,
        "invite_form": bound.get("invite") or forms.Invite(),
        "token_form": bound.get("token") or forms.ServiceToken(),
        "settings_form": bound.get("settings")
        or forms.Settings(initial={"name": organisation.name, "asks_second_factor": organisation.asks_second_factor}),
        "new_form": (bound.get("new") or forms.NewOrganisation()) if caller.superuser else None,
        "fresh_link": _link(request, fresh) if fresh and not fresh.startswith("crd_") else "",
        "fresh_token": fresh if fresh.startswith("crd_") else "",
        "refused": refused,
        "me": request.user.pk,
    }
    return frame.draw(request, "console/access/access.html", context, page="access", status=status)


def _first(request: HttpRequest, form: forms.NewOrganisation, *, status: int = 200) -> HttpResponseBase:
    return frame.draw(request, "console/access/first.html", {"new_form": form}, page="access", status=status)


def _ask(request: HttpRequest, organisation: Organisation, question: str, effect: str, button: str) -> HttpResponseBase:
    context = {"question": question, "effect": effect, "button": button, "back": _home(organisation)}
    return frame.draw(request, "console/access/ask.html", context, page="access")


def _member(organisation: Organisation, number: int) -> User:
    found = User.objects.filter(memberships__organisation=organisation, pk=number).first()
    if found is None:
        raise Http404
    return found


def _home(organisation: Organisation) -> str:
    return reverse("console_access_of", kwargs={"organisation": organisation.slug})


def _link(request: HttpRequest, secret: str) -> str:
    return request.build_absolute_uri(reverse("invitation", kwargs={"secret": secret}))


def _actor(request: HttpRequest) -> Any:
    return actor_of(request, of_session(request))


def _name(request: HttpRequest) -> str:
    assert isinstance(request.user, User)
    return request.user.get_username()
