"""The sites' addresses: the list with a form for a new one, one site, and the question before it goes."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from croody.accounts.caller import actor_of, of_session
from croody.console.frame import draw
from croody.console.page_access import act, done, page
from croody.console.sites import facts, words
from croody.console.sites.forms import SiteForm, of_site
from croody.fleet import sites
from croody.fleet.access import Action
from croody.web.refusals import Denied

_HERE = "console_sites"


@page()
def index(request: HttpRequest) -> HttpResponseBase:
    """All sites, and a form for one more."""
    caller, language = of_session(request), get_language() or "es"
    teams = facts.teams(caller)
    form = SiteForm(teams, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not teams:
            raise Denied(403, "site: only maintainers and owners of an organisation may add one to it")
        if form.is_valid():
            organisation = form.organisation_said
            try:
                if organisation is None:
                    raise sites.BadSite("organisation", _("de quién es: elige una organización"))
                site = sites.add_site(organisation, form.wanted(), actor=actor_of(request, caller), now=timezone.now())
            except sites.BadSite as error:
                form.add_error(error.field, str(error))
            else:
                return done(request, _HERE, _("Sitio %(name)s hecho.") % {"name": site.name})
    found = facts.listed(caller)
    context = {
        "sentence": words.sentence(found, language),
        "rows": [words.row(site, language) for site in found],
        "several": len({site.organisation for site in found}) > 1,
        "form": form,
        "may": bool(teams),
    }
    return draw(request, "console/sites/index.html", context, page="sites", status=422 if form.errors else 200)


@page()
def one(request: HttpRequest, number: int) -> HttpResponseBase:
    """A site as a form."""
    caller = of_session(request)
    site = facts.site_of(caller, number, Action.CONFIGURE)
    form = SiteForm([site.organisation], request.POST if request.method == "POST" else None, initial=of_site(site))
    if request.method == "POST" and form.is_valid():
        try:
            sites.change_site(site, form.wanted(), actor=actor_of(request, caller), now=timezone.now())
        except sites.BadSite as error:
            form.add_error(error.field, str(error))
        else:
            return done(request, _HERE, _("Sitio %(name)s guardado.") % {"name": site.name})
    context = {
        "site": site,
        "form": form,
        "robots": facts.robots_at(site),
        "administers": facts.administers(caller, site),
    }
    return draw(request, "console/sites/one.html", context, page="sites", status=422 if form.errors else 200)


@act(back=_HERE)
def delete(request: HttpRequest, number: int) -> HttpResponseBase:
    """Let go of it: who sees the question has read how many robots work there."""
    caller = of_session(request)
    site = facts.site_of(caller, number, Action.ADMINISTER)
    sites.delete_site(site, actor=actor_of(request, caller), now=timezone.now())
    return done(request, _HERE, _("Sitio %(name)s borrado; sus robots siguen, sin sitio.") % {"name": site.name})
