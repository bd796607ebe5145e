"""Screening a robot's own sensors: what is ordinary, and what is not."""

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "profile.begins": (
        "aprende lo habitual de este robot: hacen falta {hours} h de lecturas mientras trabaja bien; hasta entonces no se revisa",
        "learning what is ordinary for this robot: needs {hours} h of readings while it is well; until then it is not screened",
    ),
    "profile.goes_on": (
        "sigue aprendiendo lo habitual de este robot donde lo dejó; hacen falta {hours} h de lecturas",
        "goes on learning what is ordinary for this robot where it ended; needs {hours} h of readings",
    ),
    "profile.learned": (
        "aprendió lo habitual: {name}, {metrics} métricas y {modes} modos, de {readings} lecturas",
        "learned what is ordinary: {name}, {metrics} metrics and {modes} modes, of {readings} readings",
    ),
    "profile.too_few": ("todavía no puede aprender: {why}", "cannot learn yet: {why}"),
    "profile.not_written": (
        "no se guarda lo que aprende: {error}; libera espacio",
        "what is learned cannot be written: {error}; make room on the disk",
    ),
    "profile.not_kept": ("no se pudo guardar lo aprendido: {error}", "what was learned could not be kept: {error}"),
    "profile.none": (
        "todavía no ha aprendido: {rows} lecturas en {hours} h, en {folder}",
        "nothing learned yet: {rows} readings in {hours} h, in {folder}",
    ),
    "profile.is": (
        "{name}: del {made_at:%Y-%m-%d %H:%M} UTC, hace {days} días; {readings} lecturas en {hours} h, una cada {interval} s",
        "{name}: of {made_at:%Y-%m-%d %H:%M} UTC, {days} days ago; {readings} readings in {hours} h, one every {interval} s",
    ),
    "profile.old": (
        "tiene más de {most} días: si el trabajo o el robot cambiaron, que aprenda de nuevo con croody-edge profile --relearn",
        "older than {most} days: if work or robot changed, have it learned again with croody-edge profile --relearn",
    ),
    "profile.modes": ("modos: {modes}", "modes: {modes}"),
    "profile.metric": (
        "  {name}: de {low:.4g} a {high:.4g}; paso {step:.4g}; sin valor nuevo hasta {gap:.0f} s; igual hasta {still:.0f} s",
        "  {name}: {low:.4g} to {high:.4g}; step {step:.4g}; without a new value for {gap:.0f} s; the same for {still:.0f} s",
    ),
    "profile.wanders": ("; no tiene nivel fijo", "; has no level of its own"),
    "profile.left_out": ("fuera: {names}", "left out: {names}"),
    "profile.forgotten": (
        "{folder}: lo habitual quedó en {before}; un agente en marcha empieza a aprender en un minuto",
        "{folder}: what was ordinary is kept in {before}; an agent that runs begins to learn within a minute",
    ),
    "profile.nothing": (
        "{folder}: no había nada aprendido; aprende desde el principio",
        "{folder}: nothing had been learned; it learns from the beginning",
    ),
    "profile.cannot": ("{folder}: no se puede cambiar: {error}", "{folder}: cannot be changed: {error}"),
    "edge.profile": (
        "muestra lo que el agente aprendió como habitual de los sensores de este robot, y de cuándo es",
        "show what the agent learned to be ordinary for this robot's sensors, and how old it is",
    ),
    "edge.relearn": (
        "que lo aprenda de nuevo: hazlo cuando el robot trabaje bien",
        "have it learned again: do so while the robot is well",
    ),
    "edge.locked": (
        "{folder} lo usa otro agente (proceso {holder}): detenlo, o da a este un CROODY_EDGE_DIR propio",
        "{folder} is in use by another agent (process {holder}): stop it, or give this one a CROODY_EDGE_DIR of its own",
    ),
    "lock.taken": ("en marcha: {path} aplaza las actualizaciones", "the robot is busy: {path} holds updates back"),
    "lock.released": ("en reposo: las actualizaciones pueden seguir", "the robot rests: updates may go on"),
    "lock.taken_by_another": (
        "lo tiene otro, seguramente porque empieza una actualización",
        "somebody else holds it, most likely because an update begins",
    ),
    "lock.refused": (
        "el robot está en marcha y {path} no se puede tomar: {error}. Una actualización puede pararlo a medias",
        "the robot is busy, and {path} cannot be taken: {error}. An update may stop it in the middle",
    ),
    "lock.cleared": (
        "{path} quedó de una ejecución que murió mientras el robot estaba en marcha: quitado",
        "{path} was left by a run that died while the robot was busy: removed",
    ),
    "lock.not_cleared": ("{path} no se puede mirar: {error}", "{path} cannot be looked at: {error}"),
    "balena.service": ("{name} no es ningún servicio: {names}", "{name} is not a service: {names}"),
    "edge.not_started": ("no ha arrancado", "not started"),
    "status.none": ("{path}: todavía no hay cola de salida", "{path}: there is no outbox yet"),
    "status.unreadable": ("{path}: no se puede leer: {error}", "{path}: cannot be read: {error}"),
    "status.robot": ("robot", "robot"),
    "status.link": ("enlace", "link"),
    "status.connected": ("conectado", "connected"),
    "status.offline": ("sin conexión", "not connected"),
    "status.silent": ("no hay ningún agente en marcha", "no agent is running"),
    "status.waiting": ("esperando a la nube", "waiting for the cloud"),
    "status.size": ("tamaño", "size"),
    "status.dead": ("apartadas por no poder entregarse", "set apart as undeliverable"),
    "status.aside": ("archivos dañados apartados", "damaged files set aside"),
    "status.stream": ("serie", "stream"),
    "status.last": ("última seq", "last seq"),
}
