"""Local life: rules on the board, its page, Home Assistant."""

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
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
    "rules.code_twice": (
        "{name}: su palabra {code} es ya la de la regla {other}, y el fin de una cerraría la alarma de la otra: dale otro code",
        "{name}: its word {code} is already that of the rule {other}, and the end of one would end the other's alarm: give it another code",
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
    "rules.left": ("una regla no se puede usar como está escrita: {why}", "a rule cannot be used as it is written: {why}"),
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
}
