"""The base image made inside the engine, for hosts without mmdebstrap or for users without root.

apt fetches and checks the packages here, which needs no root. The essential ones, unpacked into a tar file, are
enough of a system for the engine to install them all properly in a build.
"""

import fnmatch
import re
import subprocess
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

from howdah.errors import Failed
from howdah.imaging.contexts import Inputs
from howdah.imaging.programs import follow, missing_programs
from howdah.imaging.progress import Phases
from howdah.ports.engine import Engine

KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp")
ESSENTIAL = ("?essential",)
REQUIRED = ("?essential", "?priority(required)", "apt")
"""What mmdebstrap's minbase installs."""

# Since Debian 12 these are links, and packages still name files through them.
MERGED = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}

DOCKERFILE = """\
ARG SEED
FROM ${SEED} AS bootstrap
COPY etc/ /etc/
COPY packages/ /packages/
COPY base/ /packages/base/
ENV DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
RUN set -eu \\
 && sh /packages/setup \\
 && dpkg --install --force-depends /packages/essential/*.deb \\
 && apt-get install -q -y --no-install-recommends /packages/others/*.deb \\
 && sh /packages/customize \\
 && rm -rf /packages /tmp/*

FROM scratch AS flat
COPY --from=bootstrap / /
"""


def missing(mirror: str) -> str:
    """What is missing on this host for it, in words; empty when nothing is."""
    if absent := missing_programs("apt-get", "dpkg-deb"):
        return absent
    if keyring() is None:
        return "the keys of Debian's packages are not here (package debian-archive-keyring)"
    if not mirror and not mirrors():
        return "no mirror of Debian is configured for apt here: name one in HOWDAH_DEBIAN_MIRROR"
    return ""


def keyring() -> str | None:
    """The file with the keys of Debian's archive."""
    return next((name for name in KEYRINGS if Path(name).is_file()), None)


def mirrors() -> tuple[str, ...]:
    """Where this host's own apt gets Debian's packages: the main archive, then those of security updates."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    main = [uri for uri in listed if re.search(r"/debian/?$", uri)]
    return (
        tuple(dict.fromkeys([*main[:1], *(uri for uri in listed if uri.rstrip("/").endswith("/debian-security"))]))
        if main
        else ()
    )


def sources(suite: str, mirror: str, signed_by: str = "") -> str:
    """The list of apt's sources: the suite with its updates."""
    option = f"[signed-by={signed_by}] " if signed_by else ""
    main, *security = (mirror,) if mirror else mirrors()
    lines = [f"{main} {suite}", f"{main} {suite}-updates", *(f"{uri} {suite}-security" for uri in security)]
    return "".join(f"deb {option}{line} main\n" for line in lines)


def build(
    engine: Engine,
    reference: str,
    labels: Mapping[str, str],
    inputs: Inputs,
    context: Path,
    mirror: str,
    phases: Phases,
) -> None:
    """Make the base image under ``reference``."""
    folder = context.parent / "seed"
    phases.begin("fetch the packages with apt")
    essential, others = _fetch(inputs, folder, mirror, phases)
    phases.begin("unpack the essential packages")
    rootfs = context.parent / "seed.tar"
    excluded = _values(inputs.files["base/options"].decode().splitlines(), "--dpkgopt=path-exclude=")
    unpack(essential, rootfs, excluded)
    seed = f"{reference}-seed"
    engine.import_image(seed, rootfs, changes=(), labels=labels)
    try:
        rootfs.unlink()
        _lay_out(inputs, folder, mirror, essential, others)
        engine.build_image(
            reference,
            folder,
            dockerfile="Dockerfile",
            target="flat",
            arguments={"SEED": seed},
            labels=labels,
            progress=phases,
        )
    finally:
        engine.remove_image(seed)


