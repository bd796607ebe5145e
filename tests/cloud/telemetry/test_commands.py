"""What an operator types."""

import io
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from tests.cloud.telemetry.helpers import NOON, batch, reading, stored


def croody(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_dead_letters_are_listed_shown_and_replayed(fleet: SimpleNamespace):
    from croody.fleet import services as fleet_services
    from croody.telemetry.ingest import services
    from croody.telemetry.models import DeadLetter

    services.ingest_relay(batch("rover-9", "stream-a", 1, [reading(1), reading(2)]), now=NOON)
    number = str(DeadLetter.objects.get().pk)
    line = croody("dead", "list").strip().split("\t")
    assert line[:1] + line[2:6] == [number, "rover-9", "stream-a/1-2", "unknown_robot", "x1"]
    assert croody("dead", "list", "--robot", "rover-1") == ""
    assert '"TEMP":1' in croody("dead", "show", number)
    with pytest.raises(CommandError, match="there is no robot rover-9"):
        croody("dead", "replay", number)
    fleet_services.add_robot("rover-9", organisation=fleet.alices)
    assert croody("dead", "replay", number) == "stored 2, dead 0\n"
    assert stored("rover-9") == [1, 2]
    assert croody("dead", "list").split("\t")[5] == "x1 replayed"
    with pytest.raises(CommandError, match="no dead letter"):
        croody("dead", "show", "999999")
