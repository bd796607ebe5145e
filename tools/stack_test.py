"""`make test-stack`: builds the images, runs the compose files on a Docker engine and tries everything from outside.

It stands beside whatever else runs on the machine: project names, ports and image tags of its own. The systems are brought up two at
a time, for most of that is waiting. CROODY_STACK_KEEP=1 leaves them running; with CROODY_STACK_WITHIN_S=N parts that would not end in
so many seconds are left out, and named; with arguments it is one run of pytest with these.
"""

import os
import shutil
import subprocess
import sys
import time

from tools.stack import ROOT, script, source_path
from tools.test import Part, run
from tools.words import Problem, fail, say

#: How many parts run at once: each is some ten containers.
LANES = 2
_OPTIONS = ("--timeout=600", "-m", "stack")


def _part(name: str, *modules: str, needs_s: float = 600) -> Part:
    files = [f"tests/stack/test_{module}.py" for module in modules]
    return Part(name, (*_OPTIONS, *files), {"CROODY_STACK_TEST": "1", "CROODY_STACK_PART": f"-{modules[0]}"}, needs_s=needs_s)


#: In the order in which they begin. Last what keeps two systems under load, which a slow machine has no time for: `CROODY_STACK_WITHIN_S`.
PARTS = (
    _part("earlier commands", "earlier_commands"),
    _part("edge", "edge"),
    _part("balena", "balena"),
    _part("gateway", "gateway", "reload", "roles"),
    _part("mosquitto", "mosquitto"),
    _part("development", "contract_apis", "contract_pages", "contract_robot", "development"),
    _part("acme", "acme"),
    _part("debian", "debian"),
    _part("production", "operations", "production", needs_s=1800),
    _part("replicas", "replicas", needs_s=1500),
)


def main() -> int:
    """Run it; the exit status is 0 when every test passed."""
    try:
        look_for_engine()
    except Problem as problem:
        return fail(problem)
    began = time.monotonic()
    if status := _pytest(*(sys.argv[1:] or ["tests/stack/test_images.py"])):
        return status
    if sys.argv[1:]:
        return 0
    names = ", ".join(part.name for part in PARTS)
    say(f"Pruebas en {len(PARTS)} partes, de dos en dos: {names}", f"Tests in {len(PARTS)} parts, two at a time: {names}")
    within_s = float(os.environ.get("CROODY_STACK_WITHIN_S", "inf"))
    if within_s < min(part.needs_s for part in PARTS):
        say("NO se probó ninguna parte: no queda tiempo", "NOT run, none of the parts: no time is left")
        return 0
    return run(PARTS, began, LANES, began + within_s)


def _pytest(*arguments: str) -> int:
    command = [script("python"), "-m", "pytest", "-q", "--durations=10", *_OPTIONS, *arguments]
    environ = {**os.environ, "PYTHONPATH": source_path(), "CROODY_STACK_TEST": "1"}
    return subprocess.run(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, check=False).returncode


def look_for_engine() -> None:
    """Say in one sentence what is missing.

    Raises:
        Problem: no docker, no compose, or an engine that does not answer.
    """
    if shutil.which("docker") is None:
        raise Problem(
            "make test-stack necesita un motor Docker y aquí no hay ninguno: instala Docker Engine con Compose y repite",
            "make test-stack needs a Docker engine, and there is none here: install Docker Engine with Compose and run it again",
        )
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        raise Problem(
            "make test-stack necesita Docker Compose, versión 2.24.4 o posterior: instala el complemento de Compose y repite",
            "make test-stack needs Docker Compose, version 2.24.4 or later: install the Compose plugin and run it again",
        )
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        raise Problem(
            "El motor Docker no responde: arráncalo (o entra en el grupo docker) y repite make test-stack",
            "The Docker engine does not answer: start it (or join the group docker) and run make test-stack again",
        )


if __name__ == "__main__":
    sys.exit(main())
