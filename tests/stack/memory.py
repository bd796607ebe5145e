"""How much memory containers took at most, from their cgroups: files that the kernel kept for them are counted too."""

import subprocess

#: cgroup v2, v2 of kernels before 5.19 (which keep no peak), v1.
_FILES = ("/sys/fs/cgroup/memory.peak", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.max_usage_in_bytes")


def peak_bytes(container: str) -> int:
    """The most since this container was started last, bytes; 0 for one that does not run."""
    script = " || ".join(f"cat {name} 2>/dev/null" for name in _FILES)
    done = subprocess.run(["docker", "exec", container, "sh", "-c", script], capture_output=True, text=True, check=False)
    # One that ends meanwhile: what the engine says of it stands in the output, too.
    return int(done.stdout or 0) if done.returncode == 0 else 0
