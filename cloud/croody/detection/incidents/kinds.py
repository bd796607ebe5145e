"""Incidents in words: what was done, by whom, how often, where the limit is, and what to do first. Pure but for translation."""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from croody.alarms.kinds import Detail, End, Kind, whole
from croody.detection.incidents import network_words, rules
from croody.detection.incidents.evidence import BY_CODE

#: Evidence in words. `who`: an address, or an account; `value`, `limit`: the counter and its limit; `beside`: accounts, or addresses.
_SAID: Final[Mapping[str, str | Promise]] = {
    "guessed": _("%(who)s probó %(value)s contraseñas y luego entró como %(beside)s"),
    "spoofing": _("%(who)s quiso publicar en nombre de otros robots (%(value)s temas ajenos), desde %(beside)s"),
    "guessing": _("%(who)s probó %(value)s secretos distintos en un minuto (límite %(limit)s), como %(beside)s"),
    "keys": _("%(who)s probó %(value)s claves distintas de las API en un minuto (límite %(limit)s)"),
    "accounts": _("%(who)s probó lo mismo en %(value)s cuentas distintas en un minuto (límite %(limit)s): %(beside)s"),
    "listening": _("%(who)s quiso leer lo de otros robots (%(value)s temas ajenos), desde %(beside)s"),
    "passwords": _("%(who)s falló %(value)s contraseñas de personas en un minuto (límite %(limit)s), como %(beside)s"),
    "refusals": _("%(who)s fue rechazado %(value)s veces en un minuto (límite %(limit)s)"),
    "forbidden": _("%(who)s pidió %(value)s veces en un minuto lo que no es suyo (límite %(limit)s)"),
    "scanning": _("%(who)s pidió %(value)s direcciones que no existen en un minuto (límite %(limit)s)"),
    "flood": _("%(who)s abre conexiones sin presentarse: se cerraron %(value)s en un minuto (límite %(limit)s)"),
    "probing": _("%(who)s envió %(value)s veces en un minuto algo que no es MQTT (límite %(limit)s)"),
}
_FIRST: Final[Mapping[str, str | Promise]] = {
    "guessed": _("cambia ya el secreto de esa cuenta y bloquea la dirección."),
    "spoofing": _("ponlo en cuarentena o rota su secreto, y mira quién lo maneja."),
    "guessing": _("bloquea la dirección en tu red; los secretos de Croody no se adivinan, los elegidos por personas sí."),
    "keys": _("bloquea la dirección en tu red."),
    "accounts": _("bloquea la dirección en tu red."),
    "listening": _("mira qué programa usa esa cuenta; no recibió nada."),
    "passwords": _("pregunta a esa persona; si no fue ella, bloquea la dirección y pídele un segundo factor."),
    "refusals": _("si es un robot tuyo, revisa su secreto; si no, bloquea la dirección."),
    "forbidden": _("si es un programa tuyo, revisa su clave; si no, bloquea la dirección."),
    "scanning": _("si no es una prueba tuya, bloquea la dirección."),
    "flood": _("bloquea la dirección en tu red."),
    "probing": _("si no es un aparato tuyo mal configurado, bloquea la dirección."),
}
_MOST_NAMED: Final = 3


def said(code: str, evidence: Mapping[str, Any], who: str, beside: list[str], language: str) -> str:
    """One piece of evidence, as a sentence without its end."""
    if code not in _SAID:
        return network_words.said(code, evidence, who, language)
    if rules.BY_CODE[code].about == "address":
        # Of an address it says accounts; packets of the same one name machines.
        beside = [name for name in beside if not _is_address(name)]
    names = ", ".join(beside[:_MOST_NAMED]) + (", …" if len(beside) > _MOST_NAMED else "") or str(_("nadie en particular"))
    numbers = {name: whole(float(evidence.get(name, 0)), language) for name in ("value", "limit")}
    return str(_SAID[code]) % {"who": who, "beside": names, **numbers}


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def first(code: str) -> str:
    """What to do first."""
    return str(_FIRST.get(code, network_words.FIRST))


def signs(detail: Detail, language: str) -> list[dict[str, str]]:
    """All the evidence, the worst first, each as `text` with the `technique` of MITRE ATT&CK that it is a sign of."""
    evidence, names = detail.get("evidence"), _beside(detail)
    if not isinstance(evidence, Mapping):
        return []
    who = str(detail.get("offender", "?"))
    known = [code for code in BY_CODE if isinstance(evidence.get(code), Mapping)]
    return [{"text": said(code, evidence[code], who, names, language), "technique": BY_CODE[code].technique} for code in known]


def _beside(detail: Detail) -> list[str]:
    beside = detail.get("beside")
    return [str(name) for name in beside] if isinstance(beside, list) else []


def _sentence(detail: Detail, language: str) -> str:
    if detail.get("many"):
        return str(_("Muchas direcciones a la vez intentan entrar; la última: %(who)s.")) % {"who": detail.get("offender", "?")}
    code, evidence = str(detail.get("worst", "")), detail.get("evidence")
    if code not in BY_CODE or not isinstance(evidence, Mapping):
        return str(_("Alguien intenta lo que no debe."))
    return f"{said(code, evidence.get(code, {}), str(detail.get('offender', '?')), _beside(detail), language)}: {first(code)}"


#: One an offender: an address (of no robot), or a robot's own account.
INTRUSION: Final = Kind(
    code="intrusion",
    severity="high",
    title=_("Posible intrusión"),
    cause=_("Alguien intenta entrar, o hace lo que su cuenta no puede."),
    remedy=_("Mira quién es y qué intentó; bloquea su dirección o rota el secreto de la cuenta."),
    sentence=_sentence,
    ends=frozenset({End.PERSON}),
    after=timedelta(days=7),
)
KINDS: Final = (INTRUSION,)
if rules.BY_CODE.keys() != _SAID.keys() or rules.BY_CODE.keys() != _FIRST.keys():
    raise ValueError("rules and words of incidents differ: give each rule a sentence, and a first thing to do")
