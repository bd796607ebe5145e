"""Every image is built from the sources as they stand; the other tests of the stack begin when this one has passed."""

import json

import pytest

from tests.stack.system import FIGURES, TAG, System

pytestmark = pytest.mark.stack
#: What each image carries beside its base, at most, in megabytes: a library that crept in is seen.
IMAGES = {"croody-cloud": 420, "croody-broker": 60, "croody-edge": 120}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_nobodys_says_what_it_is_and_carries_what_it_needs(images: None, name: str) -> None:
    engine = System("none", ["docker-compose.yml"])
    image = json.loads(engine.run("docker", "image", "inspect", f"{name}:{TAG}"))[0]
    base = json.loads(engine.run("docker", "image", "inspect", engine.environ.get("PYTHON_IMAGE", "python:3.11-slim-bookworm")))[0]
    own_mb = (image["Size"] - base["Size"]) / 1e6
    FIGURES.append(f"{name}: {own_mb:.0f} MB beside its base image, as this engine counts")

    assert image["Config"]["User"] == "10001:10001"
    assert image["Config"]["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert own_mb < IMAGES[name]
