"""Forms of the access page: an invitation, what a member may do, a service token, an organisation's own affairs."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from croody.accounts import roles
from croody.accounts.forms import NamedToken

ROLE_CHOICES = [(role.value, words.name) for role, words in roles.WORDS.items()]


class Invite(forms.Form):
    """For whom, and as what."""

    email = forms.EmailField(
        label=_("Correo"),
        required=False,
        max_length=254,
        help_text=_("Opcional: sin correo copias el enlace y lo entregas tú."),
        error_messages={"invalid": _("No es una dirección de correo: escríbela como nombre@ejemplo.org.")},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label=_("Qué podrá"), choices=ROLE_CHOICES, initial="viewer")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "invite-%s", **kwargs})


class Role(forms.Form):
    """What a member may do from now on."""

    role = forms.ChoiceField(choices=ROLE_CHOICES)


class ServiceToken(NamedToken):
    """A token of the organisation, with a role of its own."""

    role = forms.ChoiceField(label=_("Qué puede"), choices=ROLE_CHOICES, initial="viewer")
    field_order = ("name", "role", "scope", "days")

    def values(self) -> dict[str, Any]:
        """As `tokens.make_service` takes them."""
        return {**super().values(), "role": roles.Role(self.cleaned_data["role"])}


class NewOrganisation(forms.Form):
    """What it is called."""

    name = forms.CharField(label=_("Nombre"), max_length=120, help_text=_("Como se llama tu equipo o tu empresa. Se puede cambiar."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "new-%s", **kwargs})


class Settings(forms.Form):
    """What an organisation is called, and what it asks of its members."""

    name = forms.CharField(label=_("Nombre"), max_length=120)
    asks_second_factor = forms.BooleanField(
        label=_("Pedir segundo factor a todos"),
        required=False,
        help_text=_("Quien no lo tenga no ve nada de esta organización hasta que lo active."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "settings-%s", **kwargs})
