"""The link to the cloud: addresses, proxies, MQTT, HTTP, and what to do when it cannot be had."""

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
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
}
