"""What is pasted into a board's shell so that its agent finds this site. Pure: a robot, an address and whom to trust, to text."""

from shlex import quote
from typing import Final

_HEAD: Final = """\
# {robot_id}: paste this on the board, in a folder that holds docker-compose.edge.yml.
# {robot_id}: pega esto en la placa, en una carpeta que tenga docker-compose.edge.yml.
"""
_LOCAL: Final = """\
# {host} is this machine only: set CROODY_DOMAIN in .env to its name or address, then ./croody up.
# {host} es solo esta máquina: pon su nombre o dirección en CROODY_DOMAIN, en .env, y después ./croody up.
"""
_PROBLEM: Final = """\
# The certificate could not be verified from here / El certificado no se pudo verificar desde aquí: {problem}
"""


def script(robot_id: str, secret: str, url: str, authority: str, problem: str = "") -> str:
    """Shell commands that write the board's `.env`, its secret and the certificate it trusts, and start the agent anew: it reads them once.

    Args:
        robot_id: as `add_robot` took it.
        secret: in plain text.
        url: where robots reach the broker, `mqtts://HOST:PORT`.
        authority: certificate (PEM) that the board has to trust, empty when every machine knows it.
        problem: what is told beside, since these lines would not be enough.
    """
    host = url.partition("://")[2].rpartition(":")[0]
    settings = ["COMPOSE_FILE=docker-compose.edge.yml", f"CROODY_BROKER_URL={url}", f"ROBOT_ID={robot_id}"]
    lines = ["(", "set -eu; umask 022", "mkdir -p secrets/ca; chmod 700 secrets", "[ ! -e .env ] || mv .env .env.before"]
    lines.append(f"echo {quote(secret)} > secrets/ROBOT_SECRET")
    if authority:
        settings.append("CROODY_CA_FILE=/ca/ca.pem")
        lines += ["cat > secrets/ca/ca.pem <<'END'", *authority.strip().splitlines(), "END"]
    lines += ["cat > .env <<'END'", *settings, "END", ")", "docker compose up -d --wait --force-recreate"]
    head = _HEAD.format(robot_id=robot_id)
    if host in {"localhost", "127.0.0.1", "[::1]"}:
        head += _LOCAL.format(host=host)
    if problem:
        head += _PROBLEM.format(problem=problem)
    return head + "\n".join(lines) + "\n"
