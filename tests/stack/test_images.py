"""Every image is built from the sources as they stand; the other tests of the stack begin when this one has passed."""

import json
from typing import Any

import pytest

from tests.stack.system import FIGURES, OWN, TAG, System, remove_images

pytestmark = pytest.mark.stack
#: What each image carries beside its base, at most, in megabytes: a library that crept in is seen. And what it calls itself.
IMAGES = {"croody-cloud": (420, "croody"), "croody-broker": (60, ""), "croody-mosquitto": (60, ""), "croody-edge": (120, "")}


def described(engine: System, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(engine.run("docker", "image", "inspect", name))[0]
    return found


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_nobodys_says_what_it_is_and_carries_what_it_needs(images: None, name: str) -> None:
    engine = System("none", ["docker-compose.yml"])
    limit_mb, title = IMAGES[name]
    image = described(engine, f"{name}:{TAG}")
    own_mb = (image["Size"] - described(engine, engine.environ.get("PYTHON_IMAGE", "python:3.11-slim-bookworm"))["Size"]) / 1e6
    FIGURES.append(f"{name}: {image['Size'] / 1e6:.0f} MB, {own_mb:.0f} MB of it beside its base image, as this engine counts")
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in image["Config"]["Labels"].items()}

    assert image["Config"]["User"] == "10001:10001"
    assert labels["title"] == (title or name)
    assert labels["version"] == TAG
    assert labels["licenses"] == "Apache-2.0"
    assert labels["description"]
    assert own_mb < limit_mb


#: As the wrapper builds the cloud's, and as the workflow that publishes images builds the others.
BUILDS = {
    "croody-cloud": ["docker", "compose", "build", "croody"],
    "croody-broker": ["docker", "build", "-f", "broker/Dockerfile"],
    "croody-mosquitto": ["docker", "build", "-f", "broker/Dockerfile", "--target", "mosquitto"],
    "croody-edge": ["docker", "build", "-f", "edge_agent/Dockerfile"],
}


@pytest.mark.parametrize("name", BUILDS)
def test_an_image_says_which_commit_it_was_built_from(images: None, name: str) -> None:
    tag = f"{TAG}-of-a-commit"
    builder = System(f"{OWN}-build", ["docker-compose.yml"], CROODY_VERSION=tag, CROODY_REVISION="0123abc")
    plain = ["--build-arg", "REVISION=0123abc", "-t", f"{name}:{tag}", "."]
    try:
        builder.run(*BUILDS[name], *([] if "compose" in BUILDS[name] else plain), timeout_s=600)
        labels = described(builder, f"{name}:{tag}")["Config"]["Labels"]
    finally:
        remove_images(builder, tag)

    assert labels["org.opencontainers.image.revision"] == "0123abc"
