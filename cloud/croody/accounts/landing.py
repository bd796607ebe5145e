"""Where somebody comes in who was going nowhere else. Knows who belongs somewhere, and names of addresses."""

from django.contrib.auth.models import AnonymousUser, User

from croody.accounts.models import Membership


def page_of(user: User | AnonymousUser) -> str:
    """The name of its address: of the console for who has robots to look after, else of what everybody sees.

    Where their organisation asks for a second factor first, the console says so.
    """
    if isinstance(user, User) and (user.is_superuser or Membership.objects.filter(user=user).exists()):
        return "console"
    return "monitor"
