"""The API roles log nobody in, and carry nothing of what does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ASK = """
import django; django.setup()
import sys
from django.conf import settings
from django.core.management import call_command
from django.test import Client
call_command("check")
page = Client().get(f"/api/{settings.ENV.role}/docs", headers={"host": "localhost"})
print(page.status_code, sorted(name for name in sys.modules if name.partition(".")[0] == "allauth"))
"""


@pytest.mark.parametrize("role", ["telemetry", "ids"])
def test_an_api_role_passes_its_checks_and_shows_its_page_without_the_log_in(role: str, tmp_path: Path):
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("CROODY_", "TG_", "DATABASE_"))},
        "DJANGO_SETTINGS_MODULE": "croody.settings",
        "CROODY_ROLE": role,
        "CROODY_DEMO": "1",
        "CROODY_STATE_DIR": str(tmp_path),
        "ALLOWED_HOSTS": "localhost",
    }
    done = subprocess.run([sys.executable, "-c", _ASK], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "200 []"
