"""What tests on a real engine have in common: an engine that must answer, a volume root of their own, and one cluster.

Everything is taken away at the end, the registry too. Where the engine has anything of howdah's, no test is run.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from howdah.client import Client
from howdah.engines.docker import DockerEngine
from howdah.errors import HowdahError
from howdah.testing import hosts
from tests.integration.place import Place, have_images


@dataclass
class RunningCluster:
    """A cluster that is ready, for tests that leave it as it is."""

    client: Client
    name: str
    place: Place


@pytest.fixture(scope="session")
def engine_address() -> str:
    """Where the engine is that DOCKER_HOST, the docker context or the default socket names. It must answer."""
    engine = DockerEngine()
    try:
        engine.capacity()
    except HowdahError as error:
        pytest.fail(f"these tests need a Docker Engine: {error}", pytrace=False)
    return engine.address


@pytest.fixture(scope="session")
def place(engine_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """That engine, with the images of the default release and a volume root that no other has."""
    root = f"/var/lib/howdah-test-{secrets.token_hex(4)}"
    place = Place(engine_address, root, tmp_path_factory.mktemp("home"))
    if found := [*place.containers(), *place.networks()]:
        pytest.fail(
            f"the engine at {engine_address} has objects of howdah already ({', '.join(found)}): they are left alone, "
            "and no test is run beside them; delete them, or set DOCKER_HOST to another engine",
            pytrace=False,
        )
    have_images(place, print)
    try:
        yield place
    finally:
        place.clean()


@pytest.fixture(scope="session")
def cluster(place: Place) -> Iterator[RunningCluster]:
    """``small``, launched once for all the tests that only look, or clean up after themselves."""
    with place.client() as client:
        client.launch("small", name="shared")
        yield RunningCluster(client, "shared", place)
    with place.client() as client:
        client.delete("shared", destroys_data=True)


@pytest.fixture(scope="session")
def images(place: Place) -> Mapping[str, str]:
    """References of the default release's images by kind, all of them on the engine."""
    return have_images(place, print)


@pytest.fixture(scope="session")
def far_host(engine_address: str, images: Mapping[str, str]) -> Iterator[hosts.EngineHost]:
    """A host with an engine of its own whose containers cannot be reached from here. It has the images."""
    with ExitStack() as stack:
        try:
            host = stack.enter_context(hosts.engine_host("far"))
        except HowdahError as error:
            pytest.fail(str(error), pytrace=False)
        host.load(*images.values(), source=engine_address)
        yield host


@pytest.fixture
def far(far_host: hosts.EngineHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The far engine with nothing of howdah's on it, before and after."""
    place = Place(
        far_host.engine, str(far_host.folder / f"root-{secrets.token_hex(4)}"), tmp_path_factory.mktemp("home")
    )
    far_host.start_engine()
    try:
        yield place
    finally:
        far_host.start_engine()
        place.clean()
