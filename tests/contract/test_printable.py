"""What somebody else chose never reaches a terminal as it came: the log of every program of ours."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = (
    "edge_agent/croody_edge/cli.py",
    "edge_agent/croody_edge/sim/cli.py",
    "broker/croody_broker/cli.py",
    "broker/croody_broker/mosquitto_cli.py",
    "cloud/croody/bridge/cli.py",
)


def test_a_message_is_one_line_without_control_characters_and_a_traceback_keeps_its_own() -> None:
    code = (
        "import logging; from croody_contract.printable import log_lines; log_lines('INFO', '%(levelname)s %(message)s')\n"
        "logging.getLogger('croody').warning('robot %s', 'a\\nERROR forged\\x1b[2J')\n"
        "try: 1 / 0\nexcept ZeroDivisionError: logging.getLogger('croody').exception('broke')\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30).stderr.splitlines()
    assert said[0] == "WARNING robot a\\nERROR forged\\x1b[2J"
    assert said[1] == "ERROR broke"
    assert said[2].startswith("Traceback")


def test_every_program_of_ours_logs_like_this() -> None:
    for program in PROGRAMS:
        source = (ROOT / program).read_text(encoding="utf-8")
        assert "log_lines(" in source, program
        assert "basicConfig" not in source, program
