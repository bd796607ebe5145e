"""The job before all others, as a process of its own."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from croody.operations import prepare


def test_a_database_that_does_not_answer_is_one_sentence_with_a_remedy(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        url = f"postgres://croody:{'x' * 24}@127.0.0.1:{taken.getsockname()[1]}/croody"
        done = run_prepare(tmp_path, DATABASE_URL=url)

    assert done.returncode == 1
    assert "no way into the database" in done.stderr
    assert "DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def run_prepare(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The job, with files of this folder."""
    code = (
        "import sys; from pathlib import Path; from croody.operations import prepare; here = Path(sys.argv[1]); "
        "prepare.TLS = here / 'tls'; prepare.AUTHORITY = here / 'authority'; "
        "[path.mkdir(exist_ok=True) for path in (prepare.TLS, prepare.AUTHORITY)]; sys.exit(prepare.main())"
    )
    long = "0123456789abcdefghijklmnopqrstuvwxyz-" * 2
    here = {
        "SECRET_KEY": long,
        "BRIDGE_MQTT_PASSWORD": long,
        "DATABASE_URL": f"sqlite:///{folder}/croody.db",
        "CROODY_STATE_DIR": str(folder),
    }
    command = [sys.executable, "-c", code, str(folder)]
    return subprocess.run(
        command, env={**os.environ, **here, "CROODY_DEMO": "0", "CROODY_ROLE": "worker", "TG_DB_URL": "", "TG_DB_PATH": "", **environ},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_second_database_is_not_switched_on_over_readings_that_stay_behind(tmp_path: Path) -> None:
    first = run_prepare(tmp_path)
    assert first.returncode == 0, first.stderr
    with closing(sqlite3.connect(tmp_path / "croody.db")) as database:
        columns = "robot_id, stream, first, last, reason, detail, topic, body, hash, received_at, count"
        database.execute(f"insert into telemetry_deadletter ({columns}) values ('r2', '', 0, 0, 'schema', '', '', '', '', '2026-01-01', 1)")
        database.commit()

    refused = run_prepare(tmp_path, TG_DB_PATH=str(tmp_path / "telemetry.db"))
    back = run_prepare(tmp_path)

    assert refused.returncode == 1
    assert "names a database without readings, and this site's are in its own: nothing was changed" in refused.stderr
    assert "./croody restore FILE" in refused.stderr
    assert back.returncode == 0, back.stderr
    with closing(sqlite3.connect(tmp_path / "croody.db")) as database:
        database.execute("delete from telemetry_deadletter")
        database.commit()
    assert run_prepare(tmp_path, TG_DB_PATH=str(tmp_path / "telemetry.db")).returncode == 0


def test_a_site_has_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROODY_DOMAIN", "robots.example")
    assert prepare.hosts() == ["robots.example", "localhost", "127.0.0.1", "::1"]

    monkeypatch.setenv("CROODY_DOMAIN", "robots.example,www.example")
    with pytest.raises(ValueError, match=r"CROODY_DOMAIN=robots.example,www.example: one name.*ALLOWED_HOSTS"):
        prepare.hosts()
