"""Roles and scopes in words: what each is called, and what it lets one do. Pure; `organisation_rules` and `fleet.access` have the rules."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from croody.accounts.models import Membership, Token

Role = Membership.Role


class Words(NamedTuple):
    """What it is called, and what it lets one do: of a role, a sentence to whoever has it."""

    name: str | Promise
    does: str | Promise


WORDS: Final[Mapping[Role, Words]] = {
    Role.VIEWER: Words(pgettext_lazy("role", "Ver"), _("Podrás ver los robots, sus lecturas y sus alertas.")),
    Role.OPERATOR: Words(pgettext_lazy("role", "Operar"), _("Podrás ver los robots y atender sus alertas.")),
    Role.MAINTAINER: Words(pgettext_lazy("role", "Mantener"), _("Podrás ver los robots, atender sus alertas y configurarlos.")),
    Role.OWNER: Words(pgettext_lazy("role", "Administrar"), _("Podrás todo: robots, alertas, configuración y quién más entra.")),
}
#: What a token is for.
SCOPES: Final[Mapping[Token.Scope, Words]] = {
    Token.Scope.READ: Words(_("leer"), _("Leer: robots, lecturas, alertas")),
    Token.Scope.INGEST: Words(_("enviar"), _("Enviar lecturas")),
    Token.Scope.ACT: Words(_("actuar"), _("Actuar: cerrar alertas, repetir lo que no se guardó")),
    Token.Scope.MANAGE: Words(_("configurar"), _("Configurar robots: nombre, sitio, secreto, con quién se comparten")),
}
