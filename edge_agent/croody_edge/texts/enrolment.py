"""Coming in by a claim, and the steps to a broker."""

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
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
}
