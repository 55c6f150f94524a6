"""Containers: created, started, listed, stopped, removed."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from howdah.engines.docker import bodies, frames
from howdah.engines.docker.connection import Answer, Connection
from howdah.engines.docker.images import inspect_image
from howdah.engines.docker.networks import attached
from howdah.errors import Conflict, Failed, HowdahError, NotFound, Refused, Transient
from howdah.ports.engine import ExecResult, InstanceSpec, InstanceState, Usage

REMOVAL_SECONDS = 20
LAST_LINES = 15


def inspect(engine: Connection, name: str) -> dict[str, Any] | None:
    """What the engine says of the container of exactly that name, or None."""
    try:
        found = dict(engine.ask(f"inspect container {name}", lambda client: client.inspect_container(name)))
    except Answer as answer:
        if answer.status == 404:
            return None
        raise
    return found if bodies.container_name(found) == name else None


def ensure_instance(engine: Connection, spec: InstanceSpec) -> bool:
    """Create and start it, or start it again; False where it runs already.

    Raises Conflict where another container has the name or the address, NotFound where image or network is missing,
    Refused where the source of a mount is.
    """
    existing = inspect(engine, spec.name)
    if existing is None:
        if not _create(engine, spec):
            return ensure_instance(engine, spec)  # somebody else has just made it
        _start(engine, spec, half_made=True)
        return True
    _check_labels(engine, existing, spec)
    if existing["State"]["Paused"]:
        engine.ask(f"unpause container {spec.name}", lambda client: client.unpause(spec.name))
        return True
    if existing["State"]["Running"]:
        return False
    try:
        _start(engine, spec, half_made=existing["State"]["Status"] == "created")
    except (NotFound, Answer) as error:
        # Its network was removed and made again, and the container remembers the old one's id. Or the engine was killed
        # while it started the container, and has forgotten what its runtime still knows: "task …: already exists".
        if isinstance(error, Answer) and "already exists" not in error.words:
            raise
        remove(engine, spec.name)
        _create(engine, spec)
        _start(engine, spec, half_made=True)
    return True


def run_once(engine: Connection, spec: InstanceSpec, timeout: float) -> ExecResult:
    """Run it to its end. Whatever happens it is removed; so is what a killed run has left under its name.

    Raises Failed with the last lines of its output when the time is up.
    """
    existing = inspect(engine, spec.name)
    if existing is not None:
        _check_labels(engine, existing, spec)
        remove(engine, spec.name)
    if not _create(engine, spec):
        raise Conflict(f"container {spec.name} was made by somebody else at the same moment", fix="try again")
    try:
        _start(engine, spec, half_made=True)
        exit_code = _wait(engine, spec.name, timeout)
        stdout, stderr = _output(engine, spec.name)
        if exit_code is None:
            last = "\n".join((stdout + stderr).decode("utf-8", "replace").splitlines()[-LAST_LINES:])
            raise Failed(f"container {spec.name} did not end within {timeout:g} s; its last lines:\n{last}")
        return ExecResult(exit_code, stdout, stderr)
    finally:
        with suppress(Transient):
            remove(engine, spec.name)


def stop(engine: Connection, name: str, timeout: int) -> bool:
    """Ask it to end, kill it after ``timeout`` seconds. False where it was not running."""
    existing = inspect(engine, name)
    if existing is None or not existing["State"]["Running"]:
        return False
    try:
        if existing["State"]["Paused"]:
            engine.ask(f"unpause container {name}", lambda client: client.unpause(name))
        engine.ask(f"stop container {name}", lambda client: client.stop(name, timeout=timeout))
    except Answer as answer:
        if answer.status != 404:
            raise
    return True


def remove(engine: Connection, name: str) -> bool:
    """Kill and remove it; returns when it is gone. False where there was none."""
    if inspect(engine, name) is None:
        return False
    deadline = time.monotonic() + REMOVAL_SECONDS
    while True:
        try:
            engine.ask(f"remove container {name}", lambda client: client.remove_container(name, v=True, force=True))
            return True
        except Answer as answer:
            if answer.status == 404:
                return True
            # 409: somebody else is removing it. 500: its file system was busy for a moment (moby 22260).
            if answer.status not in (409, 500) or time.monotonic() > deadline:
                raise
        time.sleep(0.1)
        if inspect(engine, name) is None:
            return True


def list_instances(engine: Connection, labels: Mapping[str, str]) -> tuple[InstanceState, ...]:
    """Every container with these labels, by name."""
    wanted = [f"{key}={value}" if value else key for key, value in labels.items()]
    found = engine.ask("list the containers", lambda client: client.containers(all=True, filters={"label": wanted}))
    names = sorted(str(one["Names"][0]).lstrip("/") for one in found if one.get("Names"))
    # The list itself knows neither exit codes nor start times.
    states = (inspect(engine, name) for name in names)
    return tuple(bodies.instance_state(state) for state in states if state is not None)


def logs(engine: Connection, name: str, follow: bool, tail: int | None) -> Iterator[str]:
    """Its output, a line at a time. Raises NotFound where there is none.

    Engines before 23 do not send a follower a last line that has no line end.
    """
    if inspect(engine, name) is None:  # docker-py looks only after it has opened a connection, and leaves that open
        raise _absent(name)
    output = _asking_logs(engine, name, stream=True, follow=follow, tail="all" if tail is None else tail)
    return _reading(engine, name, output)


def usage(engine: Connection, name: str) -> Usage:
    """What it uses now. Raises NotFound where there is none."""
    # One-shot came with API 1.41; before, the engine measures for a second.
    one_shot = True if engine.api_version >= (1, 41) else None
    with absent_is_not_found(name):
        return bodies.usage(
            engine.ask(
                f"measure container {name}",
                lambda client: client.stats(name, stream=False, one_shot=one_shot),
            )
        )


def create_container(engine: Connection, name: str, body: dict[str, Any]) -> None:
    """Make it, in the Engine API's own terms; docker-py's would leave out what it does not know."""
    engine.ask(
        f"create container {name}",
        lambda client: client.create_container_from_config(body, name),  # type: ignore[no-untyped-call]
    )


class absent_is_not_found:  # noqa: N801 (reads as a phrase, as contextlib's do)
    """Within it, the engine's 404 is a NotFound."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Answer) and error.status == 404:
            raise _absent(self._name) from error


