"""What tests of every kind may need: the images, found on the engine or built by the product itself."""

import pytest

from howdah.app import Installation
from howdah.engines.docker import DockerEngine


def _image(kind: str) -> str:
    installation = Installation()
    try:
        reference = installation.images.helper()
        if kind == "hadoop":
            reference = installation.images.references("3.5.0", None).hadoop
        installation.images.ensure(kind, reference, print)
        return reference
    finally:
        installation.close()


@pytest.fixture(scope="session")
def base_image() -> str:
    """The base image: Python and a JRE. Fails where no engine answers."""
    return _image("base")


@pytest.fixture(scope="session")
def hadoop_image() -> str:
    """The Hadoop image, ZooKeeper with it. Fails where no engine answers."""
    return _image("hadoop")


@pytest.fixture(scope="session")
def based_engine(base_image: str) -> DockerEngine:
    """The engine that the environment names, with an image for its helper."""
    return DockerEngine(helper_image=lambda: base_image)
