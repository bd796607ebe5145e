"""The shell lines that enrol a board: pasted there, its agent finds this site. Pure: a robot, an address and whom to trust, to text.

What they say is in the active language, that of the terminal they are printed on.
"""

from collections.abc import Iterable
from shlex import quote
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from croody_contract.claims import SERIAL, SERIAL_FILES


def script(robot_id: str, secret: str, url: str, authority: str, problem: str = "") -> str:
    """Shell commands that write the robot's lines in the board's `.env`, its secret and the certificate it trusts, and start the agent
    again, because it reads them once. The other lines of `.env` are the board's own and stay.

    Args:
        robot_id: as `add_robot` took it.
        secret: in plain text.
        url: where robots reach the broker, such as `mqtts://HOST:PORT`.
        authority: certificate (PEM) that the board has to trust, empty when every machine knows it.
        problem: told beside: with it, these lines are not enough.
    """
    # All in one subshell: it may end with an error and the shell that was pasted into goes on. To the left of `&&` there is no `set -e`.
    lines = ["(", "set -eu; umask 022", *_refusals(), "mkdir -p secrets/ca; chmod 700 secrets"]
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
    return "\n".join([*(f"# {line}" for line in _comments(robot_id, urlsplit(url).hostname or "", problem)), *lines, ""])


def claim_script(robot_id: str, claim: str, serial_files: Iterable[str] = SERIAL_FILES) -> str:
    """Shell commands with which the board enrols by this claim and starts: nothing secret is written but by the agent itself.

    Args:
        robot_id: whose the claim is, or `@GROUP`.
        claim: its line.
        serial_files: where a board of the group says its serial.
    """
    replaced = "COMPOSE_FILE|CROODY_BROKER_URL|ROBOT_ID|CROODY_CA_FILE|CROODY_CLAIM|ROBOT_SECRET_PATH"
    lines = ["(", "set -eu; umask 022", *_refusals(), "mkdir -p secrets/ca; chmod 700 secrets"]
    lines += [
        "{ grep -s '^COMPOSE_FILE=' .env || echo COMPOSE_FILE=docker-compose.edge.yml",
        "echo ROBOT_SECRET_PATH=/dev/null",
        f"grep -svE '^({replaced})=' .env || true; }} > .env.new",
        "mv .env.new .env",
        *(_serial(serial_files) if robot_id.startswith("@") else ()),
        f"docker compose run --rm -T agent croody-edge enrol --only {quote(claim)} < /dev/null",
        "docker compose up -d --wait --force-recreate",
        ")",
    ]
    return "\n".join([*(f"# {line}" for line in _comments(robot_id, "", "")), *lines, ""])


def _serial(files: Iterable[str]) -> list[str]:
    """A container sees nothing of what the maker wrote on the board; what `.env` says already stays."""
    return [
        f"serial=$(cat {' '.join(files)} 2> /dev/null | tr '\\000' '\\n' | grep -xE '{SERIAL.pattern}' | head -n 1) || true",
        '[ -z "$serial" ] || grep -sq "^CROODY_SERIAL=" .env || echo "CROODY_SERIAL=$serial" >> .env',
    ]


def _comments(robot_id: str, host: str, problem: str) -> list[str]:
    said = [_("%(robot)s: pega esto en la placa, en una carpeta que tenga docker-compose.edge.yml.") % {"robot": robot_id}]
    if host in {"localhost", "127.0.0.1", "::1"}:
        local = _("%(host)s es solo esta máquina: pon su nombre o dirección en CROODY_DOMAIN, en .env, y después ./croody up.")
        said.append(local % {"host": host})
    if problem:
        said.append(_("El certificado no se pudo verificar desde aquí: %(problem)s") % {"problem": problem})
    return said


def _refusals() -> list[str]:
    """A server's settings and secrets have the same names, and would be mixed with a robot's."""
    server, closed = quote(_("aquí hay un servidor, usa otra carpeta")), quote(_(".env no se puede leer"))
    compose = "grep -s '^COMPOSE_FILE=' .env | grep -qv docker-compose.edge.yml"
    return [
        f"if [ -e secrets/SECRET_KEY ] || grep -sq '^CROODY_DOMAIN=' .env || {compose}",
        f"then echo {server} >&2; exit 1; fi",
        f"[ ! -e .env ] || [ -r .env ] || {{ echo {closed} >&2; exit 1; }}",
    ]
