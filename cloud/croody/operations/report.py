"""What `./croody status` says: rows to read, and sentences on what is wrong, in the active language. Judges; asks nobody."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from croody.console.system.facts import FEWEST_DAYS, FULLEST_DISK, Certificate, DatabaseFacts, Disk
from croody.operations.certificate import AUTHORITY_NAME
from croody.operations.facts import JOBS, Container, Facts

#: Words of the engine and of the models. Others are shown as they are.
_WORDS: Final[dict[str, Promise]] = {
    "healthy": pgettext_lazy("status", "sano"),
    "unhealthy": pgettext_lazy("status", "no sano"),
    "starting": pgettext_lazy("status", "arrancando"),
    "exited": pgettext_lazy("status", "parado"),
    "restarting": pgettext_lazy("status", "reiniciándose"),
    "online": pgettext_lazy("status", "en línea"),
    "moving": pgettext_lazy("status", "en marcha"),
    "off": pgettext_lazy("status", "apagado"),
    "offline": pgettext_lazy("status", "sin conexión"),
    "stale": pgettext_lazy("status", "atrasado"),
    "unknown": pgettext_lazy("status", "sin estrenar"),
    "faulted": pgettext_lazy("status", "con avería"),
    "maintenance": pgettext_lazy("status", "en mantenimiento"),
    "quarantined": pgettext_lazy("status", "en cuarentena"),
    "critical": pgettext_lazy("status", "críticas"),
    "high": pgettext_lazy("status", "altas"),
    "medium": pgettext_lazy("status", "medias"),
    "low": pgettext_lazy("status", "bajas"),
}


class Report:
    """Rows to show and sentences on what is wrong."""

    def __init__(self, now: datetime) -> None:
        self.rows: list[tuple[str, str]] = []
        self.wrong: list[str] = []
        self._now = now
        #: Services of which a container is stopped or not well.
        self._ill: set[str] = set()

    def row(self, name: str, text: str) -> None:
        """One line under a name."""
        self.rows.append((name, text))

    def bad(self, sentence: str) -> None:
        """What is wrong, and the remedy."""
        self.wrong.append(sentence)

    def engine(self, facts: Facts) -> None:
        """Versions, and each service."""
        commit = f" ({facts.revision})" if facts.revision else ""
        self.row(_("versión"), f"{facts.version}{commit}")
        found: dict[str, list[Container]] = {}
        for container in facts.containers:
            found.setdefault(container.service, []).append(container)
        for service in sorted({*facts.wanted, *found}):
            for text in self._service(service, found.get(service, [])):
                self.rows.append((service, text))
        behind = sorted({one.service for one in facts.containers if not one.current and one.service not in JOBS})
        other = sorted({one.revision for one in facts.containers if not _same(one.revision, facts.revision)})
        if behind:
            names = ", ".join(behind)
            self.bad(_("%(services)s: en marcha con otra imagen o configuración que la de ahora: ./croody update") % {"services": names})
        elif other:
            told = {"here": facts.revision, "running": ", ".join(other)}
            self.bad(_("esta carpeta está en %(here)s y en marcha está %(running)s: ./croody update") % told)

        for service, short in facts.left:
            told = {"service": service, "container": short}
            self.bad(_("%(service)s: sobra el contenedor %(container)s, que dejó una orden cortada: ./croody up lo retira") % told)
        readers = {name: sorted(service for service, one in facts.changed if one == name) for _service, name in facts.changed}
        for name, services in sorted(readers.items()):
            told = {"secret": name, "services": ", ".join(services)}
            self.bad(_("el secreto %(secret)s ha cambiado desde que arrancó %(services)s: ./croody up") % told)

    def _service(self, service: str, containers: list[Container]) -> Iterator[str]:
        if not containers and service not in JOBS:
            self._ill.add(service)
            self.bad(_("%(service)s no está: ./croody up") % {"service": service})
            yield _("no está")
        for one in containers:
            if one.service in JOBS:
                if one.exit_code:
                    told = {"service": service, "status": one.exit_code}
                    self.bad(_("%(service)s terminó con error %(status)s: ./croody logs %(service)s") % told)
                yield _("falló") if one.exit_code else _("terminó bien")
                continue
            if one.state != "running" or one.health == "unhealthy":
                self._ill.add(service)
            if one.state != "running":
                told = {"service": service, "state": one.state}
                self.bad(_("%(service)s no está en marcha (%(state)s): ./croody logs --tail 50 %(service)s, después ./croody up") % told)
            elif one.health == "unhealthy":
                self.bad(_("%(service)s no está sano: ./croody logs --tail 50 %(service)s") % {"service": service})
            yield self._health(one)

    def _health(self, one: Container) -> str:
        word = one.health if one.state == "running" else one.state
        shown = _spelled(word)
        try:
            started = datetime.fromisoformat(one.started[:19] + "+00:00")
        except ValueError:
            return shown
        if one.state != "running":
            return shown
        since = _("desde hace %(age)s") % {"age": _age((self._now - started).total_seconds())}
        return f"{shown:<12}{since}"

    def database(self, found: DatabaseFacts) -> None:
        """Robots, readings, what waits, what needs a person."""
        if found.problem:
            self.bad(_("la base de datos no responde: %(problem)s") % {"problem": found.problem})
            return
        if found.unwritable:
            self.bad(
                _("la base de datos no acepta escrituras: %(problem)s. Mira ./croody logs --tail 50 db y el disco")
                % {"problem": found.unwritable}
            )
        states = ", ".join(f"{count} {_spelled(state)}" for state, count in sorted(found.robots.items()))
        self.row(_("robots"), states or _("ninguno: ./croody robot add ID"))
        newest = _("ninguna todavía")
        if found.newest_age_s is not None:
            newest = _("la última hace %(age)s") % {"age": _age(found.newest_age_s)}
        self.row(_("lecturas"), newest)
        waiting = {"robots": found.at_robots, "cloud": found.to_robots, "streams": found.gaps}
        self.row(_("esperan"), _("%(robots)s en los robots, %(cloud)s hacia ellos, huecos en %(streams)s series") % waiting)
        levels = [level for level in ("critical", "high", "medium", "low") if level in found.alarms]
        alarms = ", ".join(f"{found.alarms[level]} {_spelled(level)}" for level in levels)
        self.row(_("alertas"), alarms or _("ninguna abierta"))
        letters = _("ninguna")
        if found.dead_letters:
            letters = _("%(count)s sin atender: ./croody dead list") % {"count": found.dead_letters}
        self.row(_("rechazadas"), letters)
        if found.deaf_s is not None:
            # What is ill is to blame. A bridge that runs beside a broker that is well says in its own log what keeps it from it.
            service = next((one for one in ("broker", "bridge") if one in self._ill), "bridge")
            told = {"age": _age(found.deaf_s), "service": service}
            self.bad(_("el puente no oye al broker desde hace %(age)s: ./croody logs --tail 50 %(service)s") % told)

    def certificate(self, found: Certificate, *, by_acme: bool = False) -> None:
        """Who signed it and how long it lasts. `by_acme`: certbot is there to get one that everybody trusts."""
        if found.ends_at is None:
            self.bad(_("el certificado no se puede leer: %(problem)s") % {"problem": found.problem})
            return
        days = int((found.ends_at - self._now).total_seconds() // 86400)
        told = {"day": f"{found.ends_at:%Y-%m-%d}", "days": days, "issuer": found.issuer}
        self.row(_("certificado"), _("hasta %(day)s, quedan %(days)s días (%(issuer)s)") % told)
        own = AUTHORITY_NAME in found.issuer.replace("\\", "")
        if days < FEWEST_DAYS:
            renews = {"days": days, "service": "certificate" if own else "certbot"}
            self.bad(_("al certificado le quedan %(days)s días: ./croody logs --tail 50 %(service)s, o pon uno nuevo") % renews)
        if by_acme and own:
            self.bad(
                _(
                    "certbot no ha conseguido un certificado todavía, y los navegadores no se fían del propio: "
                    "./croody logs --tail 50 certbot"
                )
            )

    def disk(self, disk: Disk, *, of_database: bool = False) -> None:
        """Room for data; the database's server has a file system of its own."""
        used = disk.used / (disk.used + disk.free)
        told = {"free": f"{disk.free / 1e9:.1f} GB", "used": f"{used:.0%}"}
        self.row(_("disco de la base") if of_database else _("disco"), _("%(free)s libres, %(used)s usado") % told)
        if used > FULLEST_DISK and of_database:
            self.bad(_("el disco de la base de datos está al %(used)s: haz sitio, o guarda menos días (CROODY_RETENTION_DAYS)") % told)
        elif used > FULLEST_DISK:
            self.bad(_("el disco está al %(used)s: haz sitio, o guarda menos días (CROODY_RETENTION_DAYS)") % told)

    def backup(self, facts: Facts) -> None:
        """The last good one and its age."""
        backup = facts.backup
        made = backup.made_at
        if made is None:
            self.row(_("última copia"), _("ninguna: ./croody backup"))
            if backup.scheduled:
                self.bad(_("no hay ninguna copia de seguridad en %(folder)s: ./croody logs --tail 50 backup") % {"folder": backup.folder})
            return
        age_s = (self._now - made).total_seconds()
        told = {"age": _age(age_s), "size": f"{backup.size_bytes / 1e6:.1f} MB", "count": backup.count}
        told |= {"file": f"{backup.folder}/{backup.name}", "hours": f"{backup.period_h:g}"}
        self.row(_("última copia"), _("hace %(age)s, %(size)s, de %(count)s: %(file)s") % told)
        if backup.scheduled and age_s > 2 * backup.period_h * 3600:
            self.bad(_("la última copia es de hace %(age)s y debería haber una cada %(hours)s h: ./croody logs backup") % told)

    def text(self) -> str:
        """Rows aligned, then what is wrong, or that nothing is."""
        width = max(len(name) for name, text in self.rows) + 2
        lines = [f"{name:<{width}}{text}" for name, text in self.rows]
        end = [f"✗ {line}" for line in self.wrong] or [f"✓ {_('todo va bien')}"]
        return "\n".join([*lines, "", *end])


def _spelled(word: str) -> str:
    return str(_WORDS.get(word, word))


def _age(age_s: float) -> str:
    """`42 s`, `3 min`, `5 h`, `12 días`: one unit, because it stands in a column."""
    for unit, size_s, most_s in (("s", 1, 120), ("min", 60, 120 * 60), ("h", 3600, 48 * 3600)):
        if age_s < most_s:
            return f"{age_s / size_s:.0f} {unit}"
    days = round(age_s / 86400)
    return ngettext("%(count)s día", "%(count)s días", days) % {"count": days}


def _same(one: str, other: str) -> bool:
    """Whether two commits may be the same: either may be shortened, and an unknown one is not called different."""
    return one.startswith(other) or other.startswith(one)
