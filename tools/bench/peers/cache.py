"""Where peers are installed: a folder of the clone that git does not follow, kept between runs."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tools.bench.peers.absent import Absent
from tools.stack import ROOT
from tools.words import say

CACHE: Final = ROOT / ".bench"
_LIMIT_S: Final = 600


def install(name: str, proof: Path, command: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
    """Run an installer unless `proof` is there already.

    Raises:
        Absent: it failed; holds the end of what it said.
    """
    if proof.exists():
        return
    CACHE.mkdir(exist_ok=True)
    say(f"Se instala {name} en {CACHE} (una vez)…", f"Installing {name} in {CACHE} (once)…")
    try:
        done = subprocess.run(
            command, cwd=CACHE, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Absent(f"{name} is left out: it could not be installed: {error}.") from error
    if done.returncode or not proof.exists():
        raise Absent(f"{name} is left out: it could not be installed: {' '.join((done.stderr or done.stdout).split())[-300:]}")
