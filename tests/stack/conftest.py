"""The compose files on a real engine. Collected by `make test-stack` only: it builds images and takes minutes."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.robot import listening
from tests.stack.site import ROBOT, Site
from tests.stack.system import FIGURES, OWN, PART, PRODUCTION, ROBOTS, ROOT, TAG, System, remove_images

#: `make test` runs on machines without an engine.
collect_ignore_glob = [] if os.environ.get("CROODY_STACK_TEST") else ["test_*.py"]
if os.environ.get("CROODY_STACK_TEST"):
    # A run in the background ignores Ctrl-C, and so would every command that it starts; some tests press it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def images() -> Iterator[None]:
    """Every image, built from the sources as they stand, under a tag of this part's own, which goes with it: the next run builds from the
    engine's cache, and a disk does not fill up."""
    builder = System(f"{OWN}-build", ["docker-compose.yml"])
    builder.compose("build", timeout_s=1500)
    System(f"{OWN}-build", ["docker-compose.yml", "docker-compose.mosquitto.yml"]).compose("build", "broker", timeout_s=600)
    yield
    if not os.environ.get("CROODY_STACK_KEEP"):
        remove_images(builder, TAG)


@pytest.fixture(scope="session")
def development(images: None) -> Iterator[System]:
    """`docker compose up -d` at the root, with no .env."""
    with System(f"{OWN}-dev", ["docker-compose.yml"]) as system:
        system.up()
        yield system


@pytest.fixture(scope="session")
def site(development: System) -> Iterator[Site]:
    """The development system with a robot of its own that has sent something; and somebody listens to a virtual one meanwhile."""
    ingest_token, ids_token = development.inside("ids-ml", "sh", "-c", "cd /run/croody/cloud && cat TG_INGEST_TOKEN IDS_API_TOKEN").split()
    password = development.inside("robot-sim", "cat", "/run/croody/robots/ADMIN_PASSWORD").strip()
    development.croody("robot", "add", ROBOT, "--shared")
    with listening(development.robot) as heard:
        site = Site(development, ingest_token, ids_token, password, heard)
        for value in (1.0, 2.0):
            assert site.ingest({"robot_id": ROBOT, "data": {"TEMP": value}}).status == 201
        yield site


@pytest.fixture(scope="module")
def copy(images: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources as they stand, as a clone would have them."""
    folder = tmp_path_factory.mktemp("copy") / "croody"
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Secrets and backups of the production system."""
    return tmp_path_factory.mktemp("production")


@pytest.fixture(scope="session")
def production(images: None, folder: Path) -> Iterator[System]:
    """`./croody secrets init`, `./croody up`, twenty robots made by hand and their simulator beside. Of several modules: it is dear."""
    environ = {"SECRETS_DIR": str(folder / "secrets"), "CROODY_DOMAIN": "localhost", "BACKUP_DIR": str(folder / "backups")}
    with System(f"{OWN}-prod{PART}", PRODUCTION, **environ) as system:
        system.environ["CROODY_PUBLIC_URL"] = f"https://localhost:{system.https}"
        system.croody("secrets", "init")
        system.croody("up", timeout_s=900)
        add = f"for robot in {' '.join(ROBOTS)}; do croody robot add $robot --shared; done"
        added = system.compose("run", "--rm", "--no-deps", "-T", "croody", "sh", "-c", add).splitlines()
        credentials = "".join(f"{line}\n" for line in added if line.startswith("amr-"))
        (folder / "secrets" / "ROBOTS_SIM").write_text(credentials)
        yield system


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures are worth reading also when all is well."""
    for line in FIGURES:
        terminalreporter.write_line(line)
