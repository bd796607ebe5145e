"""How Croody itself is, in one language: rows to read, and a sentence with its remedy for each that is wrong. Judges; asks nobody."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.console.system.facts import FEWEST_DAYS, FULLEST_DISK
from croody.console.system.look import System
from croody.liveness.models import JobRun
from croody.web import formats

PARTS: Final[Mapping[str, tuple[str | Promise, str]]] = {
    "web": (gettext_lazy("Web"), "croody"),
    "database": (gettext_lazy("Base de datos"), "db"),
    "broker": (gettext_lazy("Broker MQTT"), "broker"),
    "bridge": (gettext_lazy("Puente"), "bridge"),
    "telemetry": (gettext_lazy("API de lecturas"), "telemetry-gateway"),
    "ids": (gettext_lazy("Detector de intrusos"), "ids-ml"),
    "worker": (gettext_lazy("Trabajos por reloj"), "worker"),
}
JOBS: Final[Mapping[str, str | Promise]] = {
    "write_credentials": gettext_lazy("Escribir las credenciales del broker"),
    "judge_liveness": gettext_lazy("Ver qué robots callan"),
    "request_gaps": gettext_lazy("Pedir lo que falta"),
    "raise_alarms": gettext_lazy("Abrir alertas"),
    "notice_copies": gettext_lazy("Buscar secretos en dos sitios"),
    "fold_finished": gettext_lazy("Plegar series terminadas"),
    "score_windows": gettext_lazy("Juzgar ventanas sospechosas"),
    "close_old_alarms": gettext_lazy("Cerrar alertas que pasaron"),
    "retire_borrowed": gettext_lazy("Retirar robots prestados"),
    "roll_up": gettext_lazy("Resumir por minuto y por hora"),
    "make_partitions": gettext_lazy("Preparar los días que vienen"),
    "forget_deliveries": gettext_lazy("Olvidar marcas de entrega"),
    "apply_retention": gettext_lazy("Borrar lecturas que cumplieron su tiempo"),
    "let_go": gettext_lazy("Borrar lo demás que cumplió su tiempo"),
    "count_days": gettext_lazy("Sumar el día de cada robot"),
}
#: Messages that wait in the bridge without anybody having to look.
_WAITING: Final = 20_000
#: A job that did not begin for so many of its periods, and at least so long, is late; the worker notes its jobs this often or is away.
_PERIODS: Final = 3
_LATE_S: Final = 120.0
_NOTED_S: Final = 60.0
_LONG_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a section. `wrong` is what is wrong with it, `remedy` what to do on the server; `at`: a moment whose age is the value."""

    name: str
    text: str = ""
    note: str = ""
    wrong: str = ""
    remedy: str = ""
    at: datetime | None = None
    age: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What the template shows. `wrong`: what is wrong, and what to do about it."""

    sentence: str
    wrong: tuple[tuple[str, str], ...]
    parts: tuple[Row, ...]
    queues: tuple[Row, ...]
    data: tuple[Row, ...]
    jobs: tuple[Row, ...]


def page(found: System, language: str, *, runs_it: bool) -> Page:
    """Everything, and first what is wrong. `runs_it`: who reads has the server's shell; others are told who does."""
    parts, queues = tuple(_parts(found)), tuple(_queues(found, language))
    data, jobs = tuple(_data(found, language, runs_it=runs_it)), tuple(_jobs(found, language))
    wrong = [(row.wrong, row.remedy) for row in (*parts, *queues, *data, *jobs) if row.wrong]
    versions = _versions(found)
    if versions:
        wrong.append((versions, "./croody update"))
    told = tuple((one, remedy if runs_it else "") for one, remedy in wrong)
    return Page(_sentence(len(wrong), language), told, parts, queues, data, jobs)


def _sentence(wrong: int, language: str) -> str:
    if not wrong:
        return _("Croody está bien")
    text = ngettext("%(count)s cosa de Croody pide atención", "%(count)s cosas de Croody piden atención", wrong)
    return text % {"count": formats.number(wrong, 0, language)}


def _parts(found: System) -> Iterator[Row]:
    for answer in found.parts:
        name, service = PARTS[answer.part]
        told = {"part": name}
        version = _("versión %(version)s") % {"version": answer.version} if answer.version else ""
        if answer.well:
            yield Row(str(name), _("responde"), version)
        elif answer.waits_for is not None:
            yield Row(str(name), _("espera a: %(part)s") % {"part": PARTS[answer.waits_for][0]}, version)
        else:
            wrong = _("%(part)s no responde") % told
            yield Row(
                str(name), _("no responde"), version, wrong, _logs(service, then_up=True), answer.since, _age(found.now, answer.since)
            )


def _versions(found: System) -> str:
    by_version: dict[str, list[str]] = {}
    for answer in found.parts:
        if answer.version:
            by_version.setdefault(answer.version, []).append(str(PARTS[answer.part][0]))
    if len(by_version) < 2:
        return ""
    told = "; ".join(f"{version}: {', '.join(names)}" for version, names in sorted(by_version.items()))
    return _("hay partes de versiones distintas (%(versions)s)") % {"versions": told}


