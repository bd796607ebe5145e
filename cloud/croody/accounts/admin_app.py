"""Takes the place of `django.contrib.admin` among the installed apps: its site is ours. Loaded before there are models."""

from django.contrib.admin.apps import AdminConfig


class Config(AdminConfig):
    """Django's, with our site."""

    default_site = "croody.accounts.admin_site.Site"
