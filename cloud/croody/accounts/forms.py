"""Forms of people's own pages. Their texts name the value, the rule and the remedy, and never who else has an account."""

from typing import Any

from allauth.account import forms as allauth
from allauth.account.models import EmailAddress
from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from croody.accounts.mailer import can_mail
from croody.accounts.models import Token
from croody.accounts.roles import SCOPES

_LENGTH = _("Son de 3 a 150 caracteres; escribiste %(show_value)s.")


_NEW_PASSWORD = _("10 caracteres o más; no uses una frecuente ni una parecida a tu nombre.")


class Login(allauth.LoginForm):  # type: ignore[misc]
    """Name, or address, and password. One sentence for every refusal, whether the name exists or not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {
            "username": forms.CharField(
                label=_("Nombre o correo"),
                max_length=254,
                widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
            ),
            "password": forms.CharField(
                label=_("Contraseña"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
            ),
        }

    def clean(self) -> dict[str, Any]:
        """Whose they are."""
        self.cleaned_data["login"] = self.cleaned_data.get("username", "")
        cleaned: dict[str, Any] = super().clean()
        return cleaned


class Again(allauth.ReauthenticateForm):  # type: ignore[misc]
    """The password once more, before a grave act."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self.fields["password"], _("Contraseña"))


class Forgotten(allauth.ResetPasswordForm):  # type: ignore[misc]
    """The address to which a link goes. Whether anybody has it is not told."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self.fields["email"], _("Correo"))


class NewPassword(allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password, by a link that came by mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self.fields["password1"], _("Contraseña nueva"), _NEW_PASSWORD)
        _word(self.fields["password2"], _("Contraseña nueva, otra vez"))


class NewAddress(allauth.AddEmailForm):  # type: ignore[misc]
    """Another address, which holds once it is confirmed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self.fields["email"], _("Correo nuevo"), _("Te escribimos a esa dirección; hasta que la confirmes vale la de ahora."))


def _word(field: forms.Field, label: Any, help_text: Any = "") -> None:
    """Our words for a field, and none inside of it."""
    field.label, field.help_text = label, help_text
    field.widget.attrs.pop("placeholder", None)


class Registration(forms.Form):
    """A new account: a name, a password and, where mail can be sent, an address. Nothing else is asked."""

    username = forms.CharField(
        label=_("Nombre"),
        min_length=3,
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        help_text=_("De 3 a 150 letras, números o @ . + - _"),
        error_messages={
            "min_length": _LENGTH,
            "max_length": _LENGTH,
            "invalid": _("%(value)s tiene otros caracteres: usa solo letras, números o @ . + - _"),
        },
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    email = forms.EmailField(
        label=_("Correo"),
        max_length=254,
        help_text=_("Para confirmar la cuenta y para cuando olvides la contraseña."),
        error_messages={"invalid": _("No es una dirección de correo: escríbela como nombre@ejemplo.org.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        label=_("Contraseña"),
        strip=False,
        help_text=_NEW_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not can_mail():
            del self.fields["email"]

    def clean_username(self) -> str:
        """The name as it is kept; names that differ by case alone are one name."""
        name = User.normalize_username(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError(_("El nombre %(name)s ya está en uso; elige otro."), params={"name": name})
        return str(name)

    def clean(self) -> dict[str, Any]:
        """The password against the rules, once the name is known."""
        data = super().clean() or {}
        password = data.get("password")
        if password:
            try:
                password_validation.validate_password(password, User(username=data.get("username", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return data

    def is_taken(self) -> bool:
        """Say whether an account has this address. Who fills the form in is not told: its owner is, by mail."""
        email = self.cleaned_data.get("email")
        return bool(email) and (
            EmailAddress.objects.filter(email__iexact=email).exists() or User.objects.filter(email__iexact=email).exists()
        )

    def save(self) -> User:
        """Make the account, with its address not yet confirmed."""
        email = self.cleaned_data.get("email", "").lower()
        with transaction.atomic():
            user = User.objects.create_user(self.cleaned_data["username"], email, self.cleaned_data["password"])
            if email:
                EmailAddress.objects.create(user=user, email=email, primary=True, verified=False)
        return user


def scope_choices() -> list[tuple[str, Any]]:
    """What a token may be for."""
    return [(scope.value, words.does) for scope, words in SCOPES.items()]


class NewToken(forms.Form):
    """What a new personal token is for: everything, unless less is chosen. Its owner's role holds all the same."""

    scope = forms.MultipleChoiceField(
        label=_("Qué puede hacer la clave"),
        choices=scope_choices,
        initial=list(Token.Scope),
        error_messages={"required": _("Marca al menos una cosa que la clave pueda hacer.")},
    )

    def chosen(self) -> list[Token.Scope]:
        """The scopes of a form that is valid."""
        return [Token.Scope(name) for name in self.cleaned_data["scope"]]


#: Days until a token expires; empty: never.
DAYS = [("30", _("30 días")), ("90", _("90 días")), ("365", _("un año")), ("", _("nunca"))]


class NamedToken(forms.Form):
    """One token of several: what it is called, what it is for, and until when."""

    name = forms.CharField(label=_("Para qué es"), max_length=80, help_text=_("Un nombre que reconozcas, como «tablero de la planta»."))
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
        """Of a form that is valid, as `tokens` takes them."""
        data = self.cleaned_data
        return {"scopes": [Token.Scope(name) for name in data["scope"]], "days": int(data["days"]) if data["days"] else None}


class Password(SetPasswordForm):  # type: ignore[type-arg]
    """A new password. Who has one gives it first; who came by a one-time login has none to give."""

    old_password = forms.CharField(
        label=_("Contraseña actual"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields["new_password1"].label = _("Contraseña nueva")
        self.fields["new_password1"].help_text = _NEW_PASSWORD
        self.fields["new_password2"].label = _("Contraseña nueva, otra vez")
        self.fields["new_password2"].help_text = ""
        if user.has_usable_password():
            self.order_fields(["old_password", "new_password1", "new_password2"])
        else:
            del self.fields["old_password"]

    def clean_old_password(self) -> str:
        """The current one."""
        given = str(self.cleaned_data["old_password"])
        if not self.user.check_password(given):
            raise forms.ValidationError(_("No es tu contraseña actual. Escríbela otra vez."))
        return given
