"""`python -m croody.operations.prepare`: what has to be there before the roles start. One process, for a start of Django is dear.

In the demo (`CROODY_DEMO=1`): secrets made on the first start, tables, the demo's site and its robots with their credentials.
In production: its own secrets judged, each fault named; tables. In both: a certificate, and the broker's files.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from croody.env import SECRETS, Role, value_of
from croody.operations import certificate, secrets

#: It needs the secrets that this role needs, and no others: tables, and the broker's files.
ROLE: Role = "worker"
#: Where volumes are mounted.
TLS = Path("/data/tls")
AUTHORITY = Path("/data/authority")
CLOUD_SECRETS = Path("/run/croody/cloud")
ROBOT_SECRETS = Path("/run/croody/robots")
PLAN = Path("/app/plan.json")
SIM_CREDENTIALS = "sim"
DATABASE_REMEDY = "Is it up (./croody status), and is DATABASE_URL its address?"
PASSWORD_REMEDY = (
    "Each start tells the database the password of secrets/POSTGRES_PASSWORD: is it the one in secrets/DATABASE_URL, and did that job end "
    "well (./croody logs roles)?"
)


def main() -> int:
    """Do it; the exit status is 0 when everything is in place, else a sentence says what is in the way."""
    demo = value_of(os.environ, "CROODY_DEMO") == "1"
    try:
        if demo:
            secrets.make(CLOUD_SECRETS, secrets.CLOUD)
            secrets.make(ROBOT_SECRETS, secrets.ROBOTS)
        elif found := secrets.faults(os.environ, SECRETS[ROLE]):
            print(secrets.complaint(found), file=sys.stderr)
            return 1
        if certificate.ensure(TLS, AUTHORITY, hosts()):
            print("croody: made a certificate, signed by an authority of the site's own, for", ", ".join(hosts()))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"croody: {error} {getattr(error, 'stderr', '') or ''}", file=sys.stderr)
        return 1
    if problem := _prepare_database(demo):
        print(f"croody: {problem}", file=sys.stderr)
        return 1
    return 0


def hosts() -> list[str]:
    """The names of this site, for its own certificate.

    Raises:
        ValueError: CROODY_DOMAIN holds several.
    """
    domain = value_of(os.environ, "CROODY_DOMAIN")
    if "," in domain or " " in domain:
        raise ValueError(f"CROODY_DOMAIN={domain}: one name, that of the site; others that are answered go into ALLOWED_HOSTS")
    return [*filter(None, [domain]), "localhost", "127.0.0.1", "::1"]


def _prepare_database(demo: bool) -> str:
    """Tables and what stands in them; a sentence when no database lets us in."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "croody.settings")
    os.environ.setdefault("CROODY_ROLE", ROLE)
    import django

    django.setup()
    from django.db import OperationalError, connections

    from croody.operations import moved, seed

    try:
        for connection in connections.all():
            connection.ensure_connection()
    except OperationalError as error:
        return f"no way into the database: {str(error).strip()}\n{PASSWORD_REMEDY if 'password' in str(error) else DATABASE_REMEDY}"
    if problem := moved.problem():
        return problem
    print(seed.make_tables(), end="")
    if demo:
        names = _demo_robots(os.environ)
        known = seed.make_demo(PLAN, ROBOT_SECRETS / SIM_CREDENTIALS, [f"{name}:rover" for name in names])
        secrets.write_credentials(ROBOT_SECRETS / SIM_CREDENTIALS, {name: known[name] for name in names})
    seed.write_broker_files()
    return ""


def _demo_robots(environ: Mapping[str, str]) -> list[str]:
    """Ids of the virtual robots: the first has a name of its own."""
    count = int(value_of(environ, "ROBOTS", "3"))
    return [value_of(environ, "ROBOT_ID", "robot-clases"), *(f"amr-{number:02d}" for number in range(2, count + 1))][:count]


if __name__ == "__main__":
    sys.exit(main())
