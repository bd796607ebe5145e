"""What can be held against the compose files without an engine."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
FILES = sorted(ROOT.glob("docker-compose*.yml"))
#: Read by ./croody or by compose itself, not by a compose file.
OTHERS = {"COMPOSE_FILE", "CROODY_PATIENCE_S"}


class Loader(yaml.SafeLoader):
    """Knows compose's own tags."""


def plain(loader: yaml.Loader, _: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node)
    return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else None


Loader.add_multi_constructor("!", plain)


def test_the_example_of_the_settings_names_every_variable_and_no_other() -> None:
    used = {name for file in FILES for name in re.findall(r"\$\{([A-Z][A-Z0-9_]*)", file.read_text())}
    named = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert used - named == set()
    assert named - used == OTHERS


def test_the_example_holds_no_secret_and_copied_as_it_is_changes_nothing() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == []


def test_an_agent_takes_each_of_its_settings_from_the_boards_env() -> None:
    agent = yaml.load((ROOT / "docker-compose.edge.yml").read_text(), Loader)["services"]["agent"]

    assert agent["env_file"] == [{"path": ".env", "required": False}]


def test_every_service_that_stays_says_how_it_is_and_has_limits() -> None:
    base = yaml.load((ROOT / "docker-compose.yml").read_text(), Loader)  # a SafeLoader that knows compose's tags

    for name, service in base["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["cpus"], name
        assert service["pids_limit"], name
        assert service["logging"]["options"]["max-size"], name
        assert "healthcheck" in service or name in {"migrate", "backup-folder"}, name


def test_what_is_asked_inside_the_system_goes_through_no_proxy_of_dockers_client() -> None:
    base = yaml.load((ROOT / "docker-compose.yml").read_text(), Loader)  # a SafeLoader that knows compose's tags

    asks = {name for name, service in base["services"].items() if "healthcheck" in service and "environment" in service} - {
        "backup",
        "certificate",
    }
    assert asks >= {"gateway", "croody", "telemetry-gateway", "ids-ml", "bridge", "worker", "robot-sim"}
    for name in asks:
        for variable in ("NO_PROXY", "no_proxy"):
            left_out = set(base["services"][name]["environment"][variable].split(","))
            assert left_out >= {"localhost", "127.0.0.1", "croody", "telemetry-gateway", "ids-ml", "broker", "db"}, name


def test_what_is_built_here_is_looked_for_at_no_registry() -> None:
    """Else a first start begins with a red line for each image of ours, which nobody has published."""
    found = {name: service for file in FILES for name, service in _services(file).items() if "croody-" in str(service.get("image", ""))}

    assert found.keys() >= {"croody", "telemetry-gateway", "ids-ml", "bridge", "worker", "broker", "robot-sim", "agent"}
    base = _services(ROOT / "docker-compose.yml")
    asked = {name: service.get("pull_policy", base.get(name, {}).get("pull_policy")) for name, service in found.items()}
    assert {name: policy for name, policy in asked.items() if policy != "${CROODY_PULL_POLICY:-never}"} == {}


def _services(file: Path) -> dict[str, dict[str, object]]:
    return dict(yaml.load(file.read_text(), Loader).get("services", {}))  # a SafeLoader that knows compose's tags


def test_no_image_is_built_from_what_only_a_developer_has() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert ignored[1] == "*"
    assert not [line for line in ignored if line.startswith("!") and line.split("/")[0][1:] in {".env", "secrets", ".git", "tests"}]


def test_without_an_engine_the_stack_test_says_so_in_one_sentence(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}

    done = subprocess.run([sys.executable, "-m", "tools.stack_test"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "needs a Docker engine" in done.stderr
    assert done.stderr.count("\n") == 1
