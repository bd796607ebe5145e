"""Which libraries go into the Debian package and the folder for boards without a network."""

import os

import pytest

from tools.edge_wheels import extras, for_board, pins
from tools.words import Problem


def test_kinds_of_source_are_named_once_and_others_refused_with_those_that_there_are() -> None:
    assert extras("") == []
    assert extras(" ros2, modbus ros2") == ["ros2", "modbus"]
    assert [pin.name for pin in pins(["ros2"])] == ["edge.txt", "extra-ros2.txt"]
    for name in ("gpio", "stripe"):
        with pytest.raises(Problem, match=rf"'{name}'.*mavlink, modbus, nmea, recording, ros2, serial"):
            extras(name)


def test_a_library_that_one_kind_of_processor_alone_has_is_taken_for_that_board_wherever_it_is_built() -> None:
    line = "cyclonedds==11.0.1 ; platform_machine == 'x86_64' \\\n"
    machine = os.uname().machine
    assert (f"'{machine}'" in for_board(line, "amd64"), f"'{machine}'" in for_board(line, "arm64")) == (True, False)
