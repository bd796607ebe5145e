"""The job before all others, as a process of its own."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from croody.operations import prepare


def test_a_database_that_does_not_answer_is_one_sentence_with_a_remedy(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        url = f"postgres://croody:{'x' * 24}@127.0.0.1:{taken.getsockname()[1]}/croody"
        code = (
            "import sys; from pathlib import Path; from croody.operations import prepare; here = Path(sys.argv[1]); "
            "prepare.TLS = here / 'tls'; prepare.AUTHORITY = here / 'authority'; "
            "prepare.TLS.mkdir(); prepare.AUTHORITY.mkdir(); sys.exit(prepare.main())"
        )
        long = "0123456789abcdefghijklmnopqrstuvwxyz-" * 2
        secrets = {"SECRET_KEY": long, "BRIDGE_TOKEN": long, "BRIDGE_MQTT_PASSWORD": long}
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            env={**os.environ, **secrets, "DATABASE_URL": url, "CROODY_DEMO": "0", "CROODY_STATE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert "no way into the database" in done.stderr
    assert "DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_site_has_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROODY_DOMAIN", "robots.example")
    assert prepare.hosts() == ["robots.example", "localhost", "127.0.0.1", "::1"]

    monkeypatch.setenv("CROODY_DOMAIN", "robots.example,www.example")
    with pytest.raises(ValueError, match=r"CROODY_DOMAIN=robots.example,www.example: one name.*ALLOWED_HOSTS"):
        prepare.hosts()
