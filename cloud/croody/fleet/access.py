"""Who may see which robot: the one place that says so. Knows users and organisations, never HTTP."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q, QuerySet

from croody.accounts.models import Membership
from croody.fleet.models import Robot


def visible_to(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Robot]:
    """Robots this user may know of: their organisations' and the shared ones; a superuser's are all.

    Being staff opens the admin site and nothing else: whose robots a person sees is said by memberships alone.
    """
    robots = Robot.objects.filter(deleted_at=None)
    if not user.is_authenticated or not user.is_active:
        return robots.filter(shared=True)
    if getattr(user, "is_superuser", False):
        return robots
    return robots.filter(Q(shared=True) | Q(organisation__in=_organisations_of(user)))


def of_organisations(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Robot]:
    """Robots of the organisations this user belongs to; a superuser's are all. What is not for the public asks this one."""
    robots = Robot.objects.filter(deleted_at=None)
    if not user.is_authenticated or not user.is_active:
        return robots.none()
    if getattr(user, "is_superuser", False):
        return robots
    return robots.filter(organisation__in=_organisations_of(user))


def _organisations_of(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Membership, Any]:
    return Membership.objects.filter(user_id=int(user.pk or 0)).values("organisation")
