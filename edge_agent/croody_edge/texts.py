"""Every text of the edge that is for a person at a terminal, in Spanish and English.

What goes to the cloud (events, answers, reasons of dead letters) is not here: it is read elsewhere.
"""

from typing import Final, Literal

from croody_contract.texts import said, speaks_spanish

Language = Literal["es", "en"]

#: Key -> Spanish, English. The part before the dot says where it is used.
TEXTS: Final[dict[str, tuple[str, str]]] = {
    # The agent.
    "edge.commands": ("órdenes", "commands"),
    "edge.about": (
        "El agente en la placa de un robot: lee una fuente, guarda cada lectura hasta que la nube la tiene, y la envía.",
        "The agent on a robot board: reads a source, keeps every reading until the cloud has it, and sends it.",
    ),
    "edge.more": (
        "Los ajustes vienen de variables de entorno, mira docs/reference/settings.md. Las que siempre hacen falta: CROODY_BROKER_URL,"
        " ROBOT_ID, ROBOT_SECRET, CROODY_EDGE_DIR.",
        "Settings come from environment variables, see docs/reference/settings.md. The ones that are always needed: CROODY_BROKER_URL,"
        " ROBOT_ID, ROBOT_SECRET, CROODY_EDGE_DIR.",
    ),
    "edge.run": (
        "ejecuta el agente hasta que se le pide parar (SIGTERM, Ctrl-C)",
        "run the agent until it is told to stop (SIGTERM, Ctrl-C)",
    ),
    "edge.status": ("dice qué espera en la cola de salida", "say what waits in the outbox"),
    "edge.json": ("como JSON", "as JSON"),
    "edge.dir": ("dónde está la cola de salida (por defecto: CROODY_EDGE_DIR)", "where the outbox lies (default: CROODY_EDGE_DIR)"),
    "edge.screen_off": (
        "la revisión a bordo no está disponible aquí ({error}): las lecturas se publican sin revisar",
        "screening is not available here ({error}): readings are published unscreened",
    ),
    "screen.off": ("sin revisión a bordo: {why}", "screening is off: {why}"),
    "screen.unknown": (
        "el modelo conoce {known}; este robot no envía {absent}",
        "the model knows {known}; this robot does not send {absent}",
    ),
    # What is ordinary for a robot's own sensors.
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
    # The doctor: what each check is called, what it says, and what to do.
    "edge.doctor": (
        "mira todo lo que hace falta para que se oiga a este robot: una línea por cosa, con su remedio; sale con 1 si algo va mal",
        "look at everything that has to be well for this robot to be heard: a line each, with the remedy; status 1 when something is wrong",
    ),
    "edge.log_in": (
        "entra en el broker aunque el agente esté en marcha; con Mosquitto corta su conexión un momento",
        "log in to the broker though the agent runs; with Mosquitto that ends its connection for a moment",
    ),
    "edge.check_source": (
        "ejecuta una fuente como lo haría un agente y dice qué regla no cumple; nada de lo que dice va a ninguna parte",
        "run a source as an agent would and say which rule it does not keep; nothing of what it says goes anywhere",
    ),
    "edge.source_name": (
        "una fuente de sources.toml, o un tipo con sus variables",
        "a source of sources.toml, or a kind with its variables",
    ),
    "edge.seconds": ("cuánto se la mira (10)", "how long it is watched (10)"),
    "edge.away": ("lo que lee no está: tiene que decirlo, y terminar", "what it reads is away: it has to say so, and to end"),
    "check.again_name": ("otra vez", "again"),
    "check.away_name": ("sin su otro lado", "peer away"),
    "check.begin_name": ("empezar", "begin"),
    "check.end_name": ("terminar", "end"),
    "check.metrics_name": ("descripciones", "descriptions"),
    "check.names_name": ("nombres", "names"),
    "check.rate_name": ("ritmo", "rate"),
    "check.records_name": ("lecturas", "records"),
    "check.times_name": ("horas", "times"),
    "check.types_name": ("tipos", "types"),
    "check.values_name": ("valores", "values"),
    "check.loaded": ("{name}: ajustes correctos; describe {count} métricas", "{name}: settings are right; describes {count} metrics"),
    "check.again": ("abierta de nuevo, habla a los {seconds} s", "opened again, it speaks after {seconds} s"),
    "check.silent": ("no dice nada", "it says nothing"),
    "check.not_again": (
        "abierta de nuevo, no habla ({cause}): en close, devuelve lo que tiene abierto",
        "opened again, it does not speak ({cause}): give back in close what it holds open",
    ),
    "check.not_away": (
        "no lo dice en {seconds} s: lanza OSError cuando lo que lees no está",
        "it does not say so in {seconds} s: raise OSError when what you read is away",
    ),
    "check.none": (
        "ninguna en {seconds} s: mira lo que lee, da más --seconds, o --away si no está",
        "none in {seconds} s: look at what it reads, give more --seconds, or --away where that is away",
    ),
    "check.records": ("{count}, la primera a los {first} s", "{count}, the first after {first} s"),
    "check.hangs": (
        "no termina en {seconds} s: read y listen tienen que volver en un segundo, y close sin esperar",
        "it does not end in {seconds} s: read and listen have to return within a second, and close without waiting",
    ),
    "check.threads": (
        "deja hilos en marcha ({threads}): close tiene que hacer que terminen",
        "it leaves threads behind ({threads}): close has to make them end",
    ),
    "check.ended": ("en orden", "in order"),
    "check.lost": (
        "{count} se perdieron: es más rápida que el disco; da report.at_most_per_s",
        "{count} were lost: it is faster than the disk; give report.at_most_per_s",
    ),
    "check.rate": ("{rate} por segundo", "{rate} a second"),
    "check.odd_name": (
        "una métrica se llama {name}: da letras, dígitos, «_», «.» o «-», una letra al principio",
        "a metric is called {name}: give letters, digits, '_', '.' or '-', a letter first",
    ),
    "check.many_names": (
        "{count} nombres: un robot tiene hasta {most}; un nombre no lleva un valor dentro",
        "{count} names: a robot has up to {most}; a name has no value in it",
    ),
    "check.mixed": (
        "{name} es unas veces un tipo y otras otro ({kinds}): da siempre el mismo",
        "{name} is of one type now and of another then ({kinds}): give always the same",
    ),
    "check.types": ("cada métrica tiene siempre el mismo", "each metric always has the same"),
    "check.undescribed": (
        "nadie dice unidad ni nombre de {names}: ponlo en metrics, o en la tabla metrics de sources.toml",
        "nobody says unit and label of {names}: put them into metrics, or into the table metrics of sources.toml",
    ),
    "check.left_out": ("de {metric} se deja fuera {cell}: {why}", "of {metric}, {cell} is left out: {why}"),
    "check.times": (
        "una lectura dice {ts}, más de un día lejos de la hora de esta máquina: no pongas ts, o corrige el reloj",
        "a reading says {ts}, more than a day from this machine's time: leave ts out, or set the clock",
    ),
    "doctor.ok": ("bien", "ok"),
    "doctor.wrong": ("MAL", "WRONG"),
    "doctor.skipped": ("-", "-"),
    "doctor.all_well": ("todo bien", "all is well"),
    "doctor.some_wrong": ("{count} cosas van mal", "{count} things are wrong"),
    "doctor.one_wrong": ("una cosa va mal", "one thing is wrong"),
    "check.settings": ("ajustes", "settings"),
    "check.agent": ("agente", "agent"),
    "check.clock": ("reloj", "clock"),
    "check.disk": ("disco", "disk"),
    "check.outbox": ("cola de salida", "outbox"),
    "check.model": ("modelo", "model"),
    "check.profile": ("lo habitual", "profile"),
    "check.source": ("fuente", "source"),
    "check.name": ("nombre", "name"),
    "check.tcp": ("TCP", "TCP"),
    "check.tls": ("TLS", "TLS"),
    "check.login": ("entrada", "log-in"),
    "check.rights": ("permisos", "rights"),
    "doctor.settings": ("robot {robot_id}, fuente {source}", "robot {robot_id}, source {source}"),
    "doctor.needs_settings": ("no se mira: antes hay que corregir los ajustes", "not looked at: the settings have to be mended first"),
    "doctor.agent_none": ("no hay ninguno en marcha", "none is running"),
    "doctor.agent": ("{agent} en marcha desde hace {since} (proceso {pid})", "{agent}, running for {since} (process {pid})"),
    "doctor.agent_faults": (
        "{agent} en marcha desde hace {since} (proceso {pid}), y algo le falla: {faults}",
        "{agent}, running for {since} (process {pid}), and something fails it: {faults}",
    ),
    "doctor.agent_silent": (
        "hay uno en marcha (proceso {pid}) y no dice cómo está: lo dice a su propia cuenta y a root; prueba con sudo",
        "one is running (process {pid}) and does not say how it is: it tells its own account and root; try sudo",
    ),
    "doctor.clock_kept": ("{now:%Y-%m-%d %H:%M:%S} UTC, y se mantiene en hora", "{now:%Y-%m-%d %H:%M:%S} UTC, and kept to the time"),
    "doctor.clock_alone": (
        "{now:%Y-%m-%d %H:%M:%S} UTC; nadie la mantiene en hora: si se desvía, instala systemd-timesyncd o chrony",
        "{now:%Y-%m-%d %H:%M:%S} UTC; nobody keeps it to the time: if it drifts, install systemd-timesyncd or chrony",
    ),
    "doctor.clock_past": (
        "esta placa cree que es {now:%Y-%m-%d %H:%M} UTC, antes de {earliest:%Y}: ponla en hora (sudo date -s, o systemd-timesyncd)",
        "this board takes it for {now:%Y-%m-%d %H:%M} UTC, before {earliest:%Y}: set its clock (sudo date -s, or systemd-timesyncd)",
    ),
    "doctor.clock_back": (
        "son las {now:%Y-%m-%d %H:%M} UTC, pero la cola de salida se escribió el {newest:%Y-%m-%d %H:%M} UTC: el reloj va atrasado; pon la"
        " placa en hora (sudo date -s, o systemd-timesyncd)",
        "it is {now:%Y-%m-%d %H:%M} UTC, yet the outbox was written at {newest:%Y-%m-%d %H:%M} UTC: the clock is behind; set it"
        " (sudo date -s, or systemd-timesyncd)",
    ),
    "doctor.disk": (
        "{folder}: se puede escribir, {free} de {total} MiB libres",
        "{folder}: can be written, {free} of {total} MiB free",
    ),
    "doctor.disk_tight": (
        "{folder}: {free} de {total} MiB libres, menos de los {wanted} MiB que la cola puede crecer aún: libera espacio, o baja"
        " CROODY_OUTBOX_LIMIT_BYTES",
        "{folder}: {free} of {total} MiB free, less than the {wanted} MiB that the outbox may still grow: free some space, or lower"
        " CROODY_OUTBOX_LIMIT_BYTES",
    ),
    "doctor.disk_nearly_full": (
        "{folder}: solo {free} de {total} MiB libres: libera espacio, por ejemplo con `journalctl --vacuum-size=50M`",
        "{folder}: only {free} of {total} MiB free: free some space, with `journalctl --vacuum-size=50M` for one",
    ),
    "doctor.disk_full": (
        "{folder}: el disco está lleno ({error}): libera espacio; el agente sigue solo en cuanto lo hay",
        "{folder}: the disk is full ({error}): free some space; the agent goes on by itself when there is some",
    ),
    "doctor.disk_read_only": (
        "{folder}: el disco es de solo lectura ({error}): si no es a propósito, la tarjeta falla (dmesg): guarda lo que hay y cámbiala",
        "{folder}: the disk is read-only ({error}): unless that is meant, the card is failing (dmesg): save what is there and replace it",
    ),
    "doctor.disk_denied": (
        "{folder}: la cuenta {user} no puede escribir ({error}): usa la cuenta del agente, o sudo",
        "{folder}: account {user} may not write ({error}): use the agent's account, or sudo",
    ),
    "doctor.disk_broken": (
        "{folder}: no se puede escribir: {error}: mira dmesg; puede que la tarjeta falle",
        "{folder}: cannot be written: {error}: look at dmesg; the card may be failing",
    ),
    "doctor.wear": ("{device}: gastado hasta un {percent} %", "{device}: worn by up to {percent} %"),
    "doctor.worn": (
        "{device}: gastado en un {percent} % o más: cámbialo antes de que falle",
        "{device}: worn by {percent} % or more: replace it before it fails",
    ),
    "doctor.outbox_none": ("{path}: todavía no hay: la crea el agente al arrancar", "{path}: none yet: the agent makes it when it starts"),
    "doctor.outbox": (
        "entera; {waiting} registros esperan, el más antiguo desde hace {age}; ocupa el {share} % de su límite",
        "whole; {waiting} records wait, the oldest for {age}; it takes {share} % of its limit",
    ),
    "doctor.outbox_part": (
        "entera en lo que se pudo mirar; {waiting} registros esperan, el más antiguo desde hace {age}; ocupa el {share} % de su límite",
        "whole as far as there was time to look; {waiting} records wait, the oldest for {age}; it takes {share} % of its limit",
    ),
    "doctor.outbox_nearly_full": (
        "{waiting} registros esperan, el más antiguo desde hace {age}, y ocupa el {share} % de su límite: al llegar al 100 % se aclaran"
        " las lecturas más antiguas; devuelve la conexión, o sube CROODY_OUTBOX_LIMIT_BYTES",
        "{waiting} records wait, the oldest for {age}, and it takes {share} % of its limit: at 100 % the oldest readings are thinned; bring"
        " the connection back, or raise CROODY_OUTBOX_LIMIT_BYTES",
    ),
    "doctor.outbox_damaged": (
        "{path}: dañada: {error}: arranca el agente (o reinícialo), que salva lo que puede y aparta el archivo; si vuelve,"
        " cambia la tarjeta",
        "{path}: damaged: {error}: start the agent (or restart it), which saves what it can and sets the file aside; if it comes again,"
        " replace the card",
    ),
    "doctor.outbox_foreign": (
        "{path}: es de {owner}, no de {robot_id}: corrige ROBOT_ID, o da a este robot un CROODY_EDGE_DIR propio",
        "{path}: belongs to {owner}, not to {robot_id}: mend ROBOT_ID, or give this robot a CROODY_EDGE_DIR of its own",
    ),
    "doctor.outbox_aside": (
        "{count} archivos dañados se apartaron, el último {newest}: guárdalos si los quiere alguien, y si no bórralos de {folder}",
        "{count} damaged files were set aside, the last one {newest}: keep them if somebody wants them, else delete them from {folder}",
    ),
    "doctor.model": (
        "{name} carga y responde como dice su ficha (SHA-256 {sha256}...)",
        "{name} loads and answers as its card says (SHA-256 {sha256}...)",
    ),
    "doctor.profile": (
        "{name}: lo habitual de {metrics} métricas, aprendido hace {days} días",
        "{name}: what is ordinary for {metrics} metrics, learned {days} days ago",
    ),
    "doctor.model_off": ("CROODY_SCREEN lo apaga", "CROODY_SCREEN turns it off"),
    "doctor.model_runtime": (
        "este Python no puede ejecutar modelos ({error}): instala lo que pide requirements/edge.txt, o pon CROODY_SCREEN=0",
        "this Python cannot run models ({error}): install what requirements/edge.txt asks for, or set CROODY_SCREEN=0",
    ),
    "doctor.source_read": ("{name}: se abre, y tiene qué decir", "{name}: opens, and has something to say"),
    "doctor.source_quiet": ("{name}: se abre; ahora mismo no tiene nada nuevo", "{name}: opens; it has nothing new at the moment"),
    "doctor.source_began": ("{name}: se abre, y habla cuando quiere", "{name}: opens, and speaks when it wants to"),
    "doctor.source_failed": (
        "{name}: no se puede leer: {error}: mira si está conectada, y si esta cuenta puede leerla",
        "{name}: cannot be read: {error}: look whether it is connected, and whether this account may read it",
    ),
    "doctor.source_hangs": (
        "{name}: no dijo nada en {seconds:g} s y sigue callada: mira si está encendida, y su dirección",
        "{name}: said nothing in {seconds:g} s and is still silent: look whether it is on, and at its address",
    ),
    "doctor.source_agent": ("el agente leyó hace {age}", "the agent read {age} ago"),
    "doctor.source_unread": (
        "las tiene el agente, que aún no dice haber leído",
        "the agent has them, and does not say yet that it read anything",
    ),
    "doctor.login_agent": (
        "el agente está conectado; el otro lado le respondió hace {ago}",
        "the agent is connected; the other side answered it {ago} ago",
    ),
    "doctor.login_not_tried": (
        "no se prueba al lado de un agente en marcha: en algunos brokers cortaría su conexión; con --log-in se prueba",
        "not tried beside a running agent: on some brokers it would end its connection; --log-in tries it",
    ),
    "doctor.login_http": (
        "no se prueba: por HTTP solo se entra enviando una lectura; arranca el agente y mira `croody-edge status`",
        "not tried: over HTTP one logs in only by sending a reading; start the agent and look at `croody-edge status`",
    ),
    "doctor.rights_agent": (
        "el agente publica, y la nube se lo confirmó el {at:%Y-%m-%d %H:%M:%S} UTC",
        "the agent publishes, and the cloud confirmed it at {at:%Y-%m-%d %H:%M:%S} UTC",
    ),
    "doctor.rights_not_yet": (
        "la nube aún no ha confirmado nada al agente; {waiting} registros esperan",
        "the cloud has not confirmed anything to the agent yet; {waiting} records wait",
    ),
    # A bundle for somebody far away.
    "edge.screen": (
        "dice quién escanea, inunda, adivina o suplanta en una captura: un incidente por línea",
        "says who scans, floods, guesses or spoofs in a capture: an incident a line",
    ),
    "edge.pcap": ("la captura, pcap o pcapng; se puede repetir", "the capture, pcap or pcapng; may be repeated"),
    "edge.calibration": (
        "lo habitual del sitio, como lo escribió croody ids calibrate",
        "what is ordinary at the site, as croody ids calibrate wrote it",
    ),
    "edge.calibrate": (
        "mide lo habitual de la red de esta placa, como límites: al menos cuatro minutos sin nada raro",
        "measure what is ordinary on this board's network, as limits: four minutes or more with nothing odd in them",
    ),
    "edge.live": (
        "escucha la red desde ahora tanto tiempo: 15m, 900s o 1h",
        "listen to the network from now on for so long: 15m, 900s or 1h",
    ),
    "edge.interface": ("la interfaz que se escucha; sin ella eth0", "the interface to listen to; eth0 without it"),
    "edge.calibrate_out": ("dónde se guarda lo habitual", "where to keep what is ordinary"),
    "edge.merge": (
        "lo suma a lo que ya hay en ese archivo: de cada contador queda lo más alto",
        "add it to what that file has already: the higher of each counter stays",
    ),
    "calibrate.left_out": (
        "{device} se deja fuera ({what}): lo habitual es lo de los demás",
        "{device} is left out ({what}): what is ordinary is what the others do",
    ),
    "edge.bundle": (
        "hace un archivo pequeño con lo que hace falta para entender esta placa desde lejos, sin secretos",
        "make a small archive of what is needed to understand this board from afar, without secrets",
    ),
    "edge.out": ("dónde escribirlo; «-» para la salida estándar", "where to write it; '-' for standard output"),
    "bundle.made": ("{path}: {size} KiB, sin secretos", "{path}: {size} KiB, without secrets"),
    "bundle.leak": (
        "{name} llevaría un secreto: no se escribió nada; avisa de este fallo",
        "{name} would hold a secret: nothing was written; report this as a bug",
    ),
    "bundle.about": (
        "Lo que una placa dice de sí misma: versions (programas), settings, sources y rules (ajustes, con *** en lugar de secretos), doctor"
        " (qué va bien y qué mal), agent y log (el agente), outbox (qué espera), system (la placa). No lleva lecturas.\n",
        "What a board says of itself: versions (programs), settings, sources and rules (with *** in the place of secrets), doctor (what is"
        " well and what is not), agent and log (the agent), outbox (what waits), system (the board). There are no readings in it.\n",
    ),
    # One way to a broker, step by step.
    "probe.name": ("{host} es {addresses}", "{host} is {addresses}"),
    "probe.tcp": ("{broker} acepta conexiones", "{broker} takes connections"),
    "probe.tcp_proxy": ("{broker} acepta conexiones a través de {proxy}", "{broker} takes connections through {proxy}"),
    "probe.no_tls": (
        "sin TLS, como dice la dirección {broker}: solo para redes propias",
        "without TLS, as the address {broker} says: for networks of your own only",
    ),
    "probe.tls": ("{version}, firmado por {issuer}, vale {days} días más", "{version}, signed by {issuer}, good for {days} days"),
    "probe.tls_soon": (
        "{version}, firmado por {issuer}, vale solo {days} días más: di a quien lleva el servidor que mire `./croody status`",
        "{version}, signed by {issuer}, good for {days} days only: have who runs the server look at `./croody status`",
    ),
    "probe.login": ("{broker} deja entrar a {robot_id}", "{broker} lets {robot_id} in"),
    "probe.rights": (
        "puede publicar en {topic} y suscribirse a {down}",
        "may publish to {topic} and subscribe to {down}",
    ),
    "probe.told": ("el broker dice que no está permitido", "the broker says that it is not allowed"),
    "probe.no_publish": (
        "no puede publicar en {topic} ({why}): faltan los permisos de este robot en el broker: en el servidor, `./croody restart broker`;"
        " con un broker propio, las líneas que escribe Croody en su archivo acl",
        "may not publish to {topic} ({why}): the broker lacks this robot's rights: on the server, `./croody restart broker`; with a broker"
        " of your own, the lines that Croody writes into its acl file",
    ),
    "local.no_socket": (
        "en {folder} no cabe un socket ({error}): `croody-edge doctor` y `status` sabrán menos de este agente",
        "{folder} takes no socket ({error}): `croody-edge doctor` and `status` will know less of this agent",
    ),
    # Coming in by a claim.
    "edge.enrol": (
        "canjea un pase por un secreto propio de esta placa, y empieza a publicar",
        "exchange a claim for a secret of this board's own, and start publishing",
    ),
    "edge.claim": ("la línea que muestra `croody robot claim` o la consola", "the line that `croody robot claim` or the console shows"),
    "edge.serial": ("número de serie, para pases de grupo", "serial number, for claims of a group"),
    "edge.enrol_only": ("termina tras darse de alta, sin publicar", "end once it is enrolled, without publishing"),
    "enrol.done": (
        "{robot_id}: dada de alta; su secreto está en {folder}, y nadie más lo tiene",
        "{robot_id}: enrolled; its secret is in {folder}, and nobody else has it",
    ),
    "enrol.again": ("{why}; se intenta de nuevo", "{why}; trying again"),
    "enrol.bad_form": ("el pase no está entero: copia toda la línea", "the claim is not whole: copy all of the line"),
    "enrol.bad_scheme": (
        "esto no es un pase: empieza por croody+https://, y por croody+http:// solo hacia esta misma máquina",
        "this is no claim: it begins with croody+https://, and with croody+http:// for this very machine alone",
    ),
    "enrol.bad_server": (
        "el servidor del pase no es NOMBRE[:PUERTO]: copia toda la línea",
        "the claim's server is not NAME[:PORT]: copy the whole line",
    ),
    "enrol.bad_robot": (
        "el pase no nombra un robot ni un @GRUPO: copia toda la línea",
        "the claim names no robot and no @GROUP: copy the whole line",
    ),
    "enrol.bad_token": ("a la palabra del pase le falta algo: copia toda la línea", "the claim's word is not whole: copy the whole line"),
    "enrol.bad_fingerprint": (
        "a la huella del pase le falta algo: copia toda la línea",
        "the claim's fingerprint is not whole: copy the whole line",
    ),
    "enrol.no_serial": (
        "el pase es de un grupo y esta placa no dice su número de serie: dalo con --serial o CROODY_SERIAL",
        "the claim is of a group and this board does not say its serial: give it with --serial or CROODY_SERIAL",
    ),
    "enrol.claim_unknown": (
        "ese servidor no conoce el pase: haz otro allí y copia toda la línea",
        "that server does not know the claim: make a new one there and copy the whole line",
    ),
    "enrol.claim_expired": (
        "el pase venció: haz otro y úsalo antes de una hora",
        "the claim has expired: make a new one and use it within the hour",
    ),
    "enrol.claim_revoked": (
        "el pase fue revocado, o hay otro más nuevo del mismo robot: usa el último",
        "the claim was revoked, or the same robot has a newer one: use the newest",
    ),
    "enrol.claim_used": (
        "otra placa ya entró por ese pase: haz otro, y busca quién tiene el primero",
        "another board has come in by that claim: make a new one, and look for who has the first",
    ),
    "enrol.claim_replayed": (
        "esta placa ya entró por ese pase y su secreto cambió después: haz otro pase",
        "this board came in by that claim before, and its secret was changed since: make a new one",
    ),
    "enrol.claim_foreign": (
        "el pase es de otro robot, o de uno que ya existía: haz uno para el robot que es esta placa",
        "the claim is another robot's, or of one that was there before: make one for the robot that this board is",
    ),
    "enrol.claim_full": (
        "por ese pase ya entraron todas las placas para las que se hizo: haz otro para las demás",
        "as many boards as the claim was made for have come in by it: make a new one for the rest",
    ),
    "enrol.claim_serial": (
        "el pase solo admite números de serie de otra forma: da el de esta placa con --serial o CROODY_SERIAL",
        "the claim takes only serials of another form: give this board's with --serial or CROODY_SERIAL",
    ),
    "enrol.not_found": (
        "ese servidor no conoce ningún pase abierto con esa huella: haz otro allí y copia toda la línea",
        "that server knows no open claim with that fingerprint: make a new one there and copy the whole line",
    ),
    "enrol.refused": ("el servidor dice que no: {said}", "the server says no: {said}"),
    "enrol.fingerprint": (
        "en {server} no contesta quien nombra el pase, su huella es otra: no se le envió nada; mira que la dirección sea la de tu servidor",
        "at {server} somebody else answers than the claim names, the fingerprint differs: nothing was sent; see that the address is your"
        " server's",
    ),
    "enrol.clock_behind": (
        "el certificado del servidor vale desde más tarde que la hora de esta placa, {now}: pon en hora su reloj",
        "the server's certificate begins later than this board's time, {now}: set its clock",
    ),
    "enrol.ended": (
        "el certificado del servidor venció, según la hora de esta placa, {now}: mira su reloj, y después el certificado",
        "the server's certificate has ended by this board's time, {now}: look at its clock, then at the certificate",
    ),
    "enrol.other_name": (
        "el certificado del servidor es de otros nombres que {host}: pon CROODY_DOMAIN en el servidor y haz otro pase",
        "the server's certificate is for other names than {host}: set CROODY_DOMAIN on the server and make a new claim",
    ),
    "enrol.untrusted": (
        "esta placa no conoce a quien firmó el certificado de {host}: haz el pase en ese servidor, y llevará su huella; mira también el"
        " reloj",
        "this board does not know who signed {host}'s certificate: make the claim on that server, and it will carry its fingerprint",
    ),
    "enrol.not_signed": (
        "la autoridad del pase no firmó el certificado que muestra {host}: haz otro pase",
        "the authority of the claim did not sign the certificate that {host} shows: make a new claim",
    ),
    "enrol.no_name": ("nadie conoce el nombre {host}: mira el DNS de esta placa", "nobody knows the name {host}: look at this board's DNS"),
    "enrol.nobody_listens": (
        "nadie escucha en {server}: ¿está en marcha el servidor, y es ese su puerto?",
        "nobody listens at {server}: is the server up, and is this its port?",
    ),
    "enrol.timeout": (
        "sin respuesta de {server}: ¿tiene red esta placa, y deja salir su cortafuegos?",
        "no answer from {server}: has this board a network, and does its firewall let it out?",
    ),
    "enrol.no_tls": ("{server} no habla TLS ({said}): mira el puerto", "{server} speaks no TLS ({said}): look at the port"),
    "enrol.stranger": (
        "en {server} contesta otro, o el servidor no puede ahora: {said}",
        "somebody else answers at {server}, or the server cannot now: {said}",
    ),
    "enrol.trouble": ("{server}: {said}", "{server}: {said}"),
    "keyring.other_board": (
        "{file} es ya de otro robot, o de otro pase: arranca el agente de nuevo",
        "{file} is another robot's by now, or of another claim: start the agent again",
    ),
    "keyring.not_kept": (
        "El secreto con el que esta placa entró no se pudo anotar: {error}",
        "The secret that this board came in by could not be written down: {error}",
    ),
    "identity.unreadable": (
        "{file} no se puede leer ({error}): da su carpeta a este usuario, o bórralo y date de alta con otro pase",
        "{file} cannot be read ({error}): give its folder to this user, or delete it and enrol with a new claim",
    ),
    "setting.other_robot": (
        "ROBOT_ID es {robot_id} y esta placa se dio de alta como {enrolled} ({file}): quita ROBOT_ID, o date de alta con un pase de"
        " {robot_id}",
        "ROBOT_ID is {robot_id} and this board enrolled as {enrolled} ({file}): take ROBOT_ID away, or enrol with a claim of {robot_id}",
    ),
    # Settings: which variable, and the rule that its value breaks.
    "setting.rule": ("{name} es {value}: {rule}", "{name} is {value}: {rule}"),
    "setting.secret": ("un secreto", "a secret"),
    "setting.twice": ("{name} y {name}_FILE están puestas las dos: deja una", "{name} and {name}_FILE are both set: keep one of them"),
    "setting.unreadable": (
        "{name}_FILE es {file}, que no se puede leer ({error}): da la ruta de un archivo de texto legible",
        "{name}_FILE is {file}, which cannot be read ({error}): give the path of a readable text file",
    ),
    "setting.no_robot_id": (
        "falta ROBOT_ID: da de alta esta placa con `croody-edge enrol PASE` (lo muestra `croody robot claim ID`), o da el nombre que"
        " mostró `croody robot add`",
        "ROBOT_ID is missing: enrol this board with `croody-edge enrol CLAIM` (`croody robot claim ID` prints one), or give the name"
        " that `croody robot add` printed",
    ),
    "setting.no_secret": (
        "falta ROBOT_SECRET: da de alta esta placa con `croody-edge enrol PASE`, o da lo que mostró `croody robot add {robot_id}`, o su"
        " archivo en ROBOT_SECRET_FILE",
        "ROBOT_SECRET is missing: enrol this board with `croody-edge enrol CLAIM`, or give what `croody robot add {robot_id}` printed,"
        " or its file in ROBOT_SECRET_FILE",
    ),
    "setting.ca": (
        "CROODY_CA_FILE es {file}, donde no hay un certificado legible ({error}): da el archivo PEM de la autoridad",
        "CROODY_CA_FILE is {file}, which holds no certificate that can be read ({error}): give the PEM file of the authority",
    ),
    "setting.source": ("{asked_by} es {name}: tiene que ser una de {names}", "{asked_by} is {name}: it must be one of {names}"),
    "setting.source_twice": (
        "{asked_by} es {name}, que está en {count} paquetes ({packages}): deja uno",
        "{asked_by} is {name}, which {count} packages have ({packages}): keep one of them",
    ),
    "setting.source_broken": (
        "{asked_by} es {name}, y {place} del paquete {package} no se puede cargar ({error}): instala lo que le falta, o corrige"
        " su punto de entrada",
        "{asked_by} is {name}, and {place} of the package {package} cannot be loaded ({error}): install what it needs, or mend its entry"
        " point",
    ),
    "setting.source_extra": (
        "{asked_by} es {name}, y le falta su biblioteca ({error}): pip install '{wanted}', o EDGE_EXTRAS={extra} al construir la imagen",
        "{asked_by} is {name}, and its library is not installed ({error}): pip install '{wanted}', or EDGE_EXTRAS={extra} when the image"
        " is built",
    ),
    "setting.source_no_kind": (
        "no es una clase con Settings, mira docs/how-to/write-a-source.es.md",
        "it is no class with Settings, see docs/how-to/write-a-source.md",
    ),
    "own.unknown": ("{name}: no existe; hay {names}", "{name}: there is no such setting; there are {names}"),
    "own.missing": ("falta {name}: {rule}", "{name} is missing: {rule}"),
    "own.unreadable": (
        "{name} es {value}, que no se puede leer ({error}): da la ruta de un archivo de texto legible",
        "{name} is {value}, which cannot be read ({error}): give the path of a readable text file",
    ),
    # The file of sources.
    "sources.none": ("{file}: ninguna fuente está encendida", "{file}: no source in it is enabled"),
    "sources.too_large": ("es mayor que 1 MiB", "it is larger than 1 MiB"),
    "sources.unreadable": (
        "{file} no se puede leer ({error}): mira docs/reference/sources.es.md",
        "{file} cannot be read ({error}): see docs/reference/sources.md",
    ),
    "sources.no_tables": (
        "{file}: {name} no va ahí: cada fuente es una tabla [source.NOMBRE]",
        "{file}: {name} does not belong there: each source is a table [source.NAME]",
    ),
    "sources.too_many": (
        "{file} tiene {count} fuentes: pueden ser hasta {most}; otro agente lleva las demás",
        "{file} has {count} sources: up to {most} may be; another agent takes the others",
    ),
    "sources.name": (
        "{file}: una fuente se llama {name}: da de 1 a 32 letras, dígitos, «-» o «_», y una letra al principio",
        "{file}: a source is called {name}: give 1 to 32 letters, digits, '-' or '_', a letter first",
    ),
    "sources.most": ("pueden ser hasta {most}", "up to {most} may be"),
    "sources.left": ("fuente que no se usa: {why}", "a source is not used: {why}"),
    "sources.hangs_at_end": (
        "la fuente {name} no termina: se la deja",
        "the source {name} does not end: it is left behind",
    ),
    "sources.left_out": (
        "fuente {name}: de {metric} se dejan fuera valores como {cell}: {why}; lo demás de la lectura llega",
        "source {name}: of {metric}, values such as {cell} are left out: {why}; the rest of the reading arrives",
    ),
    "cell.no_value": ("el dispositivo no da ahí un valor que se entienda", "the device gives no value there that can be read"),
    "cell.bad_type": ("no es un número, un texto ni sí o no", "no number, text, true or false"),
    "cell.too_many": ("una lectura lleva hasta 256 métricas", "a reading carries up to 256 metrics"),
    "cell.no_place": ("no es un lugar en la Tierra", "no place on Earth"),
    "rule.path": ("tiene que ser la ruta de un archivo", "it must be the path of a file"),
    "rule.table": ("tiene que ser una tabla", "it must be a table"),
    "rule.text": ("tiene que ser un texto", "it must be a text"),
    "rule.one_of": ("tiene que ser una de {values}", "it must be one of {values}"),
    "rule.other": ("mira la referencia de fuentes", "see the reference of sources"),
    "rule.switch": ("tiene que ser 1 o 0", "it must be 1 or 0"),
    "rule.number": ("tiene que ser un número, como 2.5", "it must be a number, such as 2.5"),
    "rule.whole": ("tiene que ser un número entero", "it must be a whole number"),
    "rule.between": ("tiene que estar entre {low} y {high}", "it must lie between {low} and {high}"),
    "rule.port": ("tiene que ser un número de 0 a 65535", "it must be a number from 0 to 65535"),
    "rule.condition": (
        "{part} no es una condición: métrica, signo (> < >= <= = !=) y valor, como speed_mps>0.05 o status=moving",
        "{part} is not a condition: metric, sign (> < >= <= = !=) and value, such as speed_mps>0.05 or status=moving",
    ),
    "rule.robots": (
        "tiene que tener un robot por línea o entre comas, como ID SECRETO; los da croody robot add",
        "it must have one robot a line, or commas between them, as ID SECRET; croody robot add gives them",
    ),
    "rule.pem": (
        "tiene que ser un certificado PEM entero, de BEGIN CERTIFICATE a END CERTIFICATE",
        "it must be a whole PEM certificate, from BEGIN CERTIFICATE to END CERTIFICATE",
    ),
    "rule.conditions": ("tiene que tener {most} condiciones como mucho", "it must have at most {most} conditions"),
    "rule.length": ("tiene que tener de 3 a 64 caracteres", "it must have 3 to 64 characters"),
    "rule.robot_id": (
        "tiene que tener de 3 a 64 letras, dígitos, «-» o «_» (por HTTP, con TELEMETRY_INGEST_URL, valen también otros nombres)",
        "it must be 3 to 64 letters, digits, '-' or '_' (over HTTP, with TELEMETRY_INGEST_URL, other names go too)",
    ),
    "rule.certificate": (
        "no existe ese archivo: da la ruta del certificado (PEM)",
        "there is no such file: give the path of the certificate (PEM)",
    ),
    "rule.http_url": (
        "tiene que ser http://HOST:PUERTO/RUTA o https://HOST:PUERTO/RUTA",
        "it must be http://HOST:PORT/PATH or https://HOST:PORT/PATH",
    ),
    "rule.proxy": (
        "tiene que ser http://PROXY:PUERTO o http://USUARIO:CLAVE@PROXY:PUERTO",
        "it must be http://PROXY:PORT or http://NAME:PASSWORD@PROXY:PORT",
    ),
    "rule.log_level": ("tiene que ser DEBUG, INFO, WARNING o ERROR", "it must be DEBUG, INFO, WARNING or ERROR"),
    # Addresses of brokers.
    "address.forms": (
        "da mqtt://HOST:PUERTO, mqtts://HOST:PUERTO, ws://HOST:PUERTO/RUTA o wss://HOST:PUERTO/RUTA",
        "give mqtt://HOST:PORT, mqtts://HOST:PORT, ws://HOST:PORT/PATH or wss://HOST:PORT/PATH",
    ),
    "address.empty": (
        "no contiene ninguna dirección: da mqtt://HOST:PUERTO, o varias separadas por comas",
        "no address in it: give mqtt://HOST:PORT, or several with commas between",
    ),
    "address.bad": ("{address} no es una dirección: {forms}", "{address} is no address: {forms}"),
    "address.unreadable": ("{address} no es una dirección ({error}): {forms}", "{address} is no address ({error}): {forms}"),
    "address.credentials": (
        "una dirección no lleva credenciales (host {host}): dalas en ROBOT_ID y ROBOT_SECRET",
        "an address carries no credentials (host {host}): give them as ROBOT_ID and ROBOT_SECRET",
    ),
    "address.path": (
        "{address} tiene una ruta, y solo ws:// y wss:// la conocen: {forms}",
        "{address} has a path, which only ws:// and wss:// know: {forms}",
    ),
    "address.ascii": (
        "la ruta de {address} tiene que ser de ASCII visible: escribe otras letras como %XX",
        "the path of {address} has to be of visible ASCII: write other letters as %XX",
    ),
    # The link, in the log and in `croody-edge status`.
    "link.connected": ("enlace {robot_id}: conectado a {broker}", "link {robot_id}: connected to {broker}"),
    "link.back": ("enlace {robot_id}: de nuevo en {broker}", "link {robot_id}: back, on {broker}"),
    "link.lost": ("enlace {robot_id}: perdido {broker}: {why}; se intenta de nuevo", "link {robot_id}: lost {broker}: {why}; trying again"),
    "link.unreachable": (
        "enlace {robot_id}: no se llega a {broker}: {why}; se intenta de nuevo",
        "link {robot_id}: cannot reach {broker}: {why}; trying again",
    ),
    "link.not_yet": ("todavía no se ha conectado", "not connected yet"),
    "link.closed": ("la conexión se cerró", "the connection was closed"),
    "link.no_answer": ("el broker no responde", "no answer from the broker"),
    "link.no_connack": ("sin CONNACK en {seconds:g} s", "no CONNACK within {seconds:g} s"),
    "link.no_subscription": (
        "el broker rechaza la suscripción a los temas del propio robot",
        "the broker refuses the subscription to the robot's own down topics",
    ),
    "link.text_message": ("lo que llegó no es MQTT: un mensaje de texto", "what came is no MQTT: a message of text"),
    "link.not_websocket": ("lo que llegó no es un WebSocket: {error}", "what came is no WebSocket: {error}"),
    "link.goodbye": ("el WebSocket se cerró: {code} {reason}", "the WebSocket was closed: {code} {reason}"),
    "link.no_reason": ("sin motivo", "without a reason"),
    "link.slow_upgrade": ("el cambio a WebSocket tardó más de {seconds:g} s", "the upgrade took longer than {seconds:g} s"),
    "link.not_http": ("la respuesta no es HTTP", "the answer is not HTTP"),
    "link.closed_early": ("se cerró antes de una respuesta", "closed before an answer"),
    "link.refused": ("rechazado: {what}", "refused: {what}"),
    "link.not_mqtt": ("no es para MQTT", "not for MQTT"),
    # What to do about a link that cannot be had.
    "remedy.wss_port": ("wss:// va al puerto con TLS, 443 por regla", "wss:// takes the port with TLS, 443 as a rule"),
    "remedy.mqtts_port": ("mqtts:// va al puerto con TLS, 8883 por regla", "mqtts:// takes the port with TLS, 8883 as a rule"),
    "remedy.no_tls": ("{said}: puede que este puerto no hable TLS: {port}", "{said}: this port may speak no TLS: {port}"),
    "remedy.cut_short": (
        "{said}: se cerró antes de acordar TLS: puede que el broker esté arrancando, y se intenta de nuevo; si sigue así, {port}",
        "{said}: closed before TLS was agreed: the broker may be starting, and it is tried again; if it stays so, {port}",
    ),
    "remedy.reset": (
        "{said}: el otro lado cortó: puede que el broker esté arrancando, y se intenta de nuevo",
        "{said}: the other side cut it off: the broker may be starting, and it is tried again",
    ),
    "remedy.no_gateway": (
        "{said}: puede que en este puerto no haya gateway: {port}",
        "{said}: this port may have no gateway: {port}",
    ),
    "remedy.no_name": (
        "{said}: nadie conoce el nombre {host}: mira CROODY_BROKER_URL, y el DNS de esta placa",
        "{said}: nobody knows the name {host}: look at CROODY_BROKER_URL, and at this board's DNS",
    ),
    "remedy.nobody_listens": (
        "{said}: nadie escucha en {host}:{port}: ¿está el broker en marcha, y es ese su puerto?",
        "{said}: nobody listens at {host}:{port}: is the broker up, and is this its port?",
    ),
    "remedy.timeout": (
        "{said}: sin respuesta de {host}:{port}: ¿está encendida la máquina, y abierto el puerto en su cortafuegos?",
        "{said}: no answer from {host}:{port}: is the machine up, and is the port open in its firewall?",
    ),
    "remedy.no_way": (
        "{said}: esta placa no tiene camino a {host}: ¿tiene red?",
        "{said}: this board has no way to {host}: is its network up?",
    ),
    "remedy.secret": (
        "rechazado: {code}: el secreto de {robot_id} no es correcto, o ese robot no tiene entrada: pon en ROBOT_SECRET el que muestra"
        " `croody robot rotate {robot_id}` en el servidor, o `croody robot add {robot_id}` si fue revocado",
        "refused: {code}: the secret of {robot_id} is wrong, or no such robot is let in: take the one that `croody robot rotate {robot_id}`"
        " prints on the server (`croody robot add {robot_id}` for a revoked one) into ROBOT_SECRET",
    ),
    "remedy.silence": (
        "la conexión se cerró antes de una palabra: puede que el broker esté arrancando, y se intenta de nuevo; si sigue así, a un puerto"
        " con TLS se va con mqtts:// en CROODY_BROKER_URL",
        "the connection was closed before a word: the broker may be starting, and it is tried again; if it stays so, a port with TLS takes"
        " mqtts:// in CROODY_BROKER_URL",
    ),
    "remedy.other_name": (
        "el certificado es para otros nombres: pon uno de ellos en CROODY_BROKER_URL, o CROODY_DOMAIN={host} en el servidor",
        "the certificate is for other names: give one of them in CROODY_BROKER_URL, or set CROODY_DOMAIN={host} on the server",
    ),
    "remedy.clock_behind": (
        "el certificado empieza después de la hora de esta placa, {now:%Y-%m-%d %H:%M} UTC: pon la placa en hora",
        "the certificate begins later than this board's clock, {now:%Y-%m-%d %H:%M} UTC: set the clock",
    ),
    "remedy.ended": (
        "el certificado terminó, o la hora de esta placa, {now:%Y-%m-%d %H:%M} UTC, va adelantada: renueva lo uno o corrige lo otro",
        "the certificate ended, or this board's clock, {now:%Y-%m-%d %H:%M} UTC, is ahead: renew the one or set the other",
    ),
    "remedy.unknown_authority": (
        "esta máquina no conoce a quien lo firmó: da la autoridad del sitio (PEM) en CROODY_CA_FILE; `croody robot add` la muestra",
        "this machine knows nobody who signed it: name the site's authority (PEM) in CROODY_CA_FILE; `croody robot add` prints it",
    ),
    "remedy.other_authority": (
        "la autoridad de CROODY_CA_FILE ({file}) no lo firmó: toma la que muestra `croody robot add` en el servidor de este sitio",
        "the authority in CROODY_CA_FILE ({file}) did not sign it: take the one that `croody robot add` prints on this site's server",
    ),
    "remedy.redirect": (
        "{said}: el gateway envía a {location}: pon {instead} en CROODY_BROKER_URL",
        "{said}: the gateway sends to {location}: give {instead} in CROODY_BROKER_URL",
    ),
    "remedy.nowhere": ("ninguna parte", "nowhere"),
    "remedy.another": ("otra dirección", "another address"),
    "remedy.proxy": (
        "{said}: alguien en el camino solo deja pasar a algunos, quizá un proxy: pide que deje pasar {host}",
        "{said}: somebody on the way lets only some through, a proxy perhaps: have {host} let through",
    ),
    "remedy.no_mqtt": ("{said}: en esta dirección no hay MQTT: {path}", "{said}: this address has no MQTT: {path}"),
    "remedy.no_mqtt_or_proxy": (
        "{said}: en esta dirección no hay MQTT, o un proxy en el camino no deja pasar WebSocket: {path}",
        "{said}: this address has no MQTT, or a proxy on the way passes no WebSocket on: {path}",
    ),
    "remedy.port": ("{said}: {port}", "{said}: {port}"),
    "remedy.crowded": (
        "{said}: el gateway no acepta más conexiones desde aquí: se intenta de nuevo, o hay que subir su límite",
        "{said}: the gateway takes no more connections from here: it is tried again, or its limit has to be raised",
    ),
    "remedy.broker_away": (
        "{said}: el broker detrás del gateway no está: ¿está en marcha?",
        "{said}: the broker behind the gateway is away: is it up?",
    ),
    "remedy.which_path": ("mira en qué ruta lo tiene {host}", "look which path of {host} has it"),
    "remedy.usual_path": ("la ruta es {path} por regla", "the path is {path} as a rule"),
    "remedy.port_with_tls": (
        "wss:// va al puerto del gateway, 443 por regla; al del propio broker, 8883 por regla, se va con mqtts://",
        "wss:// takes the gateway's port, 443 as a rule; the broker's own, 8883 as a rule, takes mqtts://",
    ),
    "remedy.port_without_tls": (
        "a un puerto con TLS se va con wss:// en CROODY_BROKER_URL, y al del propio broker con mqtt://",
        "a port with TLS takes wss:// in CROODY_BROKER_URL, and the broker's own takes mqtt://",
    ),
    # A proxy on the way out.
    "proxy.login": (
        "el proxy {proxy} pide usuario y clave para {host}:{port}: ponlos en HTTPS_PROXY, http://USUARIO:CLAVE@PROXY:PUERTO",
        "the proxy {proxy} asks for a name and password for {host}:{port}: give them in HTTPS_PROXY, http://NAME:PASSWORD@PROXY:PORT",
    ),
    "proxy.refused": (
        "el proxy {proxy} no deja pasar a {host}:{port} ({said}): pide que deje pasar, o ponlo en NO_PROXY",
        "the proxy {proxy} does not let {host}:{port} through ({said}): have it let through, or name it in NO_PROXY",
    ),
    "proxy.away": (
        "no se llega al proxy {proxy} ({said}): corrige HTTPS_PROXY, o pon {host} en NO_PROXY",
        "the proxy {proxy} cannot be reached ({said}): mend HTTPS_PROXY, or name {host} in NO_PROXY",
    ),
    # Over HTTP.
    "http.back": ("ingesta {host}: de nuevo", "ingest {host}: back"),
    "http.lost": ("ingesta {host}: {why}; se intenta de nuevo", "ingest {host}: {why}; trying again"),
    "http.refused": (
        "rechazada para siempre, apartada: {answer}: {body}",
        "refused for good, set apart: {answer}: {body}",
    ),
    "http.said": ("el servidor responde {status}: {said}", "the server answers {status}: {said}"),
    "http.key": (
        "el servidor responde {status}: {said}: pon en ROBOT_SECRET el secreto que muestra `croody robot rotate {robot_id}` en el servidor",
        "the server answers {status}: {said}: take the secret that `croody robot rotate {robot_id}` prints on the server into ROBOT_SECRET",
    ),
    "http.not_ours": (
        "quien responde {status} no es Croody ({said}); nada se borra. Quizá la red pide iniciar sesión o hay un proxy en el camino:"
        " inicia sesión en la red, pide que deje pasar esta dirección, o corrige TELEMETRY_INGEST_URL",
        "what answers {status} is not Croody ({said}); nothing is deleted. Perhaps the network asks for a login, or a proxy is on the way:"
        " log in to the network, have this address let through, or mend TELEMETRY_INGEST_URL",
    ),
    "http.redirect": (
        "la respuesta es {status} y envía a {location}: si es tu servidor, pon esa dirección en TELEMETRY_INGEST_URL; si no, la red pide"
        " iniciar sesión. Nada se borra",
        "the answer is {status} and sends to {location}: if that is your server, give that address in TELEMETRY_INGEST_URL; if not, the"
        " network asks for a login. Nothing is deleted",
    ),
    "http.proxy_login": (
        "el proxy pide usuario y clave (407): ponlos en HTTPS_PROXY o HTTP_PROXY, http://USUARIO:CLAVE@PROXY:PUERTO",
        "the proxy asks for a name and password (407): give them in HTTPS_PROXY or HTTP_PROXY, http://NAME:PASSWORD@PROXY:PORT",
    ),
    "http.nothing": ("sin contenido", "no content"),
    # The source `replay`.
    "replay.unreadable": (
        "grabación {path}: {error}: da la ruta de un archivo CSV",
        "recording {path}: {error}: give the path of a CSV file",
    ),
    "replay.empty": (
        "grabación {path}: no tiene filas: da un CSV con cabecera y filas",
        "recording {path}: has no rows: give a CSV with a head and rows",
    ),
    "replay.no_time": (
        "grabación {path}, línea {line}: sin hora en su primera columna ({error}): ts es ISO 8601 con su diferencia horaria,"
        " 2026-11-24T10:00:00Z; los segundos en número van en una columna t_s",
        "recording {path}, line {line}: no time in its first column ({error}): ts is ISO 8601 with its offset,"
        " 2026-11-24T10:00:00Z; seconds as a number go into a column t_s",
    ),
    "replay.left_out": (
        "grabación {path}: de la columna {column} se dejan fuera celdas como {cell}: {why}; las otras de su fila llegan",
        "recording {path}: of the column {column}, cells such as {cell} are left out: {why}; the others of their row arrive",
    ),
    "cell.no_number": ("no es un número finito", "no finite number"),
    "cell.too_large": ("el número no cabe en 64 bits", "the number does not fit in 64 bits"),
    "cell.bad_text": ("el texto es demasiado largo o lleva U+0000", "the text is too long, or holds U+0000"),
    "cell.bad_name": (
        "una lectura lleva hasta 256 métricas, con nombres de 1 a 64 caracteres",
        "a reading carries up to 256 metrics, with names of 1 to 64 characters",
    ),
    "replay.first_column": (
        "la primera columna es {name}, y tiene que ser ts o t_s",
        "the first column is {name}, it must be ts or t_s",
    ),
    "replay.twice": (
        "dos columnas se llaman {name}: da a cada una un nombre",
        "two columns are called {name}: give each its own name",
    ),
    "replay.more_cells": (
        "grabación {path}, línea {line}: tiene más celdas que la cabecera, {cells} se dejan fuera (¿una coma decimal sin comillas?);"
        " las otras de su fila llegan",
        "recording {path}, line {line}: has more cells than its head, {cells} are left out (a decimal comma without quotes?);"
        " the others of their row arrive",
    ),
    # Kinds of sources.
    "modbus.host_or_device": (
        "da host (TCP) o device (línea serie), uno de los dos",
        "give host (TCP) or device (a serial line), one of them",
    ),
    "modbus.twice": ("dos registros se llaman {name}: da a cada uno un nombre", "two registers are called {name}: give each its own name"),
    "modbus.unreachable": ("no se llega a {where}", "{where} cannot be reached"),
    "modbus.silent": ("{where} no responde: {error}", "{where} does not answer: {error}"),
    "modbus.refused": (
        "{where} no da lo que hay en {address} (código {code})",
        "{where} does not give what is at {address} (code {code})",
    ),
    "serial.no_port": ("no hay ningún puerto {pattern}", "there is no port {pattern}"),
    "serial.no_columns": ("format = columns pide columns, los nombres en orden", "format = columns wants columns, the names in order"),
    "serial.bad_pattern": ("pattern no es una expresión regular: {error}", "pattern is no regular expression: {error}"),
    "serial.no_groups": (
        "pattern no tiene grupos con nombre: (?P<temp_c>[0-9.]+)",
        "pattern has no named groups: (?P<temp_c>[0-9.]+)",
    ),
    "mqtt.bad_topic": (
        "topic es {topic}: un nivel es texto, +, {{nombre}}, o # al final",
        "topic is {topic}: a level is text, +, {{name}}, or # at the end",
    ),
    "mqtt.bad_metric": (
        "metric es {metric}, y su topic solo nombra: {names}",
        "metric is {metric}, and its topic names only: {names}",
    ),
    "mqtt.one_broker": ("broker es uno solo", "broker is one only"),
    "network.permission": (
        "{interface}: este programa no puede mirar la red: dale CAP_NET_RAW (cap_add en Docker, AmbientCapabilities en systemd)",
        "{interface}: this program may not watch the network: give it CAP_NET_RAW (cap_add in Docker, AmbientCapabilities in systemd)",
    ),
    "network.interface": (
        "{interface}: no se puede mirar ({why}): las interfaces que hay las dice ip link",
        "{interface}: cannot be watched ({why}): ip link says which interfaces there are",
    ),
    "network.calibration": ("calibration: {why}", "calibration: {why}"),
    "robot_tcp.silent": ("{where} no dice nada", "{where} says nothing"),
    "robot_tcp.ended": ("{where} cerró la conexión", "{where} closed the connection"),
    # Virtual robots.
    "sim.about": (
        "Robots virtuales en un solo proceso, cada uno con el mismo agente que un robot real.",
        "Virtual robots in one process, each through the same agent as a real robot.",
    ),
    "sim.broker": (
        "dirección del broker MQTT: mqtt://, mqtts://, ws:// o wss://; por defecto $CROODY_BROKER_URL",
        "address of the MQTT broker: mqtt://, mqtts://, ws:// or wss://; default $CROODY_BROKER_URL",
    ),
    "sim.robots": (
        "cuántos robots; por defecto todos los de --credentials, o 3",
        "how many robots; default all of --credentials, or 3",
    ),
    "sim.rate": ("lecturas por segundo de cada robot", "readings a second of each robot"),
    "sim.duration": (
        "termina tras tantos segundos, con 0 solo si todo quedó confirmado; sin ella sigue hasta SIGTERM",
        "end after so many seconds, with 0 only when all is acknowledged; without it go on until SIGTERM",
    ),
    "sim.settle": ("cuánto espera las confirmaciones al final, en segundos", "how long to wait for acknowledgements at the end, seconds"),
    "sim.seed": ("semilla: la misma da la misma vida a los robots", "seed: the same one gives the robots the same life"),
    "sim.witness": (
        "agrega a este archivo 'robot_id stream seq' por cada registro cuya publicación volvió",
        "append 'robot_id stream seq' to this file for every record whose publish returned",
    ),
    "sim.witness_hashes": ("agrega además el hash de cada registro", "append the hash of every record too"),
    "sim.credentials": (
        "archivo con líneas 'ID SECRETO'; sin él los pide a la API de la demostración",
        "file of 'ID SECRET' lines; without it they are asked of the demo's API",
    ),
    "sim.api": ("dirección de la API de telemetría", "address of the telemetry API"),
    "sim.state": ("carpeta de las colas de salida; por defecto una temporal", "folder of the outboxes; default a temporary one"),
    "sim.scenario": ("qué se avería: {names}", "what breaks: {names}"),
    "sim.no_tcp": ("sin el protocolo TCP del primer robot", "without the first robot's TCP protocol"),
    "sim.tcp_port": ("puerto del protocolo TCP; por defecto $ROBOT_PORT o 9090", "port of the TCP protocol; default $ROBOT_PORT or 9090"),
    "sim.tcp_bind": (
        "dirección en la que escucha; por defecto $ROBOT_BIND o 127.0.0.1",
        "address it listens on; default $ROBOT_BIND or 127.0.0.1",
    ),
    "sim.prefix": ("comienzo de los nombres de los robots que se piden", "beginning of the names of robots that are asked for"),
    "sim.started": ("{count} robots hacia {target}, colas en {state}", "{count} robots to {target}, outboxes in {state}"),
    "sim.tcp_on": ("{robot} responde por TCP en {host}:{port}", "{robot} answers by TCP on {host}:{port}"),
    "sim.tcp_taken": (
        "no se puede escuchar en {host}:{port} ({reason}): sigo sin el protocolo TCP; otro puerto con --tcp-port",
        "cannot listen on {host}:{port} ({reason}): going on without the TCP protocol; another port with --tcp-port",
    ),
    "lab.about": (
        "Ataca tu propio sistema en esta máquina, o hace capturas etiquetadas de un sitio de laboratorio.",
        "Attacks your own system on this machine, or makes labelled captures of a site in the laboratory.",
    ),
    "lab.kind": ("qué ataque contra tu propio sistema", "which attack on your own system"),
    "lab.what": ("falta el ataque: {kinds}, o --scenario", "the attack is missing: {kinds}, or --scenario"),
    "lab.target": ("dirección de tu sistema: solo la de esta misma máquina", "address of your system: only that of this very machine"),
    "lab.loopback": (
        "--target {address}: solo se ataca a esta misma máquina (127.0.0.1, ::1)",
        "--target {address}: only this very machine is attacked (127.0.0.1, ::1)",
    ),
    "lab.credentials": (
        "archivo con líneas 'ID SECRETO' para spoof; sin él los pide a la API de la demostración",
        "file of 'ID SECRET' lines for spoof; without it they are asked of the demo's API",
    ),
    "lab.scenario": (
        "hace una captura de este escenario: {names}, o un archivo TOML",
        "make a capture of this scenario: {names}, or a TOML file",
    ),
    "lab.seed": ("otra semilla: otro sitio", "another seed: another site"),
    "lab.take": ("otra toma del mismo sitio", "another take of the same site"),
    "lab.seconds": ("cuánto dura a lo sumo", "how long it lasts at most"),
    "lab.out": ("carpeta de la captura y sus etiquetas; por defecto captures", "folder of the capture and its labels; default captures"),
    "lab.live": (
        "con programas reales en espacios de red propios, en tiempo real: necesita root",
        "with real programs in network namespaces of its own, in real time: needs root",
    ),
    "lab.list": ("muestra todos los ataques y todo lo cotidiano", "show all attacks and all that is ordinary"),
    "lab.made": (
        "{path}: {attacks} ataques en {seconds:.0f} s; sus etiquetas al lado, en .json",
        "{path}: {attacks} attacks in {seconds:.0f} s; their labels beside it, in .json",
    ),
    "lab.full": (
        "la captura llegó a {most} paquetes y termina ahí: sube most_packets en el escenario",
        "the capture reached {most} packets and ends there: raise most_packets in the scenario",
    ),
    "lab.no_namespaces": (
        "no se pueden hacer espacios de red ({why}): usa root (CAP_NET_ADMIN y CAP_SYS_ADMIN), o quita --live",
        "network namespaces cannot be made ({why}): use root (CAP_NET_ADMIN and CAP_SYS_ADMIN), or leave --live out",
    ),
    "lab.done": ("{what} contra {target}: {seconds:.1f} s; mira la consola", "{what} on {target}: {seconds:.1f} s; look at the console"),
    "sim.all_acknowledged": ("todo confirmado: {count} registros", "all acknowledged: {count} records"),
    "sim.left": (
        "{left} registros de {robots} robots sin confirmar tras {settle:g} s; siguen en {state}: repite con --state {state}",
        "{left} records of {robots} robots not acknowledged after {settle:g} s; they stay in {state}: run again with --state {state}",
    ),
    "sim.stopped": ("detenido; {left} registros quedan en {state}", "stopped; {left} records stay in {state}"),
    "sim.stopped_clean": ("detenido; todo confirmado", "stopped; all acknowledged"),
    "sim.bad_line": (
        "{file}, línea {number}: se espera 'ID SECRETO', separados por un espacio",
        "{file}, line {number}: 'ID SECRET' is expected, with a space between",
    ),
    "sim.too_few": (
        "{file} tiene {have} robots y se piden {want}: baja --robots o agrega líneas con `croody robot add ID`",
        "{file} has {have} robots and {want} are asked for: lower --robots, or add lines with `croody robot add ID`",
    ),
    "sim.no_enrolment": (
        "no se pudieron pedir {count} robots a {url} ({reason}): ¿está en marcha `make up`? Si no, da --credentials o --api",
        "could not ask {url} for {count} robots ({reason}): is `make up` running? If not, give --credentials or --api",
    ),
    "sim.too_few_files": (
        "{robots} robots necesitan {need} archivos abiertos y aquí se permiten {hard}: como mucho {most} robots, o sube el límite"
        " (`ulimit -Hn` como root, LimitNOFILE en systemd, `--ulimit nofile=` en docker)",
        "{robots} robots need {need} open files, and {hard} are allowed here: run at most {most} robots, or raise the limit"
        " (`ulimit -Hn` as root, LimitNOFILE in systemd, `--ulimit nofile=` in docker)",
    ),
    "sim.positive": ("{name} es {value}: tiene que ser mayor que 0", "{name} is {value}: it must be above 0"),
    "sim.witness_failed": (
        "el testigo {file} no se pudo escribir: {reason}",
        "the witness {file} could not be written: {reason}",
    ),
    "sim.witness_in_part": ("una línea quedó a medias: libera espacio", "a line was written in part: free some space"),
    # ROS 2.
    "ros.no_topics": (
        "no nombra ningún topic: hace falta al menos un [[source.NOMBRE.topics]] con `name`",
        "names no topic: at least one [[source.NAME.topics]] with a `name` is needed",
    ),
    "ros.twice": ("{name} está dos veces: junta sus `fields`", "{name} is there twice: put its `fields` together"),
    "ros.path": (
        "{topic}: {path} no es un lugar de un mensaje: como twist.linear.x o ranges[0]",
        "{topic}: {path} is no place in a message: like twist.linear.x or ranges[0]",
    ),
    "ros.unknown_type": (
        "{topic}: de los mensajes {kind} no se sabe qué leer: nómbralo en `fields`",
        "{topic}: nobody knows what to read of messages {kind}: name it in `fields`",
    ),
    "ros.picture": (
        "{topic}: las imágenes no se pueden guardar ({why}): hace falta JPEG, 44 KiB y 4096 puntos como mucho; publícalas más pequeñas",
        "{topic}: its pictures cannot be kept ({why}): they have to be JPEG, 44 KiB and 4,096 points at most; publish smaller ones",
    ),
    "ros.distro": ("distro {distro} no se conoce: hay {names}", "distro {distro} is not known: there are {names}"),
    "ros.definition": (
        "definitions {path}: no se puede leer ({error}); tiene que ser PAQUETE/msg/NOMBRE.msg, y los tipos que usa delante de él",
        "definitions {path}: cannot be read ({error}); it has to be PACKAGE/msg/NAME.msg, with the types it uses before it",
    ),
    "ros.no_such_type": ("el tipo {kind} no se conoce", "the type {kind} is not known"),
    "ros.type_not_on_dds": ("{kind} tiene {what}, que aquí no se puede leer", "{kind} has {what}, which cannot be read here"),
    "ros.other_type": (
        "{topic} lleva {found} y no {kind}: corrige `type`, o quítalo",
        "{topic} carries {found} and not {kind}: correct `type`, or leave it out",
    ),
    "ros.no_definition": (
        "{topic} lleva {kind}, que ROS 2 no trae: nombra su archivo .msg en `definitions`",
        "{topic} carries {kind}, which ROS 2 does not ship: name its .msg file in `definitions`",
    ),
    "ros.bad_message": (
        "{topic}: lo que llega no es un {kind} ({error}): se pasa por alto",
        "{topic}: what comes is no {kind} ({error}): it is passed over",
    ),
    "ros.absent": (
        "nadie publica {topic} en el dominio {domain}; hay: {there}",
        "nobody publishes {topic} on domain {domain}; there are: {there}",
    ),
    "ros.no_library": (
        "rmw {rmw} necesita {library}, que no está aquí: pip install 'croody-edge[ros2]'; en placas ARM usa rmw = \"zenoh\" o rosbridge",
        "rmw {rmw} needs {library}, which is not here: pip install 'croody-edge[ros2]'; on ARM boards use rmw = \"zenoh\" or rosbridge",
    ),
    "ros.nothing": ("nada: revisa ROS_DOMAIN_ID, la red y `peers`", "nothing: check ROS_DOMAIN_ID, the network and `peers`"),
    # rosbridge.
    "rosbridge.url": ("url {url}: tiene que empezar por ws:// o wss://", "url {url}: has to begin with ws:// or wss://"),
    "rosbridge.nonsense": (
        "{url} envía algo que no es del protocolo de rosbridge ({error}): se pasa por alto",
        "{url} sends what is not rosbridge's protocol ({error}): it is passed over",
    ),
    "rosbridge.absent": (
        "{url}: nadie publica {topic}, o no está rosapi; con `type` no hace falta preguntarlo",
        "{url}: nobody publishes {topic}, or rosapi is not there; with `type` it need not be asked",
    ),
    "rosbridge.complaint": ("{url} dice: {said}", "{url} says: {said}"),
    # Recordings.
    "recording.unreadable": (
        "file {path}: no se puede leer ({error}); tiene que ser un archivo .mcap, una carpeta de rosbag2 o un .bag",
        "file {path}: cannot be read ({error}); it has to be a .mcap file, a rosbag2 folder or a .bag",
    ),
    "recording.torn": (
        "{path} está rota después de {count} mensajes ({error}): se reproduce hasta ahí",
        "{path} is torn after {count} messages ({error}): it is played up to there",
    ),
    "recording.encoding": (
        "{topic}: los mensajes {kind} en {encoding} no se saben leer: se pasan por alto",
        "{topic}: messages {kind} in {encoding} cannot be read: they are passed over",
    ),
    "recording.topic": ("{path}: {error}", "{path}: {error}"),
    # VDA 5050.
    "vda5050.vehicle": (
        "manufacturer {manufacturer} y serial {serial}: tienen que ser como en los topics del vehículo, sin / + ni #; el número de serie"
        " solo con A-Z a-z 0-9 _ . : -",
        "manufacturer {manufacturer} and serial {serial}: have to be as in the vehicle's topics, without / + and #; the serial number of"
        " A-Z a-z 0-9 _ . : - alone",
    ),
    "vda5050.interface": ("interface {interface}: un nivel de un topic, o +", "interface {interface}: one level of a topic, or +"),
    "vda5050.bad_message": (
        "{topic}: no es un mensaje de este vehículo ({error}): se pasa por alto",
        "{topic}: no message of this vehicle ({error}): it is passed over",
    ),
    # Home Assistant.
    "home.there": ("Home Assistant: el robot se anuncia en {broker}", "Home Assistant: the robot announces itself at {broker}"),
    "home.away": (
        "Home Assistant: no se llega a {broker} ({why}); se intenta de nuevo, y las lecturas no esperan",
        "Home Assistant: {broker} cannot be reached ({why}); it is tried again, and readings do not wait",
    ),
    "home.one_broker": (
        "tiene que ser un solo broker, como mqtt://192.168.1.5:1883",
        "must be one broker, such as mqtt://192.168.1.5:1883",
    ),
    "home.prefix": (
        "tiene que ser un topic de letras, cifras, _ y -, como homeassistant",
        "must be a topic of letters, digits, _ and -, such as homeassistant",
    ),
    # The status page.
    "page.connected": ("{robot} está conectado", "{robot} is connected"),
    "page.away": ("{robot} no llega a la nube desde hace {since}", "{robot} has not reached the cloud for {since}"),
    "page.proven": ("La nube confirmó lecturas suyas hace {age}.", "The cloud confirmed readings of it {age} ago."),
    "page.not_proven": ("La nube aún no ha confirmado ninguna lectura.", "The cloud has not confirmed any reading yet."),
    "page.keep_still": ("No refrescar", "Keep still"),
    "page.go_on": ("Refrescar sola", "Renew by itself"),
    "page.other_language": ("English", "Español"),
    "page.up": ("{agent}, en marcha desde hace {age}", "{agent}, running for {age}"),
    "page.waiting": ("Cola de salida", "Outbox"),
    "page.records": ("Registros que esperan", "Records that wait"),
    "page.oldest": ("El más viejo", "The oldest"),
    "page.new": ("Entran", "Coming in"),
    "page.sent": ("Salen", "Going out"),
    "page.there": ("Estará en la nube", "In the cloud"),
    "page.there_in": ("en {time}", "in {time}"),
    "page.there_unknown": ("aún no se sabe", "not known yet"),
    "page.there_when_back": ("{time} después de que vuelva la conexión", "{time} after the connection is back"),
    "page.events": ("Eventos del último día", "Events of the last day"),
    "page.no_events": ("Ninguno desde que arrancó el agente.", "None since the agent started."),
    "page.over": ("terminó", "over"),
    "page.low": ("Baja", "Low"),
    "page.medium": ("Media", "Medium"),
    "page.high": ("Alta", "High"),
    "page.critical": ("Crítica", "Critical"),
    "page.sources": ("Fuentes", "Sources"),
    "page.no_sources": ("Ninguna.", "None."),
    "page.the_source": ("la fuente", "the source"),
    "page.source_reads": ("lee", "reads"),
    "page.source_away": ("no responde", "does not answer"),
    "page.never": ("nunca", "never"),
    "page.rules": ("Reglas en la placa", "Rules on the board"),
    "page.no_rules": ("No hay ninguna: se escriben en rules.toml.", "There are none: they are written in rules.toml."),
    "page.rule_above": ("{metric} por encima de {limit}", "{metric} above {limit}"),
    "page.rule_below": ("{metric} por debajo de {limit}", "{metric} below {limit}"),
    "page.rule_absent": ("sin {metric} durante {limit} s", "no {metric} for {limit} s"),
    "page.rule_holds": ("se cumple", "holds"),
    "page.rule_rests": ("en reposo", "at rest"),
    "page.rule_times": ("comienzos: {times}", "beginnings: {times}"),
    "page.done": ("hecho", "done"),
    "page.values": ("Últimos valores", "Newest values"),
    "page.no_values": ("Todavía ninguno.", "None yet."),
    "page.doctor": ("Revisión de la placa", "What the doctor says"),
    "page.no_doctor": ("No dijo nada.", "It said nothing."),
    "page.doctor_asked": ("Se está mirando: refresca en un rato.", "It is looking: come again in a moment."),
    "page.doctor_age": ("De hace {age}.", "{age} ago."),
    "page.ago": ("hace {age}", "{age} ago"),
    "page.listens": ("página de estado en http://{host}:{port}/", "status page at http://{host}:{port}/"),
    "page.no_port": (
        "la página de estado no puede escuchar en {host}:{port} ({error}): da otro puerto en CROODY_STATUS_PAGE",
        "the status page cannot listen on {host}:{port} ({error}): give another port in CROODY_STATUS_PAGE",
    ),
    "page.open": (
        "la página de estado se ve desde la red ({host}), sin cifrar: su palabra viaja en claro; úsala en una red tuya o por un túnel",
        "the status page can be seen from the network ({host}), not encrypted: its token travels in clear; use it on a network of yours or"
        " through a tunnel",
    ),
    "page.host": (
        "esta página se pide por la dirección de la placa, por localhost o por su nombre",
        "this page is asked for by the board's address, as localhost, or by its name",
    ),
    "page.token": ("hace falta la palabra de CROODY_STATUS_TOKEN", "the token of CROODY_STATUS_TOKEN is needed"),
    "rule.page": (
        "tiene que ser un puerto, como 8089, o dirección y puerto, como 192.168.1.5:8089 o [::1]:8089",
        "must be a port, such as 8089, or an address and a port, such as 192.168.1.5:8089 or [::1]:8089",
    ),
    "rule.page_token": (
        "tiene que tener de 16 a 200 letras, cifras o signos: openssl rand -hex 16 hace uno",
        "must have 16 to 200 letters, digits or signs: openssl rand -hex 16 makes one",
    ),
    "setting.page_open": (
        "CROODY_STATUS_PAGE es {value}: más allá de esta máquina la página necesita CROODY_STATUS_TOKEN (o _FILE); 127.0.0.1 no",
        "CROODY_STATUS_PAGE is {value}: beyond this machine the page needs CROODY_STATUS_TOKEN (or _FILE); 127.0.0.1 does not",
    ),
    # Rules on the board.
    "rules.one_limit": (
        "tiene que decir una de estas y solo una: above, below, absent_s",
        "it must have exactly one of these: above, below, absent_s",
    ),
    "rules.until": (
        "until = {until} queda del mismo lado que el límite: con above va por debajo, con below por encima, con absent_s no se pone",
        "until = {until} is on the same side as the limit: with above it lies below, with below above, and absent_s takes none",
    ),
    "rules.code": (
        "{code} no sirve de palabra para un evento: minúsculas, cifras y _, empieza por una letra, de 2 a 64; da otro nombre o pon code",
        "{code} cannot be the word of an event: lower-case letters, digits and _, a letter first, 2 to 64; rename it or give a code",
    ),
    "rules.agents_own": (
        "{code} es una palabra del propio agente: da otro nombre o pon otro code",
        "{code} is a word of the agent's own: give another name or code",
    ),
    "rules.webhook": (
        "webhook tiene que ser como http://192.168.1.20:8080/aviso o https://..., sin nombre ni contraseña dentro",
        "webhook must be like http://192.168.1.20:8080/alert or https://..., with no name or password in it",
    ),
    "rules.command_path": (
        'command empieza por la ruta entera de un programa, como ["/opt/robot/sirena", "--fuerte"]; {command} no lo es',
        'command begins with the whole path of a program, as ["/opt/robot/siren", "--loud"]; {command} is not one',
    ),
    "rules.unreadable": (
        "las reglas de {file} no se pueden leer ({error}): el agente sigue sin ellas",
        "the rules of {file} cannot be read ({error}): the agent goes on without them",
    ),
    "rules.no_tables": (
        "cada regla es una tabla [rule.NOMBRE]; {name} no lo es",
        "each rule is a table [rule.NAME]; {name} is not",
    ),
    "rules.too_many": (
        "tiene {count} reglas; caben {most}: junta algunas o quítalas",
        "it has {count} rules; {most} fit: join some or take some out",
    ),
    "rules.anyones": (
        "cualquiera puede escribir en {path}: chmod o-w {path}",
        "anybody may write to {path}: chmod o-w {path}",
    ),
    "rules.no_program": (
        "{path} no es un programa que este usuario pueda ejecutar: chmod +x, o da otra ruta",
        "{path} is not a program that this user may run: chmod +x, or give another path",
    ),
    "rules.no_program_error": (
        "{path}: {error}: da la ruta de un programa que exista",
        "{path}: {error}: give the path of a program there is",
    ),
    "rules.hooks_off": (
        "los programas están apagados: CROODY_LOCAL_HOOKS=1 los permite",
        "programs are off: CROODY_LOCAL_HOOKS=1 lets them run",
    ),
    "rules.command_left": (
        "{file} [rule.{name}]: la regla vale, pero su programa no se ejecuta: {why}",
        "{file} [rule.{name}]: the rule counts, but its program is not started: {why}",
    ),
    "check.rules": ("reglas", "rules"),
    "doctor.rules": ("{count} de {file} en uso", "{count} of {file} in use"),
    "rules.left": ("una regla queda fuera: {why}", "a rule is left out: {why}"),
    "rules.began": (
        "regla {name}: empieza, {metric} = {value} (límite {limit})",
        "rule {name}: begins, {metric} = {value} (limit {limit})",
    ),
    "rules.ended": ("regla {name}: termina, {metric} = {value} (límite {limit})", "rule {name}: ends, {metric} = {value} (limit {limit})"),
    "rules.too_many_waiting": (
        "ya esperan {most}: este se deja ir",
        "{most} wait already: this one is let go of",
    ),
    "rules.not_done": ("regla {name}: {what} sin hacer: {why}", "rule {name}: {what} not done: {why}"),
    "rules.status": (
        "{address} respondió {status}: se esperaba 2xx; las redirecciones no se siguen",
        "{address} answered {status}: 2xx was expected; redirects are not followed",
    ),
    "rules.too_often": (
        "se piden programas más de {most} veces por minuto: sube again_s o pon until",
        "programs are asked for more than {most} times a minute: raise again_s or give until",
    ),
    "rules.too_long": (
        "{program} tardó más de {seconds} s y se terminó: sube timeout_s o que acabe antes",
        "{program} took longer than {seconds} s and was ended: raise timeout_s or let it end sooner",
    ),
    "rules.exit": ("{program} terminó con {code}", "{program} ended with status {code}"),
    "rules.recording": (
        "{file} no se puede leer como grabación ({error}): da CSV con ts o t_s, líneas JSON con ts, MCAP o rosbag",
        "{file} cannot be read as a recording ({error}): give CSV with ts or t_s, JSON lines with ts, MCAP or rosbag",
    ),
    "rules.no_rows": ("no tiene ninguna fila", "it has no row"),
    "rules.no_time": (
        "línea {line}: ts tiene que ser una hora ISO 8601 con su desfase",
        "line {line}: ts must be an ISO 8601 time with its offset",
    ),
    "rules.none": (
        "{file}: no hay ninguna regla: mira docs/how-to/local-rules.es.md",
        "{file}: there are no rules: see docs/how-to/local-rules.md",
    ),
    "rules.one_is_right": ("{file}: 1 regla, bien escrita", "{file}: 1 rule, well written"),
    "rules.are_right": ("{file}: {count} reglas, bien escritas", "{file}: {count} rules, well written"),
    "rules.played": (
        "{rows} lecturas, {seconds} s de grabación",
        "{rows} readings, {seconds} s of recording",
    ),
    "rules.times": ("{name}: comienzos: {times}", "{name}: beginnings: {times}"),
    "rules.unseen": (
        "{name}: la grabación no tiene la métrica {metric}: revisa el nombre",
        "{name}: the recording has no metric {metric}: check its name",
    ),
    "edge.check_rules": (
        "lee las reglas de la placa y dice cuál no sirve; con una grabación, cuándo habrían actuado; nada se hace",
        "read the board's rules and say which cannot be used; with a recording, when they would have acted; nothing is done",
    ),
    "edge.rules_file": (
        "las reglas (por defecto: rules.toml de CROODY_EDGE_DIR)",
        "the rules (default: rules.toml in CROODY_EDGE_DIR)",
    ),
    "edge.recording": (
        "grabación: CSV con ts o t_s, líneas JSON con ts, MCAP o rosbag",
        "a recording: CSV with ts or t_s, JSON lines with ts, MCAP or rosbag",
    ),
    # MAVLink.
    "mavlink.url": (
        "tiene que ser como udp://127.0.0.1:14550, udpout://HOST:PUERTO, tcp://HOST:PUERTO o serial:///dev/ttyACM0?baud=57600",
        "has to be like udp://127.0.0.1:14550, udpout://HOST:PORT, tcp://HOST:PORT or serial:///dev/ttyACM0?baud=57600",
    ),
    "mavlink.others": (
        "en este enlace hay otros vehículos ({others}); se lee solo el {mine}: otro se elige con `system`",
        "there are other vehicles on this link ({others}); {mine} alone is read: `system` chooses another",
    ),
    "mavlink.noise": (
        "por {url} llega mucho que no es MAVLink, o va sin la firma pedida: revisa la velocidad (`baud`), el cable y `secret`",
        "much of what comes through {url} is no MAVLink, or is not signed as asked: check the speed (`baud`), the cable and `secret`",
    ),
    "mavlink.bare": (
        "el autopiloto solo envía latidos: con `ask_hz = 2` se le piden sus demás mensajes",
        "the autopilot sends heartbeats alone: `ask_hz = 2` asks it for its other messages",
    ),
}


def text(key: str, **values: object) -> str:
    """A text in the language that is spoken.

    Raises:
        KeyError: no such text, or one of its places has no value.
    """
    return said(TEXTS, key, **values)


def spoken() -> Language:
    """The language of this process."""
    return "es" if speaks_spanish() else "en"


def text_in(language: Language, key: str, **values: object) -> str:
    """A text in this language, for who is not at the terminal.

    Raises:
        KeyError: no such text, or one of its places has no value.
    """
    return TEXTS[key][0 if language == "es" else 1].format(**values)
