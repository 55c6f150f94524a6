"""Where the engine is, a client for each thread, and its errors in our words."""

import http.client
import os
import socket
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from howdah.errors import Failed, HowdahError, Transient, UserError

if TYPE_CHECKING:
    from docker import APIClient
    from docker.tls import TLSConfig

T = TypeVar("T")

DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
OLDEST_API = (1, 41)
"""Docker 19.03. Older engines lack what we ask of containers."""
TIMEOUT = 60
"""Seconds for the engine to answer one request. An overlay needs 20 to refuse an address."""


class Answer(Failed):
    """The engine said no: its HTTP status and its own words. A Failed, unless whoever asked knows better."""

    def __init__(self, doing: str, status: int, words: str) -> None:
        super().__init__(f"{doing}: {words}")
        self.status = status
        self.words = words


@dataclass(frozen=True, slots=True)
class Address:
    """Where an engine is, and who said so."""

    url: str
    source: str
    tls: "TLSConfig | bool" = False


def find_address(environment: Mapping[str, str]) -> Address:
    """DOCKER_HOST, else the current context of the docker command line, else the default socket.

    Raises UserError where DOCKER_CONTEXT or the configuration names a context that is not there.
    """
    import docker.errors
    from docker.context import ContextAPI
    from docker.context.config import get_current_context_name
    from docker.utils import kwargs_from_env

    if environment.get("DOCKER_HOST"):
        try:
            found = kwargs_from_env(environment=dict(environment))
        except docker.errors.TLSParameterError as error:
            raise UserError(f"DOCKER_TLS_VERIFY or DOCKER_CERT_PATH: {error}") from error
        return Address(environment["DOCKER_HOST"], "DOCKER_HOST", found.get("tls") or False)
    try:
        name = environment.get("DOCKER_CONTEXT") or get_current_context_name()
        context = ContextAPI.kwargs_from_context(name)
    except (docker.errors.DockerException, OSError, ValueError) as error:
        fix = "set DOCKER_HOST to the engine's address"
        raise UserError(f"the docker contexts cannot be read: {error}", fix=fix) from error
    if name == "default":
        return Address(DEFAULT_ADDRESS, "the default")
    if not context.get("base_url"):
        raise UserError(f"docker context {name!r} is not there", fix="docker context ls; docker context use NAME")
    return Address(context["base_url"], f"docker context {name}", context.get("tls") or False)


