"""`croody-edge doctor`: what each check is called, what it says, and what to do."""

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
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
    "check.nothing_yet": (
        "nada todavía en {seconds} s, y no es un fallo: lee lo que deja otro programa; escribe una línea o un archivo mientras se la mira",
        "nothing yet in {seconds} s, which is no fault: it reads what another program leaves; write a line, or a file, while it is watched",
    ),
    "check.all_read": (
        "abierta de nuevo, no hay nada nuevo todavía: escribe líneas mientras se la mira",
        "opened again, there is nothing new yet: write lines while it is watched",
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
    "check.times_past": (
        "una lectura dice {ts}: se guarda con esa hora",
        "a reading says {ts}: it is stored under that time",
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
    "doctor.settings_file": ("robot {robot_id}, las fuentes de {file}", "robot {robot_id}, the sources of {file}"),
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
}
