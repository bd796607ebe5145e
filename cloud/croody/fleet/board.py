"""What is pasted into a board's shell so that its agent finds this site. Pure: a robot, an address and whom to trust, to text."""

from shlex import quote
from typing import Final
from urllib.parse import urlsplit

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
#: A server's settings and secrets have the same names, and would be mixed with a robot's.
_NOT_HERE: Final = """\
if [ -e secrets/SECRET_KEY ] || grep -sq '^CROODY_DOMAIN=' .env || grep -s '^COMPOSE_FILE=' .env | grep -qv docker-compose.edge.yml
then echo 'here is a server, use another folder / aquí hay un servidor, usa otra carpeta' >&2; exit 1; fi
[ ! -e .env ] || [ -r .env ] || { echo '.env cannot be read / .env no se puede leer' >&2; exit 1; }
"""


def script(robot_id: str, secret: str, url: str, authority: str, problem: str = "") -> str:
    """Shell commands that write the robot's lines in the board's `.env`, its secret and the certificate it trusts, and start the agent
    anew: it reads them once. The other lines of `.env` are the board's own and stay.

    Args:
        robot_id: as `add_robot` took it.
        secret: in plain text.
        url: where robots reach the broker, such as `mqtts://HOST:PORT`.
        authority: certificate (PEM) that the board has to trust, empty when every machine knows it.
        problem: what is told beside, since these lines would not be enough.
    """
    # All in one subshell: it may end with an error and the shell that was pasted into goes on. To the left of `&&` there is no `set -e`.
    lines = ["(", "set -eu; umask 022", *_NOT_HERE.splitlines(), "mkdir -p secrets/ca; chmod 700 secrets"]
    lines.append(f"echo {quote(secret)} > secrets/ROBOT_SECRET")
    settings = [f"CROODY_BROKER_URL={url}", f"ROBOT_ID={robot_id}"]
    replaced = "COMPOSE_FILE|CROODY_BROKER_URL|ROBOT_ID"
    if authority or not problem:
        # Otherwise a root that somebody put there by hand is all there is.
        replaced += "|CROODY_CA_FILE"
    if authority:
        settings.append("CROODY_CA_FILE=/ca/ca.pem")
        lines += ["cat > secrets/ca/ca.pem <<'END'", *authority.strip().splitlines(), "END"]
    lines += [
        "{ grep -s '^COMPOSE_FILE=' .env || echo COMPOSE_FILE=docker-compose.edge.yml",
        "cat <<'END'",
        *settings,
        "END",
        f"grep -svE '^({replaced})=' .env || true; }} > .env.new",
        "mv .env.new .env",
        "docker compose up -d --wait --force-recreate",
        ")",
    ]
    head = _HEAD.format(robot_id=robot_id)
    host = urlsplit(url).hostname or ""
    if host in {"localhost", "127.0.0.1", "::1"}:
        head += _LOCAL.format(host=host)
    if problem:
        head += _PROBLEM.format(problem=problem)
    return head + "\n".join(lines) + "\n"
