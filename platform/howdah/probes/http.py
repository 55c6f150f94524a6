"""HTTP to a daemon by container name: no route, no name and no published port is needed."""

import http.client
import json
from collections.abc import Mapping
from typing import Any

from howdah.errors import Transient
from howdah.ports.engine import Engine

TIMEOUT = 5.0
"""Seconds for one answer."""


class Reply:
    """A whole answer: ``status``, ``headers`` with lower-case names, ``body``."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        """The body as JSON. Raises Transient where it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Transient(f"HTTP {self.status} with a body that is not JSON") from None


def request(engine: Engine, container: str, port: int, method: str, path: str, body: bytes | None = None) -> Reply:
    """One request on a connection of its own. Raises Transient for everything that went wrong on the way."""
    stream = engine.dial(container, port)
    stream.settimeout(TIMEOUT)
    connection = http.client.HTTPConnection(container, port)
    connection.sock = stream
    try:
        connection.request(method, path, body=body, headers={"Connection": "close"})
        response = connection.getresponse()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    except (OSError, http.client.HTTPException) as error:
        raise Transient(f"{container}:{port} did not answer: {type(error).__name__} {error}") from None
    finally:
        connection.close()
