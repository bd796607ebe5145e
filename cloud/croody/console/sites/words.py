"""Sites in words and numbers. Pure but for translation."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from croody.console.sites.facts import Listed
from croody.web import formats


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list."""

    site: Listed
    robots: str
    size: str
    where: str


def sentence(sites: list[Listed], language: str) -> str:
    """The page's answer."""
    if not sites:
        return _("Aún no hay sitios")
    text = ngettext("%(count)s sitio", "%(count)s sitios", len(sites))
    return text % {"count": formats.counted(len(sites), language)}


def row(site: Listed, language: str) -> Row:
    """One site: its robots, its floor, its place."""
    size = ""
    if site.size is not None:
        sides = [formats.number(side, 0 if side == round(side) else 1, language) for side in site.size]
        size = formats.with_unit(f"{sides[0]} × {sides[1]}", "m")
    # As maps and programs take them, in either language.
    where = f"{site.where[0]:.5f}, {site.where[1]:.5f}" if site.where is not None else ""
    return Row(site, formats.number(site.robots, 0, language), size, where)
