"""The base image from Debian's packages: by mmdebstrap on this host, else inside the engine."""

import os
import pwd
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from howdah.errors import HowdahError, UserError
from howdah.imaging import seed
from howdah.imaging.causes import cause, explained
from howdah.imaging.contexts import Inputs
from howdah.imaging.programs import follow, missing_programs
from howdah.imaging.progress import Phases, Reporter
from howdah.ports.engine import Engine


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """One base image in the making.

    ``context`` is its materialised folder, ``mirror`` is empty for the host's own choice.
    """

    engine: Engine
    inputs: Inputs
    context: Path
    mirror: str
    labels: Mapping[str, str]
    reporter: Reporter
    is_root: bool

    def run(self, reference: str) -> str:
        """Make the image under ``reference``; returns the way that worked.

        Raises UserError where this user on this host has no way at all, with every way and why not; Transient where
        the network is away.
        """
        tried: list[str] = []
        for name, missing, make in self._ways():
            if missing:
                tried.append(f"{name}: {missing}")
                continue
            phases = Phases(self.reporter, self.inputs.kind, f"bootstrap {self.inputs.release.suite}: {name}")
            try:
                make(reference, phases)
            except HowdahError as error:
                known = cause([*phases.last, error.what])
                if known is not None and known.is_passing:
                    raise explained("base", phases.phase, [*phases.last, error.what], error.what) from error
                tried.append(f"{name}: {error.what}")
                self.reporter.say(self.inputs.kind, f"{name} did not work; another way is tried")
                continue
            return name
        raise UserError(
            "the base image cannot be made here:\n" + "\n".join(f"  {one}" for one in tried),
            fix="have mmdebstrap and uidmap installed (apt install mmdebstrap uidmap), "
            "or take built images from a container registry: HOWDAH_REGISTRY=host[:port]/prefix",
        )

    def _ways(self) -> Sequence[tuple[str, str, Callable[[str, Phases], None]]]:
        """(name, what is missing for it, how).

        fakechroot is none: it fails where the host's libc is older than the image's.
        """
        if self.is_root:
            local = ("mmdebstrap", missing_programs("mmdebstrap"), self._mmdebstrap("root"))
        else:
            local = ("mmdebstrap in a user namespace", _missing_for_a_namespace(), self._mmdebstrap("unshare"))
        return (local, ("inside the engine", seed.missing(self.mirror), self._in_the_engine))

    def _mmdebstrap(self, mode: str) -> Callable[[str, Phases], None]:
        def make(reference: str, phases: Phases) -> None:
            rootfs = self.context.parent / "base.tar"
            follow(mmdebstrap_command(self.inputs, self.context, mode, rootfs, self.mirror), phases)
            phases.begin("import it into the engine")
            self.engine.import_image(reference, rootfs, changes=(), labels=self.labels)
            rootfs.unlink()

        return make

    def _in_the_engine(self, reference: str, phases: Phases) -> None:
        seed.build(self.engine, reference, self.labels, self.inputs, self.context, self.mirror, phases)


def mmdebstrap_command(inputs: Inputs, context: Path, mode: str, rootfs: Path, mirror: str) -> list[str]:
    """The bootstrap as the shipped files have it."""
    release = inputs.release
    packages = inputs.files[f"base/packages-{release.suite}-java{release.java}"].decode().split()
    options = [
        line.replace("{base}", str(context / "base"))
        for line in inputs.files["base/options"].decode().splitlines()
        if line
    ]
    where = [f"--mode={mode}", f"--architectures={inputs.architecture}"]
    return [
        "mmdebstrap",
        *where,
        *options,
        f"--include={','.join(packages)}",
        release.suite,
        str(rootfs),
        *([mirror] if mirror else []),
    ]


def _missing_for_a_namespace() -> str:
    if absent := missing_programs("mmdebstrap", "newuidmap", "newgidmap", "unshare"):
        return absent
    user = pwd.getpwuid(os.geteuid()).pw_name
    for path in (Path("/etc/subuid"), Path("/etc/subgid")):
        lines = path.read_text().splitlines() if path.is_file() else []
        if not any(line.split(":")[0] in (user, str(os.geteuid())) for line in lines):
            return f"{path} has no range for {user}"
    if subprocess.run(["unshare", "--user", "--map-root-user", "true"], capture_output=True, check=False).returncode:
        return "this kernel does not let users make namespaces"
    return ""
