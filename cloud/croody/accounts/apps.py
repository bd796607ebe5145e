"""Django's view of accounts: hears who comes in and goes, and writes it down."""

from django.apps import AppConfig, apps


class AccountsConfig(AppConfig):
    """Listens to Django's own log-in, the admin site and the second factor."""

    name = "croody.accounts"

    def ready(self) -> None:
        """Listen; called once at the start."""
        from croody.accounts import signals

        signals.listen()
        if apps.is_installed("allauth.mfa"):
            from croody.accounts import caller, second_factors

            caller.register_second_factors(second_factors.has_one)
