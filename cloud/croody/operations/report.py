"""What `./croody status` says: rows to read, and sentences on what is wrong. Pure: everything that it judges is given."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from croody.operations.certificate import AUTHORITY_NAME
from croody.operations.facts import JOBS, Books, Certificate, Container, Disk, Facts

#: Below so many days, renewal has failed for weeks.
FEWEST_DAYS: Final = 14
FULLEST_DISK: Final = 0.9
_SPANISH: Final = {
    "healthy": "sano",
    "unhealthy": "no sano",
    "starting": "arrancando",
    "exited": "parado",
    "restarting": "reiniciándose",
    "online": "en línea",
    "moving": "en marcha",
    "off": "apagado",
    "offline": "sin conexión",
    "stale": "atrasado",
    "unknown": "sin estrenar",
    "faulted": "con avería",
    "maintenance": "en mantenimiento",
    "quarantined": "en cuarentena",
    "critical": "críticas",
    "high": "altas",
    "medium": "medias",
    "low": "bajas",
}


class Report:
    """Rows to show and sentences on what is wrong, in one language."""

    def __init__(self, language: str, now: datetime) -> None:
        self.rows: list[tuple[str, str]] = []
        self.wrong: list[str] = []
        self._es = language.lower().startswith("es")
        self._now = now

    def words(self, es: str, en: str) -> str:
        """The one of the two that is asked for."""
        return es if self._es else en

    def spelled(self, word: str) -> str:
        """A word of the engine or of the models."""
        return self.words(_SPANISH.get(word, word), word)

    def row(self, es: str, en: str, text: str) -> None:
        """One line under a name."""
        self.rows.append((self.words(es, en), text))

    def bad(self, es: str, en: str) -> None:
        """What is wrong, and the remedy."""
        self.wrong.append(self.words(es, en))

    def age(self, age_s: float) -> str:
        """`42 s`, `3 min`, `5 h`, `12 d`."""
        for unit, size_s in (("s", 1), ("min", 60), ("h", 3600)):
            if age_s < size_s * {"s": 120, "min": 120, "h": 48}[unit]:
                return f"{age_s / size_s:.0f} {unit}"
        return f"{age_s / 86400:.0f} {self.words('días', 'days')}"

    def engine(self, facts: Facts) -> None:
        """Versions, and each service."""
        commit = f" ({facts.revision})" if facts.revision else ""
        self.row("versión", "version", f"{facts.version}{commit}")
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
            self.bad(
                f"{names}: en marcha con otra imagen o configuración que la de ahora: ./croody update",
                f"{names}: running with another image or configuration than those of now: ./croody update",
            )
        elif other:
            self.bad(
                f"esta carpeta está en {facts.revision} y en marcha está {', '.join(other)}: ./croody update",
                f"this clone is at {facts.revision}, and what runs is {', '.join(other)}: ./croody update",
            )

    def _service(self, service: str, containers: list[Container]) -> Iterator[str]:
        if not containers and service not in JOBS:
            self.bad(f"{service} no está: ./croody up", f"{service} is not there: ./croody up")
            yield self.words("no está", "not there")
        for one in containers:
            if one.service in JOBS:
                if one.exit_code:
                    self.bad(
                        f"{service} terminó con error {one.exit_code}: ./croody logs {service}",
                        f"{service} ended with status {one.exit_code}: ./croody logs {service}",
                    )
                yield self.words("terminó bien", "ended well") if not one.exit_code else self.words("falló", "failed")
                continue
            if one.state != "running":
                self.bad(
                    f"{service} no está en marcha ({one.state}): ./croody logs --tail 50 {service}, después ./croody up",
                    f"{service} does not run ({one.state}): ./croody logs --tail 50 {service}, then ./croody up",
                )
            elif one.health == "unhealthy":
                self.bad(
                    f"{service} no está sano: ./croody logs --tail 50 {service}",
                    f"{service} is unhealthy: ./croody logs --tail 50 {service}",
                )
            yield self._health(one)

    def _health(self, one: Container) -> str:
        word = one.health if one.state == "running" else one.state
        shown = self.spelled(word)
        try:
            started = datetime.fromisoformat(one.started[:19] + "+00:00")
        except ValueError:
            return shown
        if one.state != "running":
            return shown
        return f"{shown:<12}{self.words('desde hace', 'for')} {self.age((self._now - started).total_seconds())}"

    def books(self, books: Books) -> None:
        """Robots, readings, what waits, what needs a person."""
        if books.problem:
            self.bad(f"la base de datos no responde: {books.problem}", f"the database does not answer: {books.problem}")
            return
        states = ", ".join(f"{count} {self.spelled(state)}" for state, count in sorted(books.robots.items()))
        self.row("robots", "robots", states or self.words("ninguno: ./croody robot add ID", "none: ./croody robot add ID"))
        newest = self.words("ninguna todavía", "none yet")
        if books.newest_age_s is not None:
            newest = self.words(f"la última hace {self.age(books.newest_age_s)}", f"newest {self.age(books.newest_age_s)} ago")
        self.row("lecturas", "readings", newest)
        self.row(
            "esperan", "waiting",
            self.words(
                f"{books.at_robots} en los robots, {books.to_robots} hacia ellos, huecos en {books.gaps} series",
                f"{books.at_robots} at the robots, {books.to_robots} on their way to them, gaps in {books.gaps} streams",
            ),
        )  # fmt: skip
        alarms = ", ".join(
            f"{books.alarms[level]} {self.spelled(level)}" for level in ("critical", "high", "medium", "low") if level in books.alarms
        )
        self.row("alarmas", "alarms", alarms or self.words("ninguna abierta", "none open"))
        letters = self.words("ninguna", "none")
        if books.dead_letters:
            letters = self.words(
                f"{books.dead_letters} sin atender: ./croody dead list", f"{books.dead_letters} not replayed: ./croody dead list"
            )
        self.row("rechazadas", "dead letters", letters)
        if books.deaf_s is not None:
            self.bad(
                f"el puente no oye al broker desde hace {self.age(books.deaf_s)}: ./croody logs --tail 50 bridge broker",
                f"the bridge has not heard the broker for {self.age(books.deaf_s)}: ./croody logs --tail 50 bridge broker",
            )

    def certificate(self, found: Certificate, *, by_acme: bool = False) -> None:
        """Who signed it and how long it lasts. `by_acme`: certbot is there to get one that everybody trusts."""
        if found.ends_at is None:
            self.bad(f"el certificado no se puede leer: {found.problem}", f"the certificate cannot be read: {found.problem}")
            return
        days = int((found.ends_at - self._now).total_seconds() // 86400)
        day = f"{found.ends_at:%Y-%m-%d}"
        text = self.words(f"hasta {day}, quedan {days} días", f"until {day}, {days} days left")
        self.row("certificado", "certificate", f"{text} ({found.issuer})")
        own = AUTHORITY_NAME in found.issuer.replace("\\", "")
        renews = "certificate" if own else "certbot"
        if days < FEWEST_DAYS:
            self.bad(
                f"al certificado le quedan {days} días: ./croody logs --tail 50 {renews}, o pon uno nuevo",
                f"the certificate has {days} days left: ./croody logs --tail 50 {renews}, or put a new one in its place",
            )
        if by_acme and own:
            self.bad(
                "certbot no ha conseguido un certificado todavía, y los navegadores no se fían del propio: ./croody logs --tail 50 certbot",
                "certbot has got no certificate yet, and browsers do not trust the site's own: ./croody logs --tail 50 certbot",
            )

    def disk(self, disk: Disk) -> None:
        """Room for data."""
        used = disk.used / (disk.used + disk.free)
        gigabytes = f"{disk.free / 1e9:.1f} GB"
        self.row("disco", "disk", self.words(f"{gigabytes} libres, {used:.0%} usado", f"{gigabytes} free, {used:.0%} used"))
        if used > FULLEST_DISK:
            self.bad(
                f"el disco está al {used:.0%}: haz sitio, o guarda menos días (CROODY_RETENTION_DAYS)",
                f"the disk is at {used:.0%}: make room, or keep fewer days (CROODY_RETENTION_DAYS)",
            )

    def backup(self, facts: Facts) -> None:
        """The last good one and its age."""
        backup = facts.backup
        made = backup.made_at
        if made is None:
            self.row("última copia", "last backup", self.words("ninguna: ./croody backup", "none: ./croody backup"))
            if backup.scheduled:
                self.bad(
                    f"no hay ninguna copia de seguridad en {backup.folder}: ./croody logs --tail 50 backup",
                    f"there is no backup in {backup.folder}: ./croody logs --tail 50 backup",
                )
            return
        age_s = (self._now - made).total_seconds()
        size = f"{backup.size_bytes / 1e6:.1f} MB"
        told = self.words(f"hace {self.age(age_s)}, {size}, de {backup.count}", f"{self.age(age_s)} ago, {size}, of {backup.count}")
        self.row("última copia", "last backup", f"{told}: {backup.folder}/{backup.name}")
        if backup.scheduled and age_s > 2 * backup.period_h * 3600:
            self.bad(
                f"la última copia es de hace {self.age(age_s)} y debería haber una cada {backup.period_h:g} h: ./croody logs backup",
                f"the last backup is {self.age(age_s)} old, and there should be one every {backup.period_h:g} h: ./croody logs backup",
            )

    def text(self) -> str:
        """Rows aligned, then what is wrong, or that nothing is."""
        width = max(len(name) for name, _ in self.rows) + 2
        lines = [f"{name:<{width}}{text}" for name, text in self.rows]
        end = [f"✗ {line}" for line in self.wrong] or [f"✓ {self.words('todo va bien', 'everything is well')}"]
        return "\n".join([*lines, "", *end])


def _same(one: str, other: str) -> bool:
    """Commits, shortened or not; an unknown one is no other one."""
    return one.startswith(other) or other.startswith(one)
