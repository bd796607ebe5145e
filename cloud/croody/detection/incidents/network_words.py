"""What packets say of a device, in words: seen by the sensor at the server, or by a robot's agent. Pure but for translation."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.alarms.kinds import Detail, count, whole
from croody.detection.incidents.evidence import LOOKALIKE
from croody.telemetry.kinds import event_kind
from croody_contract.flows.limits import RULES

#: Code of a limit -> what whoever goes beyond it does.
_SAID: Final[Mapping[str, str | Promise]] = {
    "arp_spoofing": gettext_lazy("se hace pasar por otro aparato de la red"),
    "address_borrowed": gettext_lazy("envía paquetes con la dirección de otro aparato"),
    "router_claims": gettext_lazy("se hace pasar por el router (IPv6)"),
    "leases_given": gettext_lazy("reparte direcciones de la red (DHCP) sin ser quien lo hace aquí"),
    "dns_unasked": gettext_lazy("responde por DNS lo que nadie preguntó"),
    "dns_two_answers": gettext_lazy("da por DNS una segunda respuesta, distinta de la primera"),
    "dns_moved_names": gettext_lazy("dice por DNS que nombres públicos están en la red local"),
    "mqtt_spoofing": gettext_lazy("publica en un broker en nombre de otros robots"),
    "plc_writes": gettext_lazy("escribe en un PLC"),
    "mqtt_guessing": gettext_lazy("prueba contraseñas en un broker"),
    "mqtt_spraying": gettext_lazy("prueba una misma contraseña con muchos robots en un broker"),
    "login_guessing": gettext_lazy("prueba contraseñas para entrar a una máquina"),
    "login_spread": gettext_lazy("entra a una máquina tras otra"),
    "exfiltration": gettext_lazy("envía muchos datos fuera de la red"),
    "ping_tunnel": gettext_lazy("envía pings de muchos tamaños, como quien saca datos en ellos"),
    "half_open": gettext_lazy("abre conexiones y las deja a medias"),
    "port_scan": gettext_lazy("busca puertos abiertos"),
    "slow_port_scan": gettext_lazy("busca puertos abiertos, despacio"),
    "host_scan": gettext_lazy("busca máquinas"),
    "stray_scan": gettext_lazy("envía a muchos puertos paquetes sin conexión"),
    "udp_scan": gettext_lazy("busca puertos abiertos por UDP"),
    "udp_sweep": gettext_lazy("envía a muchos puertos por UDP"),
    "discovery_scan": gettext_lazy("pregunta por ROS 2 en muchos puertos"),
    "spread": gettext_lazy("busca conexión con muchas máquinas y puertos"),
    "host_spread": gettext_lazy("busca conexión con una máquina tras otra"),
    "snmp_sweep": gettext_lazy("prueba claves de SNMP en muchas máquinas"),
    "snmp_hosts": gettext_lazy("pregunta por SNMP a una máquina tras otra"),
    "plc_sweep": gettext_lazy("busca unidades detrás de un PLC"),
    "ping_sweep": gettext_lazy("busca máquinas con ping"),
    "address_sweep": gettext_lazy("pregunta por todas las direcciones de la red"),
    "idle_connections": gettext_lazy("abre conexiones y no dice nada"),
    "mqtt_flood": gettext_lazy("inunda un broker de mensajes"),
    "mqtt_malformed": gettext_lazy("envía a un broker algo que no es MQTT"),
    "mqtt_refused": gettext_lazy("es rechazado por un broker una y otra vez"),
    "mqtt_listening": gettext_lazy("pide todos los mensajes de un broker"),
    "mqtt_retained": gettext_lazy("deja mensajes retenidos en muchos temas de un broker"),
    "mqtt_filters": gettext_lazy("se suscribe a muchos temas de un broker"),
    "mqtt_accounts": gettext_lazy("entra a un broker con las cuentas de varios robots"),
    "mqtt_logins": gettext_lazy("entra a un broker y sale, una y otra vez"),
    "mqtt_bulk": gettext_lazy("envía muchos datos a un broker"),
    "short_sessions": gettext_lazy("abre sesiones que acaban enseguida, como quien prueba contraseñas"),
    "questions": gettext_lazy("hace una pregunta tras otra a un servicio"),
    "bulk": gettext_lazy("envía muchos datos a una máquina de la red"),
    "http_guessing": gettext_lazy("recibe un error tras otro de una página"),
    "http_scan": gettext_lazy("recorre direcciones de una página"),
    "dns_tunnel": gettext_lazy("saca datos en nombres de DNS"),
    "dns_failures": gettext_lazy("pregunta por nombres que no existen"),
    "dns_flood": gettext_lazy("pregunta por un nombre tras otro"),
    "beacon": gettext_lazy("se conecta fuera de la red a intervalos exactos"),
    "odd_protocol": gettext_lazy("envía fuera de la red paquetes de un protocolo inusual"),
    "fragments": gettext_lazy("envía paquetes en trozos"),
    "ping_flood": gettext_lazy("inunda de pings"),
    "connect_flood": gettext_lazy("abre una conexión tras otra"),
    "packet_flood": gettext_lazy("inunda de paquetes"),
    LOOKALIKE: gettext_lazy("se parece a los ataques de los que aprendió el modelo"),
}
if _SAID.keys() != {LOOKALIKE, *(rule.code for rule in RULES)}:
    raise ValueError("limits and words of captures differ: give each limit a phrase")


#: What to do first about any of it.
FIRST: Final = gettext_lazy("mira qué aparato es y desconéctalo; si es normal aquí, dilo y no vuelve a avisar.")


def phrase(code: str) -> str | None:
    """What whoever goes beyond this limit does; None of what is no limit."""
    found = _SAID.get(code)
    return None if found is None else str(found)


def said(code: str, evidence: Mapping[str, Any], who: str, language: str) -> str:
    """One piece of evidence, as a sentence without its end: `10.0.0.9 busca puertos abiertos, 312 en 10 s (límite 10)`."""
    numbers = {name: whole(count(evidence, name), language) for name in ("value", "limit", "seconds", "most")}
    if code == LOOKALIKE:
        text = _("%(who)s %(said)s (puntaje %(value)s de 100, límite %(limit)s)")
    elif "most" in evidence:
        text = _("%(who)s %(said)s, %(value)s en %(seconds)s s (límite %(limit)s; lo máximo aquí había sido %(most)s)")
    else:
        text = _("%(who)s %(said)s, %(value)s en %(seconds)s s (límite %(limit)s)")
    return text % {"who": who, "said": _SAID[code], **numbers}


def _sentence(detail: Detail, language: str) -> str:
    said, who = _SAID.get(str(detail.get("kind", ""))), str(detail.get("offender") or "?")[:64]
    if said is None:
        return _("%(who)s hace algo inusual en su red: mira qué aparato es.") % {"who": who}
    numbers = {name: whole(count(detail, name), language) for name in ("value", "limit", "seconds")}
    # The sensor stands at the broker or the gateway; what it saw has a capture.
    if "capture" in detail:
        text = _(
            "En la red del servidor, %(who)s %(said)s: %(value)s en %(seconds)s s (límite %(limit)s). Mira qué aparato es y bloquéalo."
        )
        return text % {"who": who, "said": said, **numbers}
    text = _("En su red, %(who)s %(said)s: %(value)s en %(seconds)s s (límite %(limit)s). Mira qué aparato es y desconéctalo.")
    return text % {"who": who, "said": said, **numbers}


#: An event of the source `network`: the worst of what a device does.
NETWORK: Final = event_kind(
    "network_intrusion",
    "medium",
    gettext_lazy("Intruso en la red"),
    gettext_lazy("Un aparato de la red del robot pasa de un límite: escanea, inunda, adivina o se hace pasar por otro."),
    gettext_lazy("Mira qué aparato es y desconéctalo; si es normal aquí, mide lo habitual con croody ids calibrate."),
    _sentence,
)
