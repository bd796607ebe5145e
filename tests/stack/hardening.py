"""What the engine must say of every container, whichever system it belongs to."""

from pathlib import Path

from tests.stack.system import System

#: Asked inside a container: who am I, may I write, what may I do; then the kernel's limits of memory, processes and processor time, from
#: cgroup v2 or v1. The last of them are two: microseconds, and of how many.
PROBE = """
id -u
touch /probe 2>/dev/null && echo written || echo refused
sed -n 's/^CapEff:[[:space:]]*//p' /proc/1/status
cd /sys/fs/cgroup
if [ -e cgroup.controllers ]; then cat memory.max pids.max cpu.max
else cat memory/memory.limit_in_bytes pids/pids.max cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us; fi
"""


def assert_hardened(system: System, service: str) -> None:
    """Declared: read-only root, no capability, no new privileges, limits, health, rotated logs. Enforced: tried from inside."""
    found = system.inspect(service)
    host = found["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert 0 < host["Memory"] <= 1024**3
    assert 0 < host["PidsLimit"] <= 256
    assert host["NanoCpus"] > 0
    assert host["LogConfig"]["Config"]["max-size"] == "10m"
    assert not host["Privileged"]
    assert not any("docker.sock" in mount["Source"] for mount in found["Mounts"])
    if not found["State"]["Running"]:
        return  # the job that prepares; what follows is asked of what runs
    assert found["Config"]["Healthcheck"]["Test"]
    user, written, caps, memory, pids, quota_us, period_us = system.inside(service, "sh", "-c", PROBE).split()
    assert user != "0"
    assert written == "refused"
    assert int(caps, 16) == 0
    assert int(memory) == host["Memory"]
    assert int(pids) == host["PidsLimit"]
    assert int(quota_us) / int(period_us) == host["NanoCpus"] / 1e9


def assert_no_secret_shows(system: System, services: list[str], secrets: dict[str, str]) -> None:
    """None of the values stands in what `docker inspect` says of any container or image."""
    assert all(len(value) >= 12 for value in secrets.values()), "an empty secret would be found everywhere"
    for service in services:
        container = system.container(service)
        image = system.run("docker", "inspect", "--format", "{{.Image}}", container).strip()
        text = system.run("docker", "inspect", container) + system.run("docker", "inspect", image)
        shown = [name for name, value in secrets.items() if value in text]
        assert not shown, f"docker inspect of {service} shows {', '.join(shown)}"


def published(system: System, services: list[str]) -> set[int]:
    """Every port of this machine that leads into the system."""
    ports: set[int] = set()
    for service in services:
        for bindings in (system.inspect(service)["NetworkSettings"]["Ports"] or {}).values():
            ports |= {int(binding["HostPort"]) for binding in bindings or []}
    return ports


def read_secrets(folder: Path) -> dict[str, str]:
    """Name -> value of what `./croody secrets init` made."""
    values = {path.name: path.read_text().strip() for path in folder.iterdir() if path.is_file()}
    return {name: value for name, value in values.items() if value}
