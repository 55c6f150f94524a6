"""The one container with capabilities: root's work on the host's volume root."""

import uuid
from contextlib import suppress

from howdah.engines.docker import bodies
from howdah.engines.docker.connection import Answer, Connection
from howdah.engines.docker.execution import run
from howdah.engines.docker.instances import create_container, inspect, remove
from howdah.errors import Failed, NotFound, Transient

LABEL = "howdah.helper"
PYTHON = ("python3", "-I", "-S", "-c")
KILLED = 137


class DockerHelper:
    """An idle container in which programs are run as root, with ``bodies.HELPER_CAPABILITIES`` and no more."""

    def __init__(self, engine: Connection, image: str, root: str) -> None:
        self._engine = engine
        self._name = f"howdah-helper-{uuid.uuid4().hex[:12]}"
        body = bodies.helper_body(image, root, LABEL)
        try:
            create_container(engine, self._name, body)
        except Answer as answer:
            if answer.status == 404:
                raise NotFound(f"image {image} is not on the engine", fix="howdah image build") from answer
            raise
        try:
            engine.ask(f"start {self._name}", lambda client: client.start(self._name))
        except BaseException:
            with suppress(Transient):
                remove(engine, self._name)
            raise

    def call(self, program: str, request: bytes) -> bytes:
        """Run a Python program with the request on its standard input.

        Raises Failed with its standard error, and Transient where the container has gone in the meantime.
        """
        try:
            result = run(self._engine, self._name, (*PYTHON, program), request or b"\n", "0:0", None)
        except NotFound as error:
            raise self._gone() from error
        if result.exit_code == 0:
            return result.stdout
        if result.exit_code == KILLED and inspect(self._engine, self._name) is None:
            raise self._gone()
        said = result.stderr.decode("utf-8", "replace").strip()
        raise Failed(f"root's work on the host failed with exit code {result.exit_code}: {said}")

    def close(self) -> None:
        """Remove it."""
        with suppress(Transient):  # it goes by itself
            remove(self._engine, self._name)

    def _gone(self) -> Transient:
        return Transient(
            f"container {self._name} has ended: it lives {bodies.HELPER_SECONDS} s at most", fix="try again"
        )
