"""Favourites and saved views of one person: the writes and the reads. Whose robots they are is asked by who calls."""

from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from croody.console.fleet.selection import Selection
from croody.console.models import SavedView, Star
from croody.fleet.models import Robot

MOST_STARS: Final = 200
MOST_VIEWS: Final = 30
MOST_NAME_CHARS: Final = 40


class TooMuch(ValueError):
    """More than there is room for; names the value, the rule and the remedy."""


def stars(user_id: int) -> frozenset[str]:
    """Ids of the favourites."""
    return frozenset(Star.objects.filter(user_id=user_id).values_list("robot_id", flat=True)[:MOST_STARS])


def star(user_id: int, robot: Robot, on: bool) -> None:
    """Put a robot among the favourites, or take it out.

    Raises:
        TooMuch: there are as many as there may be.
    """
    with transaction.atomic():
        mine = Star.objects.filter(user_id=user_id)
        if not on:
            mine.filter(robot=robot).delete()
        elif mine.count() >= MOST_STARS and not mine.filter(robot=robot).exists():
            raise TooMuch(_("favoritos: caben %(most)s: quita alguno") % {"most": MOST_STARS})
        else:
            mine.get_or_create(user_id=user_id, robot=robot)


def views(user_id: int) -> list[SavedView]:
    """Saved views, by name."""
    return list(SavedView.objects.filter(user_id=user_id).order_by("name")[:MOST_VIEWS])


def save(user_id: int, name: str, asked: Selection) -> SavedView:
    """Keep what the address asks for under a name; one that is there already gets it.

    Raises:
        TooMuch: the name is empty or too long, or there are as many views as there may be.
    """
    wanted = " ".join("".join(char if char.isprintable() else " " for char in name).split())
    if not 1 <= len(wanted) <= MOST_NAME_CHARS:
        raise TooMuch(
            _("nombre de la vista: escribe de 1 a %(most)s caracteres; van %(count)s") % {"most": MOST_NAME_CHARS, "count": len(wanted)}
        )
    with transaction.atomic():
        mine = SavedView.objects.filter(user_id=user_id)
        if mine.count() >= MOST_VIEWS and not mine.filter(name=wanted).exists():
            raise TooMuch(_("vistas: caben %(most)s: quita alguna") % {"most": MOST_VIEWS})
        view, _made = SavedView.objects.update_or_create(user_id=user_id, name=wanted, defaults={"query": asked.address()[1:600]})
    return view


def forget(user_id: int, number: int) -> bool:
    """Drop a saved view. Says whether it was there."""
    return SavedView.objects.filter(user_id=user_id, pk=number).delete()[0] > 0
