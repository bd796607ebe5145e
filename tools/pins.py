"""`make pins`: what others publish, by its digest. A tag says what is meant, a digest what one gets; here both move together.

Actions are pinned where workflows use them, `NAME@COMMIT # TAG`: the newest tag of their major version. Base images are pinned in
`images.env`, which `./croody` takes where there is one. Needs git, an engine with buildx, and a way out.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tools.stack import ROOT
from tools.words import Problem, fail, say

#: An action as a workflow writes it, pinned or not.
USES: Final = re.compile(r"uses: (?P<name>[\w.-]+/[\w.-]+)@(?P<ref>\S+)(?: # (?P<tag>v[\d.]+))?")
#: A base image as compose files write it: the variable that names another one, and what it is.
BASE: Final = re.compile(r"\$\{(?P<variable>(?:PYTHON|NGINX|POSTGRES|CERTBOT)_IMAGE):-(?P<image>[^}@]+)\}")

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def main() -> int:
    """Move all; the exit status is 0 when each was found."""
    try:
        for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
            text = path.read_text(encoding="utf-8")
            path.write_text(USES.sub(lambda use: pinned(use, tags_of(use["name"])), text), encoding="utf-8")
        lines = [f"{variable}={image}@{digest_of(image)}\n" for variable, image in sorted(bases(ROOT).items())]
        (ROOT / "images.env").write_text("".join(lines), encoding="utf-8")
    except Problem as problem:
        return fail(problem)
    say(
        "Fijado: mira `git diff`, pruébalo con `make test-stack` y guárdalo",
        "Pinned: see `git diff`, try it with `make test-stack`, commit it",
    )
    return 0


def pinned(use: re.Match[str], tags: Mapping[str, str]) -> str:
    """The same action by the commit of the newest tag of its major version.

    Raises:
        Problem: it has none.
    """
    major = (use["tag"] or use["ref"]).split(".")[0]
    found = [tag for tag in tags if re.fullmatch(rf"{re.escape(major)}\.\d+\.\d+", tag)]
    if not found:
        raise Problem(
            f"{use['name']}: no tiene etiqueta {major}.x.y: escribe otra versión",
            f"{use['name']}: has no tag {major}.x.y: write another version",
        )
    newest = max(found, key=lambda tag: [int(number) for number in tag[1:].split(".")])
    return f"uses: {use['name']}@{tags[newest]} # {newest}"


def tags_of(name: str) -> dict[str, str]:
    """Tags of an action, each with its commit.

    Raises:
        Problem: its repository does not answer.
    """
    tags: dict[str, str] = {}
    for line in _output("git", "ls-remote", "--tags", f"https://github.com/{name}").splitlines():
        commit, ref = line.split("\t")
        # The second line of a tag that is signed has its commit.
        tags[ref.removeprefix("refs/tags/").removesuffix("^{}")] = commit
    return tags


def bases(root: Path) -> dict[str, str]:
    """The base images of the compose files, by variable."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(root.glob("docker-compose*.yml")))
    return {found["variable"]: found["image"] for text in texts for found in BASE.finditer(text)}


def digest_of(image: str) -> str:
    """Its digest, for all platforms.

    Raises:
        Problem: its registry does not answer.
    """
    # Of a format that begins with a field of the manifest buildx makes a table for people.
    return digest_in(image, _output("docker", "buildx", "imagetools", "inspect", image, "--format", "{{json .Manifest}}"))


def digest_in(image: str, said: str) -> str:
    """The digest in what the engine said of an image.

    Raises:
        Problem: there is none.
    """
    try:
        found = str(json.loads(said)["digest"])
    except (ValueError, LookupError, TypeError):
        found = ""
    if not _DIGEST.fullmatch(found):
        raise Problem(f"{image}: el motor no dice su huella sino {said[:80]!r}", f"{image}: the engine tells no digest but {said[:80]!r}")
    return found


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise Problem(f"{' '.join(command)}: {why}", f"{' '.join(command)}: {why}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
