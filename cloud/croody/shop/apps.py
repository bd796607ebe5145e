"""The shop as a Django app: a guest's cart becomes theirs when they sign in."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.utils import timezone


class Config(AppConfig):
    """Listens for log-ins."""

    name = "croody.shop"
    label = "shop"

    def ready(self) -> None:
        """Begin to listen."""
        user_logged_in.connect(_merge, dispatch_uid="croody.shop.cart")


def _merge(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    from croody.shop import carts

    if request is not None:
        carts.merge(request, user, now=timezone.now())