class Connection:
    """One engine, from any thread: docker-py's session is not safe to share, so each call has one to itself.

    What comes out of a call and lasts (a stream) has a connection of its own, and no more to do with the session.
    """

    def __init__(self, address: str = "", environment: Mapping[str, str] = os.environ) -> None:
        self._given = address
        self._environment = environment
        self._lock = threading.Lock()
        self._address: Address | None = None
        self._version = ""
        self._idle: list[APIClient] = []
        weakref.finalize(self, _close_all, self._idle)

    @property
    def address(self) -> Address:
        """Where the engine is."""
        with self._lock:
            if self._address is None:
                given = Address(self._given, "as given") if self._given else None
                self._address = given or find_address(self._environment)
            return self._address

    @property
    def is_local_socket(self) -> bool:
        """Whether it is reached by a socket of this machine."""
        return self.address.url.startswith(("unix://", "/"))

    @property
    def api_version(self) -> tuple[int, int]:
        """The version of the API that is spoken."""
        self._idle.append(self._client())
        return _number(self._version)

    def ask(self, doing: str, call: Callable[["APIClient"], T]) -> T:
        """Make a call of the engine. ``doing`` says what for: ``start container sales-dn1``.

        Raises Transient where the engine does not answer, UserError where this user may not talk to it or it is too
        old, and Answer where it refuses.
        """
        from docker.errors import DockerException
        from urllib3.exceptions import HTTPError

        try:
            client = self._client()
            try:
                return call(client)
            finally:
                self._idle.append(client)
        # An OSError is every one of requests as well.
        except (OSError, http.client.HTTPException, HTTPError, DockerException) as error:
            raise self.translate(doing, error) from error

    def translate(self, doing: str, error: Exception) -> HowdahError:
        """What an exception of docker-py, or of the libraries below it, means."""
        from docker.errors import APIError

        causes = list(_chain(error))
        for cause in causes:
            if isinstance(cause, APIError) and cause.response is not None:
                return _refusal(doing, cause.response.status_code, str(cause.explanation or cause).strip())
        where = self.address
        if any(isinstance(cause, PermissionError) for cause in causes):
            return UserError(
                f"{doing}: no permission to use the engine's socket {where.url}",
                fix="add the user to the docker group (usermod -aG docker USER), then log in again",
            )
        return Transient(
            f"{doing}: the engine at {where.url} ({where.source}) does not answer: {_cause(causes)}",
            fix="start the engine, or set DOCKER_HOST to the address of the one that runs",
        )

    def _client(self) -> "APIClient":
        """One that nobody uses."""
        try:
            return self._idle.pop()
        except IndexError:
            if not self._version:
                self._version = self._agree()
            return self._open(self._version)

    def _open(self, version: str) -> "APIClient":
        from docker import APIClient
        from docker.errors import DockerException

        address = self.address
        if address.url.startswith("tcp://") and not address.tls:
            raise UserError(
                f"the engine's address {address.url!r} ({address.source}) is insecure: who reaches it is root there",
                fix="use client certificates (DOCKER_TLS_VERIFY, DOCKER_CERT_PATH), ssh:// or a Unix socket",
            )
        try:
            return APIClient(
                base_url=address.url,
                version=version,
                timeout=TIMEOUT,
                tls=address.tls,
                use_ssh_client=address.url.startswith("ssh://"),
            )
        except DockerException as error:
            raise UserError(
                f"the engine's address {address.url!r} ({address.source}) cannot be used: {error}",
                fix="write unix:///PATH, ssh://USER@HOST, or tcp://HOST:PORT with client certificates",
            ) from error

    def _knock(self) -> None:
        """Whether anything listens on a socket of this machine; docker-py leaves its own open where nothing does."""
        path = self.address.url.removeprefix("unix://")
        if path.startswith("/"):
            with socket.socket(socket.AF_UNIX) as knocking:
                knocking.connect(path)

    def _agree(self) -> str:
        """The newest version of the API that both sides know."""
        from docker.constants import DEFAULT_DOCKER_API_VERSION

        self._knock()
        asking = self._open(DEFAULT_DOCKER_API_VERSION)
        try:
            answer = asking.version(api_version=False)
        finally:
            asking.close()
        theirs, ours = str(answer["ApiVersion"]), DEFAULT_DOCKER_API_VERSION
        if _number(theirs) < OLDEST_API:
            raise UserError(
                f"the engine at {self.address.url} is Docker {answer.get('Version', '?')} with API {theirs}; "
                f"howdah needs API {OLDEST_API[0]}.{OLDEST_API[1]}",
                fix="install Docker Engine 20.10 or later",
            )
        return min(theirs, ours, key=_number)


def _close_all(clients: "list[APIClient]") -> None:
    for client in clients:
        client.close()


def _number(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor or 0)


def _refusal(doing: str, status: int, words: str) -> HowdahError:
    if status == 503:
        return Transient(f"{doing}: the engine is not ready: {words}", fix="try again")
    return Answer(doing, status, words)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it was made of: requests and urllib3 wrap causes as arguments too."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, tuple | list):
            waiting += one
        elif isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]


def _cause(causes: list[BaseException]) -> str:
    """The innermost cause, in a few words."""
    for cause in reversed(causes):
        if isinstance(cause, FileNotFoundError):
            return "there is no such socket"
        if isinstance(cause, ConnectionRefusedError):
            return "nothing listens there"
    if any("timeout" in type(cause).__name__.lower() for cause in causes):
        return f"no answer within {TIMEOUT} s"
    return (str(causes[-1]) or type(causes[-1]).__name__).splitlines()[0]
