"""The public site as a Django app."""

from django.apps import AppConfig


class Config(AppConfig):
    """Its tables are called after it, and not after Django's own `sites`."""

    name = "croody.site"
    label = "site"
