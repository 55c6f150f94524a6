import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import docker.errors
import pytest
import requests
import urllib3

from howdah.engines.docker import DockerEngine
from howdah.engines.docker.connection import Answer, Connection, find_address
from howdah.errors import Failed, Transient, UserError


@pytest.fixture
def connection() -> Connection:
    return Connection("unix:///run/test.sock")


def wrapped(cause: Exception) -> requests.ConnectionError:
    """As requests and urllib3 hand it on."""
    return requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", cause))


def refusal(status: int, words: str) -> docker.errors.APIError:
    response = requests.Response()
    response.status_code = status
    return docker.errors.APIError("refused", response=response, explanation=words)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (wrapped(FileNotFoundError(2, "No such file or directory")), "no such socket"),
        (wrapped(ConnectionRefusedError(111, "Connection refused")), "nothing listens"),
        (wrapped(ConnectionResetError(104, "Connection reset by peer")), "reset"),
        (requests.ReadTimeout("timed out"), "no answer within"),
        (requests.ConnectionError(urllib3.exceptions.ReadTimeoutError(None, "", "timed out")), "no answer within"),  # type: ignore[arg-type]
        (BrokenPipeError(32, "Broken pipe"), "Broken pipe"),
    ],
)
def test_silence_is_transient_and_names_engine_and_cause(connection: Connection, error: Exception, word: str) -> None:
    meaning = connection.translate("list the containers", error)
    assert isinstance(meaning, Transient)
    assert "unix:///run/test.sock" in meaning.what
    assert "list the containers" in meaning.what
    assert word in meaning.what
    assert len(meaning.what.splitlines()) == 1
    assert meaning.fix


def test_a_closed_socket_names_the_group(connection: Connection) -> None:
    meaning = connection.translate("list", wrapped(PermissionError(13, "Permission denied")))
    assert isinstance(meaning, UserError)
    assert "unix:///run/test.sock" in meaning.what
    assert "docker group" in meaning.fix


def test_a_refusal_keeps_status_and_words(connection: Connection) -> None:
    meaning = connection.translate("start container sales-dn1", refusal(500, "no space left on device\n"))
    assert isinstance(meaning, Answer)
    assert isinstance(meaning, Failed)
    assert meaning.status == 500
    assert str(meaning) == "start container sales-dn1: no space left on device"


def test_an_engine_that_is_not_ready_is_transient(connection: Connection) -> None:
    assert isinstance(connection.translate("list", refusal(503, "starting")), Transient)


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The docker command line's folder, empty."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / ".docker"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    (tmp_path / ".docker").mkdir()
    return tmp_path / ".docker"


def test_docker_host_comes_first(configuration: Path) -> None:
    (configuration / "config.json").write_text('{"currentContext": "other"}')
    assert find_address({"DOCKER_HOST": "tcp://10.0.0.9:2375"}).url == "tcp://10.0.0.9:2375"


def test_without_anything_it_is_the_default_socket(configuration: Path) -> None:
    assert find_address({}).url == "unix:///var/run/docker.sock"


def test_a_context_that_is_not_there_is_named(configuration: Path) -> None:
    (configuration / "config.json").write_text('{"currentContext": "laptop"}')
    with pytest.raises(UserError) as raised:
        find_address({})
    assert "laptop" in raised.value.what


class OldEngine(threading.Thread):
    """An engine that answers every request with its version."""

    def __init__(self, path: Path, api: str) -> None:
        super().__init__(daemon=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._body = json.dumps({"ApiVersion": api, "Version": "18.09.1"}).encode()

    def run(self) -> None:
        with self._listener:
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    if not connection.recv(65536):
                        continue
                    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self._body)}\r\nConnection: close\r\n\r\n"
                    connection.sendall(head.encode() + self._body)
                    return


@pytest.fixture
def old_engine(tmp_path: Path) -> Iterator[str]:
    thread = OldEngine(tmp_path / "old.sock", "1.39")
    thread.start()
    yield f"unix://{tmp_path}/old.sock"
    thread.join(5)


def test_an_old_engine_is_told_from_a_silent_one(old_engine: str) -> None:
    with pytest.raises(UserError) as raised:
        DockerEngine(old_engine).list({})
    assert "1.39" in raised.value.what
    assert "1.41" in raised.value.what
    assert "20.10" in raised.value.fix


def test_an_address_of_no_kind_is_a_users_mistake() -> None:
    with pytest.raises(UserError) as raised:
        DockerEngine("ftp://engine").list({})
    assert "ftp://engine" in raised.value.what


def test_the_library_is_not_imported_before_it_is_used() -> None:
    program = "import sys, howdah.engines.docker as e; e.DockerEngine(); sys.exit('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], env=dict(os.environ), check=False).returncode == 0
