"""Forms of the access page: an invitation, what a member may do, a service token."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from croody.accounts import roles
from croody.accounts.forms import scope_choices
from croody.accounts.models import Token

ROLE_CHOICES = [(role.value, words.name) for role, words in roles.WORDS.items()]
#: Days until a token expires; empty: never.
DAYS = [("30", _("30 días")), ("90", _("90 días")), ("365", _("un año")), ("", _("nunca"))]


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


class ServiceToken(forms.Form):
    """A token of the organisation."""

    name = forms.CharField(label=_("Para qué es"), max_length=80, help_text=_("Un nombre que reconozcas, como «tablero de la planta»."))
    role = forms.ChoiceField(label=_("Qué puede"), choices=ROLE_CHOICES, initial="viewer")
    scope = forms.MultipleChoiceField(
        label=_("Para qué sirve"),
        choices=scope_choices,
        initial=[Token.Scope.READ],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Marca al menos una cosa que la clave pueda hacer.")},
    )
    days = forms.ChoiceField(label=_("Caduca en"), choices=DAYS, initial="90", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "token-%s", **kwargs})

    def values(self) -> dict[str, Any]:
        """Of a form that is valid, as `tokens.make_service` takes them."""
        data = self.cleaned_data
        return {
            "role": roles.Role(data["role"]),
            "scopes": [Token.Scope(name) for name in data["scope"]],
            "days": int(data["days"]) if data["days"] else None,
        }
