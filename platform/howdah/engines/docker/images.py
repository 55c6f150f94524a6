"""Images: looked up, built, imported, pulled, removed."""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from howdah.engines.docker.connection import Answer, Connection
from howdah.errors import Failed, NotFound
from howdah.ports.engine import ImageState, Lines
from howdah.units import Bytes

BUILD_SECONDS = 3600
"""Between two lines of a build's output: a silent download may take long."""
LAST_LINES = 15


def image(engine: Connection, reference: str) -> ImageState | None:
    """The image, or None."""
    try:
        found = inspect_image(engine, reference)
    except Answer as answer:
        if answer.status == 404:
            return None
        raise
    return ImageState(
        reference=reference,
        digest=found["Id"],
        size=Bytes(found["Size"]),
        layers=tuple((found.get("RootFS") or {}).get("Layers") or ()),
        labels=dict((found.get("Config") or {}).get("Labels") or {}),
    )


def inspect_image(engine: Connection, reference: str) -> dict[str, Any]:
    """What the engine says of it. Raises Answer with 404 where there is none."""
    found = engine.ask(
        f"inspect image {reference}",
        lambda client: client.inspect_image(reference),  # type: ignore[no-untyped-call]
    )
    return dict(found)


def images(engine: Connection, label: str) -> tuple[ImageState, ...]:
    """One for each name of each image with the label; the digest stands for the name where there is none."""
    found = engine.ask("list the images", lambda client: client.images(filters={"label": label}))
    names = sorted(name for one in found for name in _names(one))
    states = (image(engine, name) for name in names)
    return tuple(state for state in states if state is not None)


@dataclass(frozen=True, slots=True)
class Build:
    """What is built from what: ``dockerfile`` is a path inside ``context``."""

    reference: str
    context: Path
    dockerfile: str
    target: str
    arguments: Mapping[str, str]
    labels: Mapping[str, str]


def build_image(engine: Connection, build: Build, progress: Lines) -> None:
    """Build with the engine's classic builder: docker-py speaks to no other."""
    if not (build.context / build.dockerfile).is_file():
        raise NotFound(f"there is no {build.dockerfile} in {build.context}")
    output = engine.ask(
        f"build image {build.reference}",
        lambda client: client.build(
            path=str(build.context),
            dockerfile=build.dockerfile,
            tag=build.reference,
            target=build.target or None,
            buildargs=dict(build.arguments),
            labels=dict(build.labels),
            rm=True,
            forcerm=True,
            decode=True,
            timeout=BUILD_SECONDS,
        ),
    )
    _follow(engine, f"build image {build.reference}", output, progress)


def import_image(
    engine: Connection, reference: str, rootfs: Path, changes: Iterable[str], labels: Mapping[str, str]
) -> None:
    """Make an image of a tar file; ``labels`` go in as changes too."""
    if not rootfs.is_file():
        raise NotFound(f"there is no root file system {rootfs}")
    repository, tag = split(reference)
    every = [*changes, *(label_change(key, value) for key, value in sorted(labels.items()))]
    answer = engine.ask(
        f"import image {reference}",
        lambda client: client.import_image(src=str(rootfs), repository=repository, tag=tag, changes=every),
    )
    last = json.loads(str(answer).strip().splitlines()[-1])
    if "error" in last:
        raise Failed(f"import image {reference}: {last['error']}")


def pull_image(engine: Connection, reference: str, progress: Lines) -> None:
    """Fetch it from its registry."""
    repository, tag = split(reference)
    doing = f"pull image {reference}"
    output = engine.ask(doing, lambda client: client.pull(repository, tag=tag, stream=True, decode=True))
    _follow(engine, doing, output, progress)


def remove_image(engine: Connection, reference: str) -> bool:
    """Remove that name, and the image with its last one."""
    try:
        engine.ask(f"remove image {reference}", lambda client: client.remove_image(reference))
    except Answer as answer:
        if answer.status == 404:
            return False
        raise
    return True


def split(reference: str) -> tuple[str, str]:
    """Repository and tag; a colon before the last slash is a registry's port."""
    repository, colon, tag = reference.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (reference, "latest")


def label_change(key: str, value: str) -> str:
    """A LABEL instruction that keeps the value as it is."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\\n")
    return f'LABEL "{key}"="{quoted}"'


def progress_lines(messages: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What the engine tells of a build or a pull, without what only moves a bar. An error ends it as Failed."""
    last: deque[str] = deque(maxlen=LAST_LINES)
    problem = ""
    for message in messages:
        if "error" in message:
            problem = str(message["error"]).strip()  # the last message, but only the end gives the connection back
        text = str(message.get("stream") or message.get("status") or "")
        if message.get("progressDetail"):
            continue
        if message.get("id") and "status" in message:
            text = f"{message['id']}: {text}"
        for line in text.splitlines():
            if line.strip():
                last.append(line.rstrip())
                yield line.rstrip()
    if problem:
        raise Failed("\n".join([problem, *last]))


def _names(found: Mapping[str, Any]) -> list[str]:
    tagged = [name for name in found.get("RepoTags") or () if name != "<none>:<none>"]
    return tagged or [found["Id"]]


def _follow(engine: Connection, doing: str, output: Any, progress: Lines) -> None:
    import requests
    import urllib3

    try:
        for line in progress_lines(output):
            progress(line)
    except Failed as failure:
        raise Failed(f"{doing}: {failure.what}") from failure
    except (OSError, urllib3.exceptions.HTTPError, requests.RequestException) as error:
        raise engine.translate(doing, error) from error