def _absent(name: str) -> NotFound:
    return NotFound(f"there is no container {name}", fix="howdah list shows what there is")


def _create(engine: Connection, spec: InstanceSpec) -> bool:
    """False where the name was taken in between."""
    try:
        create_container(engine, spec.name, bodies.instance_body(spec))
    except Answer as answer:
        if answer.status == 409 and "already in use" in answer.words:
            return False
        raise _meaning(engine, spec, answer) from answer
    return True


def _start(engine: Connection, spec: InstanceSpec, half_made: bool) -> None:
    """Start it; one that never ran is removed again where that fails."""
    try:
        engine.ask(f"start container {spec.name}", lambda client: client.start(spec.name))
    except Answer as answer:
        meaning = _meaning(engine, spec, answer)
        if half_made:
            remove(engine, spec.name)
        raise meaning from answer


def _meaning(engine: Connection, spec: InstanceSpec, answer: Answer) -> HowdahError:
    """The engine's refusal to create or start, in our words where we know better."""
    words = answer.words
    if "bind source path does not exist" in words:
        missing = words.rpartition("does not exist:")[2].strip() or ", ".join(mount.source for mount in spec.mounts)
        return Refused(
            f"container {spec.name} needs the folder {missing}, which is not on the host",
            fix="find out what removed it: an empty one in its place would hide the loss",
        )
    if answer.status == 404 and "no such image" in words.lower():
        return NotFound(f"image {spec.image} of container {spec.name} is not on the engine", fix="howdah image build")
    if answer.status == 404:
        return NotFound(f"container {spec.name}: {words}", fix="run the same command again")
    if "address already in use" in words.lower() and spec.address:
        owner = next((name for name, taken in attached(engine, spec.network).items() if taken == spec.address), "")
        by = f"container {owner}" if owner else "something the engine does not list"
        return Conflict(
            f"address {spec.address} of container {spec.name} is in use on network {spec.network} by {by}",
            fix=f"remove {owner or 'it'} if nothing needs it",
        )
    return answer


def _check_labels(engine: Connection, existing: Mapping[str, Any], spec: InstanceSpec) -> None:
    found = dict(existing["Config"].get("Labels") or {})
    inherited: dict[str, str] = {}
    with suppress(Answer):  # the image may be gone, and then its labels cannot be told from the container's
        image = inspect_image(engine, existing["Image"])
        inherited = dict((image.get("Config") or {}).get("Labels") or {})
    own = {key: value for key, value in found.items() if inherited.get(key) != value or key in spec.labels}
    if own != dict(spec.labels):
        raise Conflict(
            f"container {spec.name} is there with labels {own}, wanted with {dict(spec.labels)}",
            fix=f"remove it (docker rm -f {spec.name}) if nothing needs it",
        )


def _wait(engine: Connection, name: str, timeout: float) -> int | None:
    """Its exit code, or None when the time is up."""
    deadline = time.monotonic() + timeout
    while (left := deadline - time.monotonic()) > 0:
        try:
            # Our own time-out ends this request early; an engine that has died shows in the inspect below.
            with suppress(Transient):
                _wait_once(engine, name, left)
        except Answer as answer:
            if answer.status != 404:
                raise
        found = inspect(engine, name)
        if found is None:
            raise Transient(f"container {name} was removed while it ran", fix="run the same command again")
        if not found["State"]["Running"]:
            return int(found["State"]["ExitCode"])
    return None


def _wait_once(engine: Connection, name: str, timeout: float) -> None:
    engine.ask(f"wait for container {name}", lambda client: client.wait(name, timeout=timeout))  # type: ignore[arg-type]


def _output(engine: Connection, name: str) -> tuple[bytes, bytes]:
    return (
        bytes(_asking_logs(engine, name, stream=False, stdout=True, stderr=False)),
        bytes(_asking_logs(engine, name, stream=False, stdout=False, stderr=True)),
    )


def _asking_logs(engine: Connection, name: str, **how: Any) -> Any:
    with absent_is_not_found(name):
        return engine.ask(f"read the log of container {name}", lambda client: client.logs(name, **how))


def _reading(engine: Connection, name: str, output: Any) -> Iterator[str]:
    import requests
    import urllib3

    try:
        yield from frames.lines(iter(output))
    except (OSError, urllib3.exceptions.HTTPError, requests.RequestException) as error:
        raise engine.translate(f"read the log of container {name}", error) from error
    finally:
        output.close()