def _queues(found: System, language: str) -> Iterator[Row]:
    def number(count: int) -> str:
        return formats.number(count, 0, language)

    if found.bridge is not None:
        waiting = found.bridge.waiting
        late = _("en el puente esperan %(count)s mensajes: la base no da abasto")
        wrong = late % {"count": number(waiting)} if waiting > _WAITING else ""
        yield Row(_("En el puente"), number(waiting), _("mensajes que aún no entregó a la base"), wrong, _logs("telemetry-gateway db"))
    yield Row(_("En los robots"), number(found.queues.at_robots), _("registros que aún no enviaron, según dijeron"))
    yield Row(_("Hacia los robots"), number(found.queues.to_robots), _("mensajes que un robot aún no contestó"))
    yield Row(_("Series con huecos"), number(found.queues.gaps), _("se piden de nuevo a su robot"))
    yield Row(_("Cartas muertas"), number(found.queues.dead_letters), _("no se pudieron guardar, y esperan a que alguien las mire"))


def _data(found: System, language: str, *, runs_it: bool) -> Iterator[Row]:
    if found.newest_at is None:
        yield Row(_("Última lectura"), formats.NEVER)
    else:
        yield Row(_("Última lectura"), at=found.newest_at, age=_age(found.now, found.newest_at))
    yield Row(_("Base de datos"), _bytes(sum(found.sizes), language))
    if found.disk is not None:
        used = found.disk.used / max(1, found.disk.used + found.disk.free)
        share = formats.with_unit(formats.number(used * 100, 0, language), "%")
        full = _("el disco está al %(used)s") % {"used": share}
        less = _("haz sitio, o guarda menos días (CROODY_RETENTION_DAYS)")
        told = {"free": _bytes(found.disk.free, language), "used": share}
        yield Row(_("Disco de la web"), _("%(free)s libres") % told, _("%(used)s usado") % told, full if used > FULLEST_DISK else "", less)
    yield from _certificate(found, language, runs_it=runs_it)
    when = _("se hacen en el servidor: ./croody status dice de cuándo es la última") if runs_it else _("se hacen en el servidor")
    yield Row(_("Copias de seguridad"), _("fuera de aquí"), when)


def _certificate(found: System, language: str, *, runs_it: bool) -> Iterator[Row]:
    shown = found.certificate
    if shown is None:
        where = _("los robots entran sin TLS; CROODY_ROBOTS_URL dice por dónde") if runs_it else _("los robots entran sin TLS")
        yield Row(_("Certificado"), _("no hay"), where)
        return
    if shown.ends_at is None:
        wrong = _("el certificado del broker no se puede leer (%(problem)s)") % {"problem": shown.problem}
        yield Row(_("Certificado"), _("no se puede leer"), wrong=wrong, remedy=_logs("broker"))
        return
    days = int((shown.ends_at - found.now).total_seconds() // 86400)
    left = ngettext("queda %(count)s día", "quedan %(count)s días", days) % {"count": formats.number(days, 0, language)}
    wrong = _("al certificado se le acaba el tiempo (%(left)s)") % {"left": left}
    yield Row(_("Certificado"), left, shown.issuer, wrong if days < FEWEST_DAYS else "", _logs("certificate certbot"))


def _jobs(found: System, language: str) -> Iterator[Row]:
    if not found.jobs:
        yield Row(_("Ninguno todavía"), note=_("el worker los anota a los pocos segundos de arrancar"))
    away = found.jobs and (found.now - max(job.noted_at for job in found.jobs)).total_seconds() > _NOTED_S
    if away:
        last = max(job.noted_at for job in found.jobs)
        wrong = _("el worker no anota nada desde hace %(age)s") % {"age": _age(found.now, last)}
        yield Row(_("Worker"), wrong=wrong, remedy=_logs("worker", then_up=True), at=last, age=_age(found.now, last))
    for job in found.jobs:
        yield _job(job, found.now, language, away=bool(away))


def _job(job: JobRun, now: datetime, language: str, *, away: bool) -> Row:
    name = str(JOBS.get(job.name, job.name))
    every = _("cada %(age)s") % {"age": _duration(job.period_s, language)}
    took = _("duró %(age)s") % {"age": _duration(job.took_s, language)} if job.took_s is not None else ""
    note = " · ".join(part for part in (every, took) if part)
    wrong = ""
    running = job.started_at is not None and (job.ended_at is None or job.ended_at < job.started_at)
    since = job.started_at or job.noted_at
    told = {"job": name, "age": _age(now, since), "error": job.error, "count": formats.number(job.failures, 0, language)}
    if job.failures:
        wrong = _("«%(job)s» falló %(count)s veces seguidas (%(error)s)") % told
    elif not away and running and (now - since).total_seconds() > _LONG_S:
        wrong = _("«%(job)s» sigue desde hace %(age)s") % told
    elif not away and not running and (now - since).total_seconds() > max(_LATE_S, _PERIODS * job.period_s):
        wrong = _("«%(job)s» no corre desde hace %(age)s") % told
    return Row(name, _("en curso") if running else "", note, wrong, _logs("worker"), job.ended_at, _age(now, job.ended_at))


def _logs(services: str, *, then_up: bool = False) -> str:
    look = f"./croody logs --tail 50 {services}"
    return _("%(look)s, después ./croody up") % {"look": look} if then_up else look


def _age(now: datetime, then: datetime | None) -> str:
    return formats.age_of(then, now) if then is not None else formats.NEVER


def _duration(seconds: float, language: str) -> str:
    if seconds < 1:
        return formats.with_unit(formats.number(seconds * 1000, 0, language), "ms")
    return formats.age(seconds)


def _bytes(count: int, language: str) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return formats.with_unit(formats.number(count / size, 1, language), unit)
    return formats.with_unit(formats.number(count / 1000, 0, language), "kB")
