"""What a system on this machine keeps, from whom, and which process knows which secret. Starts nothing."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from croody.env import ROLES, SECRETS, Role
from tools.stack import Options, Ports
from tools.stack.specs import MADE, Layout, cloud_environ, table


@pytest.fixture
def options(tmp_path: Path, free_ports: Callable[[int], list[int]]) -> Options:
    return Options(tmp_path / "run", Ports(*free_ports(5)))


def open_to_others(folder: Path) -> list[str]:
    return sorted(str(path) for path in (folder, *folder.rglob("*")) if stat.S_IMODE(path.lstat().st_mode) & 0o077)


def test_the_state_of_a_system_is_its_users_alone(options: Options):
    layout = Layout(options)
    layout.make()
    assert open_to_others(layout.root) == []


def test_what_an_earlier_version_left_open_is_closed_and_no_link_is_followed(options: Options, tmp_path: Path):
    layout, elsewhere = Layout(options), tmp_path / "elsewhere"
    elsewhere.write_text("not ours to change")
    elsewhere.chmod(0o644)
    (options.state / "secrets" / "robots-sqlite").mkdir(parents=True)
    (options.state / "web.log").write_text("GET /\n")
    (options.state / "link").symlink_to(elsewhere)
    options.state.chmod(0o755)
    layout.make()
    assert [path for path in open_to_others(layout.root) if not path.endswith("/link")] == []
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o644


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_given_the_secrets_it_needs_and_no_others(options: Options, role: Role):
    environ = cloud_environ(options, Layout(options), role, None)
    given = {name.removesuffix("_FILE") for name in environ if name.removesuffix("_FILE") in MADE}
    assert given == set(SECRETS[role]) & set(MADE)


def test_no_process_of_a_system_is_told_another_ones_secret(options: Options):
    known = {
        name: {variable.removesuffix("_FILE") for variable in spec.env} & {*MADE, "ROBOT_SECRET"}
        for name, spec in table(options, Layout(options), None).items()
    }
    assert known == {
        "broker": set(),
        "telemetry": {"BRIDGE_TOKEN"},
        "ids": set(),
        "web": {"SECRET_KEY"},
        "worker": {"BRIDGE_MQTT_PASSWORD"},
        "bridge": {"BRIDGE_TOKEN", "BRIDGE_MQTT_PASSWORD"},
        "sim": {"ADMIN_PASSWORD"},
        "edge-host": {"ROBOT_SECRET"},
        "edge-replay": {"ROBOT_SECRET"},
    }
