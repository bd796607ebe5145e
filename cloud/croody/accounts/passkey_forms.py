"""What a browser says of a passkey: read to its end before allauth looks at it, which answers for less than a stranger can send."""

import struct
from typing import Any, Final

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn import forms as allauth
from django import forms
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

#: What reading such an answer may raise, from its JSON to the CBOR inside.
_UNREADABLE: Final = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError, struct.error)


class _Said(forms.JSONField):
    """JSON that is an answer of the given kind; anything else is refused as a wrong key is."""

    def __init__(self, kind: Any) -> None:
        super().__init__(required=True, widget=forms.HiddenInput)
        self._kind = kind

    def to_python(self, value: Any) -> Any:
        """As allauth takes it.

        Raises:
            ValidationError: it is none.
        """
        try:
            said = super().to_python(value)
            if said is not None:
                self._kind.from_dict(said)
        except _UNREADABLE as error:
            raise get_adapter().validation_error("incorrect_code") from error
        return said


class Add(allauth.AddWebAuthnForm):  # type: ignore[misc]
    """A new one."""

    credential = _Said(RegistrationResponse)


class LogIn(allauth.LoginWebAuthnForm):  # type: ignore[misc]
    """In by one."""

    credential = _Said(AuthenticationResponse)


class Again(allauth.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """One once more."""

    credential = _Said(AuthenticationResponse)
