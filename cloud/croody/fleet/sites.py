"""Every write to sites: where robots work, what its floor looks like, where on Earth it is. Knows no robot's readings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from croody.accounts.models import Organisation
from croody.audit.actor import Actor
from croody.audit.services import record
from croody.fleet.models import Site

MOST_NAME_CHARS: Final = 120
#: Sites of one organisation.
MOST_SITES: Final = 200
#: A floor measures so much at least and at most, in metres, and is no longer than so many times its width: else it is drawn as a line.
LEAST_M: Final = 1.0
MOST_M: Final = 10_000.0
LONGEST: Final = 20.0
#: What a plan may hold beside its size, and how many of each.
PARTS: Final = ("walls", "doors", "racks", "docks", "labels")
MOST_PARTS: Final = 500
_SLUG_CHARS: Final = 50
#: Names that a refusal lists.
_MOST_TOLD: Final = 20


class NoSuchSite(ValueError):
    """In words, with the names that there are."""


def named(slug: str, organisation: str | None) -> Site:
    """The site of a short name.

    Args:
        slug: its short name.
        organisation: short name of whose it is; None for anybody's.

    Raises:
        NoSuchSite: there is none, or more than one.
    """
    sites = Site.objects.select_related("organisation")
    if organisation:
        sites = sites.filter(organisation__slug=organisation)
    found = list(sites.filter(slug=slug)[:2])
    if len(found) == 1:
        return found[0]
    said = {"site": slug}
    if found:
        raise NoSuchSite(_("sitio %(site)s: hay más de uno con ese nombre: di la organización con --organisation") % said)
    known = list(sites.order_by("slug").values_list("slug", flat=True).distinct()[: _MOST_TOLD + 1])
    if not known:
        raise NoSuchSite(_("sitio %(site)s: no hay ninguno con ese nombre, ni ningún otro: haz uno en la consola, en «Sitios»") % said)
    more = ["..."] if len(known) > _MOST_TOLD else []
    said["known"] = ", ".join(known[:_MOST_TOLD] + more)
    raise NoSuchSite(_("sitio %(site)s: no hay ninguno con ese nombre: usa uno de: %(known)s (la consola los enseña en «Sitios»)") % said)


class BadSite(ValueError):
    """A site that cannot be like this. `field` is what is wrong; the text names the value, the rule and the remedy."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a site shall be.

    Args:
        width_m, height_m: of its floor; None for a site without a plan.
        lat, lng: of the plan's top left corner, or of the place; degrees, None where it is not known.
        parts: lists of `PARTS` by name, as a plan file has them.
    """

    name: str
    width_m: float | None = None
    height_m: float | None = None
    lat: float | None = None
    lng: float | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)


def add_site(organisation: Organisation, wanted: Wanted, *, actor: Actor, now: datetime) -> Site:
    """Make a site. Its slug is made of its name and never changes.

    Raises:
        BadSite: it cannot be like this.
    """
    check(wanted)
    if Site.objects.filter(organisation=organisation).count() >= MOST_SITES:
        raise BadSite("name", _("una organización tiene %(most)s sitios como mucho: borra uno que ya no se use") % {"most": MOST_SITES})
    taken = set(Site.objects.filter(organisation=organisation).values_list("slug", flat=True))
    slug = _slug(wanted.name, taken)
    try:
        with transaction.atomic():
            site = Site.objects.create(organisation=organisation, slug=slug, **_columns(wanted, slug))
            _note(site, "add", actor, now, after=_told(site))
    except IntegrityError as error:
        raise BadSite("name", _("«%(name)s»: otra persona acaba de hacer un sitio así: mira la lista") % {"name": wanted.name}) from error
    return site


def change_site(site: Site, wanted: Wanted, *, actor: Actor, now: datetime) -> None:
    """Have it be like this; nothing is written when it is.

    Raises:
        BadSite: it cannot be like this.
    """
    check(wanted)
    with transaction.atomic():
        row = Site.objects.select_for_update().get(pk=site.pk)
        before, columns = _told(row), _columns(wanted, row.slug)
        for name, value in columns.items():
            setattr(row, name, value)
            setattr(site, name, value)
        after = _told(row)
        if before != after:
            row.save(update_fields=list(columns))
            changed = [name for name in after if before[name] != after[name]]
            told = [{name: of[name] for name in changed} for of in (before, after)]
            _note(row, "change", actor, now, before=told[0], after=told[1])


def delete_site(site: Site, *, actor: Actor, now: datetime) -> None:
    """Let go of it. Its robots stay, and work nowhere in particular."""
    with transaction.atomic():
        robots = list(site.robots.order_by("pk").values_list("pk", flat=True)[:MOST_PARTS])
        _note(site, "delete", actor, now, before={**_told(site), "robots": robots})
        site.delete()


def check(wanted: Wanted) -> None:
    """Hold it to the rules.

    Raises:
        BadSite: it breaks one.
    """
    name = wanted.name.strip()
    if not name or not name.isprintable() or len(name) > MOST_NAME_CHARS:
        lengths = {"most": MOST_NAME_CHARS, "count": len(name)}
        raise BadSite("name", _("nombre: una línea de 1 a %(most)s caracteres; escribiste %(count)s") % lengths)
    _pair("height_m", wanted.width_m, wanted.height_m, _("ancho y alto: escribe los dos, o ninguno"))
    _pair("lng", wanted.lat, wanted.lng, _("latitud y longitud: escribe las dos, o ninguna"))
    _within("width_m", wanted.width_m, LEAST_M, MOST_M, _("ancho"), "m")
    _within("height_m", wanted.height_m, LEAST_M, MOST_M, _("alto"), "m")
    _within("lat", wanted.lat, -90, 90, _("latitud"), "°")
    _within("lng", wanted.lng, -180, 180, _("longitud"), "°")
    if wanted.width_m and wanted.height_m:
        sides = sorted((wanted.width_m, wanted.height_m))
        if sides[1] > LONGEST * sides[0]:
            raise BadSite("height_m", _("un lado mide como mucho %(most)g veces el otro: pártelo en dos sitios") % {"most": LONGEST})
    for part, values in wanted.parts.items():
        if part not in PARTS or not isinstance(values, list) or len(values) > MOST_PARTS:
            said: dict[str, Any] = {"part": str(part)[:40], "parts": ", ".join(PARTS), "most": MOST_PARTS}
            raise BadSite("parts", _("plano: «%(part)s»: un plano tiene listas %(parts)s, de %(most)s cosas como mucho") % said)
    if wanted.parts and not wanted.width_m:
        raise BadSite("width_m", _("ancho y alto: un plano con dibujo necesita su tamaño en metros"))


def _pair(name: str, one: float | None, other: float | None, text: str) -> None:
    if (one is None) != (other is None):
        raise BadSite(name, text)


def _within(name: str, value: float | None, least: float, most: float, word: str, unit: str) -> None:
    if value is not None and not (isfinite(value) and least <= value <= most):
        said: dict[str, str] = {"word": word, "least": f"{least:g}", "most": f"{most:g}", "unit": unit, "value": f"{value:g}"}
        raise BadSite(name, _("%(word)s: de %(least)s a %(most)s %(unit)s; escribiste %(value)s") % said)


def _columns(wanted: Wanted, slug: str) -> dict[str, Any]:
    name = wanted.name.strip()
    plan: dict[str, Any] = {}
    if wanted.width_m and wanted.height_m:
        width_m, height_m = wanted.width_m, wanted.height_m
        outline = [[0, 0, width_m, 0], [width_m, 0, width_m, height_m], [width_m, height_m, 0, height_m], [0, height_m, 0, 0]]
        plan = {"name": name, "slug": slug, "width_m": width_m, "height_m": height_m, "walls": outline, **wanted.parts}
        if wanted.lat is not None:
            plan["origin"] = {"lat": wanted.lat, "lng": wanted.lng}
    return {"name": name, "plan": plan, "origin_lat": wanted.lat, "origin_lng": wanted.lng}


def _slug(name: str, taken: set[str]) -> str:
    # A name in another script leaves nothing of itself.
    base = slugify(name)[: _SLUG_CHARS - 4].strip("-") or "sitio"
    return next(slug for slug in (base, *(f"{base}-{number}" for number in range(2, MOST_SITES + 2))) if slug not in taken)


def _told(site: Site) -> dict[str, Any]:
    plan = site.plan or {}
    size = f"{plan['width_m']:g} x {plan['height_m']:g} m" if plan.get("width_m") and plan.get("height_m") else ""
    where = f"{site.origin_lat}, {site.origin_lng}" if site.origin_lat is not None else ""
    parts = {part: len(plan[part]) for part in PARTS if isinstance(plan.get(part), list)}
    return {"name": site.name, "size": size, "where": where, "plan": parts}


def _note(site: Site, verb: str, actor: Actor, now: datetime, **told: Any) -> None:
    record(actor, verb, "site", site.slug, organisation_id=site.organisation_id, now=now, **told)
