"""`make test-stack`: builds the images, runs the compose files on a Docker engine and tries everything from outside.

It stands beside whatever else runs on the machine: project names, ports and image tags of its own. CROODY_STACK_KEEP=1 leaves the
last system running; further arguments go to pytest.
"""

import os
import shutil
import subprocess
import sys
import time

from tools.stack import ROOT, script, source_path
from tools.words import Problem, fail, say


def main() -> int:
    """Run it; the exit status is 0 when every test passed."""
    try:
        look_for_engine()
    except Problem as problem:
        return fail(problem)
    began = time.monotonic()
    command = [script("python"), "-m", "pytest", "-q", "--timeout=600", "--durations=10", "-m", "stack", "tests/stack", *sys.argv[1:]]
    environ = {**os.environ, "PYTHONPATH": source_path(), "CROODY_STACK_TEST": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, check=False)
    say(f"Duración: {time.monotonic() - began:.0f} s", f"Took {time.monotonic() - began:.0f} s")
    return done.returncode


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
            "make test-stack necesita Docker Compose, versión 2.24 o posterior: instala el complemento de Compose y repite",
            "make test-stack needs Docker Compose, version 2.24 or later: install the Compose plugin and run it again",
        )
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        raise Problem(
            "El motor Docker no responde: arráncalo (o entra en el grupo docker) y repite make test-stack",
            "The Docker engine does not answer: start it (or join the group docker) and run make test-stack again",
        )


if __name__ == "__main__":
    sys.exit(main())