def _fetch(inputs: Inputs, folder: Path, mirror: str, phases: Phases) -> tuple[list[Path], list[Path]]:
    """The package files: the essential ones, and all the others."""
    apt = folder.parent / "apt"
    for name in (
        "etc/apt/apt.conf.d",
        "etc/apt/preferences.d",
        "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial",
        "var/lib/dpkg",
    ):
        (apt / name).mkdir(parents=True, exist_ok=True)
    (apt / "var/lib/dpkg/status").touch()
    (apt / "etc/apt/sources.list").write_text(sources(inputs.release.suite, mirror, keyring() or ""))
    (apt / "apt.conf").write_text(
        f'Dir "{apt}";\nDir::State::status "{apt}/var/lib/dpkg/status";\nDir::Etc::TrustedParts "/dev/null";\n'
        f'APT::Architecture "{inputs.architecture}";\nAPT::Architectures {{ "{inputs.architecture}"; }};\n'
        'APT::Install-Recommends "false";\nAPT::Sandbox::User "";\nAcquire::Languages "none";\n'
        'APT::Update::Error-Mode "any";\n'
    )
    environment = {"APT_CONFIG": str(apt / "apt.conf")}
    download = ["apt-get", "-q", "install", "-y", "--download-only"]
    archives = apt / "var/cache/apt/archives"
    packages = inputs.files[f"base/packages-{inputs.release.suite}-java{inputs.release.java}"].decode().split()
    follow(["apt-get", "-q", "update"], phases, environment)
    follow([*download, *ESSENTIAL], phases, environment)
    essential = set(archives.glob("*.deb"))
    follow([*download, *REQUIRED, *packages], phases, environment)
    return sorted(essential), sorted(set(archives.glob("*.deb")) - essential)


def _lay_out(inputs: Inputs, folder: Path, mirror: str, essential: Iterable[Path], others: Iterable[Path]) -> None:
    """The folder of the build: packages, and mmdebstrap's options as the files and scripts that they stand for."""
    options = inputs.files["base/options"].decode().splitlines()
    for name, packages in (("essential", essential), ("others", others)):
        (folder / "packages" / name).mkdir(parents=True, exist_ok=True)
        for package in packages:
            package.rename(folder / "packages" / name / package.name)
    (folder / "base").mkdir()
    for name, content in inputs.files.items():
        (folder / name).write_bytes(content)
    written = {
        "Dockerfile": DOCKERFILE,
        "etc/apt/sources.list": sources(inputs.release.suite, mirror),
        "etc/apt/apt.conf.d/99mmdebstrap": "".join(f"{value};\n" for value in _values(options, "--aptopt=")),
        "etc/dpkg/dpkg.cfg.d/99mmdebstrap": "".join(f"{value}\n" for value in _values(options, "--dpkgopt=")),
        "packages/setup": _script(_values(options, "--setup-hook=")),
        "packages/customize": _script(_values(options, "--customize-hook=")),
    }
    for name, text in written.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _values(options: Iterable[str], name: str) -> list[str]:
    return [option.removeprefix(name) for option in options if option.startswith(name)]


def _script(hooks: Iterable[str]) -> str:
    """Hooks get the root as ``$1``; here that is nothing, before the first slash."""
    return "".join(["set -eu\n", 'set -- ""\n', *(hook.replace("{base}", "/packages/base") + "\n" for hook in hooks)])


def unpack(packages: Iterable[Path], rootfs: Path, excluded: Sequence[str]) -> None:
    """The files of the packages as one tar file, with nothing set up. Raises Failed where a package cannot be read."""
    with tarfile.open(rootfs, "w") as out:
        # The engine takes no path twice, and packages share folders.
        written = {".", "usr", *MERGED, *MERGED.values()}
        for name, target in {"usr": "", **MERGED}.items():
            folder = tarfile.TarInfo(target or name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            out.addfile(folder)
            if target:
                link = tarfile.TarInfo(name)
                link.type, link.linkname, link.mode = tarfile.SYMTYPE, target, 0o777
                out.addfile(link)
        for package in packages:
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                _append(process.stdout, out, written, excluded)
            if process.returncode:
                raise Failed(f"{package.name} cannot be unpacked: dpkg-deb ended with {process.returncode}")


def _append(stream: IO[bytes], out: tarfile.TarFile, written: set[str], excluded: Sequence[str]) -> None:
    with tarfile.open(fileobj=stream, mode="r|") as members:
        for member in members:
            member.name = _merged(member.name)
            if member.islnk():
                member.linkname = _merged(member.linkname)
            is_excluded = any(fnmatch.fnmatch(f"/{member.name}", pattern) for pattern in excluded)
            if member.name not in written and not is_excluded:
                written.add(member.name)
                out.addfile(member, members.extractfile(member) if member.isreg() else None)


def _merged(name: str) -> str:
    plain = name.removeprefix("./").strip("/") or "."
    first, slash, rest = plain.partition("/")
    return f"{MERGED[first]}/{rest}" if slash and first in MERGED else plain
