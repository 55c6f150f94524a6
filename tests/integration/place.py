"""An engine and a volume root for tests, with howdah on them as a program and as a library, and nothing left behind."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeVar

from howdah.app import Installation, Settings
from howdah.client import Client
from howdah.engines.docker import DockerEngine
from howdah.engines.docker.bodies import HELPER_SECONDS
from howdah.errors import Failed
from howdah.planning.registry import REGISTRY
from howdah.reconcile.progress import Progress, Silent
from howdah.testing.hosts import wait_for

CHECKOUT = Path(__file__).parents[2]
KINDS = ("base", "hadoop", "spark")
SMALLEST = {"worker_memory": "1280 MiB", "gateway_memory": "1 GiB"}
"""Parameters of ``small`` that leave room for another cluster on a laptop."""

T = TypeVar("T")


@dataclass
class Place:
    """Where howdah works: an engine by its address, and a folder of its own on that engine's host."""

    engine: str
    root: str
    home: Path
    route: Literal["auto", "relay"] = "auto"
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """For a howdah of its own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOWDAH_", "DOCKER_"))}
        own = {"DOCKER_HOST": self.engine, "HOWDAH_ROOT": self.root, "HOWDAH_HOME": str(self.home)}
        return {**kept, **own, "HOWDAH_DIAL": self.route, "PYTHONPATH": str(CHECKOUT / "platform"), **self.extra}

    def client(self, progress: Progress | None = None) -> Client:
        """A howdah in this process; close it."""
        installation = Installation(Settings.of(self.environment))
        # Not from this process's own environment, which may name another engine.
        installation.__dict__["engine"] = DockerEngine(self.engine, route=self.route)
        return Client(installation, progress or Silent())

    def howdah(self, *argv: str, within: float = 300) -> "subprocess.CompletedProcess[str]":
        """The command line, in a process of its own."""
        return subprocess.run(
            command_line(*argv),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=within,
            cwd="/",
        )

    def done(self, *argv: str, within: float = 300) -> str:
        """The command line's results; it must end well."""
        ended = self.howdah(*argv, within=within)
        assert ended.returncode == 0, f"howdah {' '.join(argv)}: {said(ended)}"
        return ended.stdout

    def json(self, *argv: str) -> Any:
        """What ``--json`` prints."""
        return json.loads(self.done(*argv, "--json"))

    def await_health(self, name: str) -> None:
        """Ready is a cluster that takes data; DataNodes that came back report their blocks a moment later."""
        sentences: list[str] = []

        def is_healthy() -> bool:
            status = self.json("status", name)
            sentences.append(status["sentence"])
            return bool(status["is_healthy"])

        wait_for(is_healthy, f"{name} to be healthy", 60, lambda: sentences[-1])

    def docker(self, *argv: str) -> str:
        """The docker command with this engine. Raises Failed."""
        command = ("docker", "--host", self.engine, *argv)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"docker {' '.join(argv)}: {done.stderr.strip()}")
        return done.stdout

    def inspect(self, *names: str) -> list[dict[str, Any]]:
        """What the engine says of containers."""
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", "--type", "container", *names))
        return found

    def as_root(self, script: str) -> str:
        """Run a script on the engine's host, below the volume root's parent, where ``$ROOT`` is the root."""
        parent, name = PurePosixPath(self.root).parent, PurePosixPath(self.root).name
        with self.client() as client:
            image = client.installation.images.helper()
        return self.docker(
            *(
                "run",
                "--rm",
                "--network",
                "none",
                "--user",
                "0:0",
                "--mount",
                f"type=bind,source={parent},target=/host",
            ),
            *("--env", f"ROOT=/host/{name}", "--entrypoint", "sh", image, "-euc", script),
        )

    def tree(self) -> list[str]:
        """The folders of volumes, scratch and configuration that there are, two levels deep."""
        script = (
            'cd "$ROOT" 2>/dev/null || exit 0; find volumes scratch bundles -mindepth 1 -maxdepth 1 2>/dev/null || :'
        )
        return sorted(self.as_root(script).split())

    def containers(self) -> list[str]:
        """Whatever howdah has made, but helpers."""
        return sorted(self._labelled("ps", "--all", "--format", "{{.Names}}") - set(self.helpers()))

    def helpers(self) -> list[str]:
        """Containers for root's work: of a howdah that lives, or of one that was killed in the last ten minutes."""
        return self.docker("ps", "--all", "--format", "{{.Names}}", "--filter", "label=howdah.helper").split()

    def networks(self) -> list[str]:
        """Whatever howdah has made."""
        return sorted(self._labelled("network", "ls", "--format", "{{.Name}}"))

    def _labelled(self, *argv: str) -> set[str]:
        labels = ("howdah.cluster", "howdah.role", "howdah.helper")
        return {name for label in labels for name in self.docker(*argv, "--filter", f"label={label}").split()}

    def orphans(self) -> list[str]:
        """What has no owner in the records."""
        with self.client() as client:
            clusters, data_sets = client.list(), client.data_sets()
        uuids = {cluster.uuid for cluster in clusters}
        claimed = {claim.volume for data_set in data_sets for claim in data_set.claims}
        found = []
        helpers = self.helpers()
        for one in self.inspect(*helpers) if helpers else []:
            if not (one["HostConfig"]["AutoRemove"] and one["Config"]["Cmd"] == [str(HELPER_SECONDS)]):
                found.append(f"{one['Name']}, which does not go by itself")
        names = [name for name in self.containers() if name != REGISTRY]
        for one in self.inspect(*names) if names else []:
            labels = one["Config"]["Labels"]
            if labels.get("howdah.cluster") not in uuids or labels.get("howdah.role") == "format":
                found.append(f"container {one['Name']}")
        own = {cluster.network.name for cluster in clusters} | {REGISTRY}
        found += [f"network {name}" for name in self.networks() if name not in own]
        for path in self.tree():
            kind, name = path.split("/")
            if kind == "volumes":
                found += [f"volume {name}"] if name not in claimed and not self._is_registrys(name) else []
            elif name not in uuids:
                found.append(path)
        found += [f"data set {d.name}" for d in data_sets if d.lease and d.lease not in uuids]
        return found

    def _is_registrys(self, volume: str) -> bool:
        return REGISTRY in self.as_root(f'cat "$ROOT"/volumes/{volume}/identity/volume.json 2>/dev/null || :')

    def clean(self) -> None:
        """Take away everything of howdah's on this engine, and the volume root."""
        if names := [*self.containers(), *self.helpers()]:
            self.docker("rm", "--force", "--volumes", *names)
        if names := self.networks():
            self.docker("network", "rm", *names)
        self.as_root('rm -rf "$ROOT"')


def command_line(*argv: str) -> tuple[str, ...]:
    """The command line of this checkout, as a command."""
    return (sys.executable, "-c", "from howdah.cli import main; main()", *argv)


def said(ended: "subprocess.CompletedProcess[str]") -> str:
    """How a program ended, and all that it printed."""
    return f"exit code {ended.returncode}\n{ended.stdout}{ended.stderr}"


def refused(ended: "subprocess.CompletedProcess[str]", code: int, *words: str) -> None:
    """It ended with that code, without a traceback, and named the words."""
    assert ended.returncode == code, f"exit code {code} was expected: {said(ended)}"
    assert "Traceback" not in ended.stderr, said(ended)
    for word in words:
        assert word in ended.stderr, f"{word!r} is not named: {said(ended)}"


def have_images(place: Place, lines: Callable[[str], None]) -> Mapping[str, str]:
    """Find or build what clusters are made of, by the product itself. Returns references by kind."""
    with place.client() as client:
        for kind in KINDS:
            client.build_image(kind, lines)
        builder = client.installation.images
        images = builder.references("3.5.0", "4.3.0")
        return {"base": builder.helper(), "hadoop": images.hadoop, "spark": images.spark}
