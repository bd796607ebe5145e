"""Working on the cloud's code: what is changed in the clone is what the containers answer, with nothing built or restarted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.system import OWN, System, eventually

pytestmark = pytest.mark.stack
ASK = """
import http.client
connection = http.client.HTTPConnection("127.0.0.1", {port})
connection.request("GET", "/api/nothing")
print(connection.getresponse().read().decode())
"""


@pytest.fixture(scope="module")
def system(copy: Path) -> Iterator[System]:
    with System(f"{OWN}-reload", ["docker-compose.yml", "docker-compose.dev.yml"], copy) as system:
        system.up("croody", "telemetry-gateway")
        yield system


@pytest.mark.parametrize(("service", "port"), [("croody", 8000), ("telemetry-gateway", 9000)])
def test_a_changed_line_is_taken_up(system: System, copy: Path, service: str, port: int) -> None:
    def answer() -> str:
        return system.inside(service, "python", "-c", ASK.format(port=port), check=False)

    container = system.container(service)
    path = copy / "cloud" / "croody" / "web" / "refusals.py"
    before = path.read_text()
    # Both services have this file: this one, too, may still be taking up what was tried with the other.
    eventually("the words of the file", lambda: "there is nothing at" in answer(), 60)
    path.write_text(before.replace("there is nothing at", "nobody lives at"))
    try:
        eventually("the new words", lambda: "nobody lives at" in answer(), 60)
    finally:
        path.write_text(before)
    assert system.container(service) == container
    eventually("the old words", lambda: "there is nothing at" in answer(), 60)
