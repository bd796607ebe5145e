"""`make pins`, and what it has pinned."""

import re
from pathlib import Path

import pytest

from tests.ops.clone import ROOT, Clone
from tools.pins import USES, bases, digest_in, digest_of, pinned
from tools.words import Problem


def test_every_action_is_pinned_to_a_commit_and_says_its_tag() -> None:
    texts = {path.name: path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml")}
    found = [(name, use) for name, text in texts.items() for use in USES.finditer(text)]

    assert len(found) == sum(text.count("uses: ") for text in texts.values()) > 10
    assert [(name, use[0]) for name, use in found if not re.fullmatch(r"[0-9a-f]{40}", use["ref"]) or not use["tag"]] == []


def test_an_action_moves_to_the_newest_tag_of_its_major_version() -> None:
    tags = {"v6": "0" * 40, "v6.9.0": "1" * 40, "v6.10.0": "2" * 40, "v7.0.0": "3" * 40, "v6.11.0-beta": "4" * 40}

    for written in ("uses: actions/checkout@v6", f"uses: actions/checkout@{'1' * 40} # v6.9.0"):
        use = USES.search(written)
        assert use is not None
        assert pinned(use, tags) == f"uses: actions/checkout@{'2' * 40} # v6.10.0"
    with pytest.raises(Problem, match=r"v6\.x\.y"):
        pinned(use, {})


def test_every_base_image_of_a_dockerfile_is_one_that_is_pinned() -> None:
    written = {name for path in ROOT.glob("*/Dockerfile") for name in re.findall(r"^ARG \w+_IMAGE=(\S+)$", path.read_text(), re.MULTILINE)}

    assert written
    assert written <= set(bases(ROOT).values())
    assert set(bases(ROOT)) == {"PYTHON_IMAGE", "NGINX_IMAGE", "POSTGRES_IMAGE", "CERTBOT_IMAGE"}


#: As buildx has it: a format that begins with a field of the manifest is answered with a table, and only `json` with what was asked for.
BUILDX = """case "$*" in
  *"{{json .Manifest}}") printf '{\\n  "digest": "sha256:%064d",\\n  "manifests": [{"digest": "sha256:1"}]\\n}\\n' 7 ;;
  *) printf 'Name:      python:3.11\\nDigest:    sha256:%064d\\n' 7 ;;
esac"""


def test_an_image_is_pinned_to_one_digest_and_nothing_else(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.program("docker", BUILDX)
    monkeypatch.setenv("PATH", str(clone.bin), prepend=":")

    assert digest_of("python:3.11") == f"sha256:{7:064d}"
    for said in ("", "Name: python\nDigest: sha256:7\n", '{"digest": "sha256:7"}', "[]", "null"):
        with pytest.raises(Problem, match=r"python:3\.11: the engine tells no digest"):
            digest_in("python:3.11", said)


@pytest.mark.parametrize(("files", "taken"), [((), ""), (("images.env",), "images.env"), (("images.env", ".env"), "images.env,.env")])
def test_the_wrapper_takes_the_pinned_images_and_an_env_goes_before_them(
    clone: Clone, tmp_path: Path, files: tuple[str, ...], taken: str
) -> None:
    for name in files:
        (clone.folder / name).touch()
    clone.program("docker", f'echo "$COMPOSE_ENV_FILES" >{tmp_path}/taken; exec python3 -S {clone.bin}/fake_docker.py "$@"')

    assert clone.run("ps").status == 0

    assert (tmp_path / "taken").read_text().strip() == taken
