import tarfile
from pathlib import Path

import pytest

from howdah.errors import Transient, UserError
from howdah.imaging import seed
from howdah.imaging.bootstrap import Bootstrap, mmdebstrap_command
from howdah.imaging.catalogue import DEFAULT, Kind
from howdah.imaging.contexts import Inputs, materialise, read_inputs
from howdah.imaging.progress import Reporter
from tests.unit.imaging.clocks import StepClock
from tests.unit.imaging.small_images import BuildingEngine, write_images

MAKES_A_TAR = 'for argument; do case "$argument" in *.tar) echo root > "$argument" ;; esac; done\n'


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only programs there are, so that a test does not depend on what its host has."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return read_inputs(write_images(tmp_path / "images"), Kind.BASE, DEFAULT, "amd64")


def install(programs: Path, name: str, script: str) -> None:
    (programs / name).write_text(f"#!/bin/sh\n{script}")
    (programs / name).chmod(0o755)


def bootstrap(inputs: Inputs, tmp_path: Path, said: list[str], *, is_root: bool) -> tuple[Bootstrap, BuildingEngine]:
    engine = BuildingEngine()
    context = tmp_path / "work" / "context"
    context.mkdir(parents=True)
    materialise(inputs, {}, context)
    reporter = Reporter(said.append, StepClock(), 0)
    return Bootstrap(engine, inputs, context, "", {"howdah.image": "base"}, reporter, is_root=is_root), engine


def test_root_bootstraps_and_imports(programs: Path, inputs: Inputs, tmp_path: Path) -> None:
    install(programs, "mmdebstrap", 'echo "I: installing essential packages..." >&2\n' + MAKES_A_TAR)
    said: list[str] = []
    making, engine = bootstrap(inputs, tmp_path, said, is_root=True)
    assert making.run("howdah/base:x") == "mmdebstrap"
    assert [image.reference for image in engine.images("howdah.image")] == ["howdah/base:x"]
    assert [line.split(": ", 1)[1] for line in said] == [
        "bootstrap trixie: mmdebstrap",
        "installing essential packages",
        "import it into the engine",
    ]
    assert not list(tmp_path.glob("work/*.tar"))


def test_the_command_is_that_of_the_shipped_files(inputs: Inputs) -> None:
    command = mmdebstrap_command(inputs, Path("/c"), "unshare", Path("/base.tar"), "http://mirror.example")
    assert command == [
        "mmdebstrap",
        "--mode=unshare",
        "--architectures=amd64",
        "--variant=minbase",
        "--format=tar",
        '--aptopt=A "b"',
        "--dpkgopt=path-exclude=/x",
        '--setup-hook=mkdir -p "$1/m"',
        "--customize-hook=sh '/c/base/customize' \"$1\"",
        "--include=openjdk-25-jre-headless,python3",
        "trixie",
        "/base.tar",
        "http://mirror.example",
    ]


@pytest.mark.parametrize("is_root", [True, False])
def test_where_there_is_no_way_every_way_is_named_with_the_fix(
    programs: Path, inputs: Inputs, tmp_path: Path, is_root: bool
) -> None:
    making, engine = bootstrap(inputs, tmp_path, [], is_root=is_root)
    with pytest.raises(UserError) as caught:
        making.run("howdah/base:x")
    assert "mmdebstrap" in caught.value.what
    assert "inside the engine: apt-get and dpkg-deb not installed" in caught.value.what
    assert "apt install mmdebstrap uidmap" in caught.value.fix
    assert "HOWDAH_REGISTRY" in caught.value.fix
    assert not engine.images("howdah.image")


def test_a_way_that_fails_is_told_in_the_end(programs: Path, inputs: Inputs, tmp_path: Path) -> None:
    install(programs, "mmdebstrap", 'echo "E: no such luck" >&2\nexit 25\n')
    said: list[str] = []
    making, _ = bootstrap(inputs, tmp_path, said, is_root=True)
    with pytest.raises(UserError) as caught:
        making.run("howdah/base:x")
    assert "mmdebstrap ended with 25: E: no such luck" in caught.value.what


def test_without_a_network_nothing_else_is_tried(programs: Path, inputs: Inputs, tmp_path: Path) -> None:
    failed = "W: Failed to fetch http://deb.example/dists/trixie  Temporary failure resolving 'deb.example'"
    install(programs, "mmdebstrap", f'echo "I: running apt-get update..."\necho "{failed}" >&2\nexit 25\n')
    said: list[str] = []
    making, _ = bootstrap(inputs, tmp_path, said, is_root=True)
    with pytest.raises(Transient) as caught:
        making.run("howdah/base:x")
    assert caught.value.what == "image base: could not finish running apt-get update: could not reach deb.example"
    assert caught.value.exit_code == 1


def test_a_user_without_a_range_of_ids_gets_the_next_way(programs: Path, inputs: Inputs, tmp_path: Path) -> None:
    install(programs, "mmdebstrap", MAKES_A_TAR)
    for name in ("newuidmap", "newgidmap"):
        install(programs, name, "exit 0\n")
    install(programs, "unshare", "exit 1\n")
    making, _ = bootstrap(inputs, tmp_path, [], is_root=False)
    with pytest.raises(UserError) as caught:
        making.run("howdah/base:x")
    assert "mmdebstrap in a user namespace: " in caught.value.what
    assert "no range for" in caught.value.what or "make namespaces" in caught.value.what


def test_unpacked_packages_share_folders_and_follow_the_merged_usr(programs: Path, tmp_path: Path) -> None:
    install(programs, "dpkg-deb", 'exec /bin/cat "$2"\n')
    packages = []
    for name, members in (
        ("a", ["./", "./bin/", "./bin/sh", "./usr/", "./usr/share/doc/a"]),
        ("b", ["./usr/", "./usr/bin/b"]),
    ):
        path = tmp_path / f"{name}.deb"
        with tarfile.open(path, "w") as out:
            for member in members:
                entry = tarfile.TarInfo(member.rstrip("/"))
                entry.type = tarfile.DIRTYPE if member.endswith("/") else tarfile.REGTYPE
                out.addfile(entry)
        packages.append(path)
    rootfs = tmp_path / "seed.tar"
    seed.unpack(packages, rootfs, ["/usr/share/doc/*"])
    with tarfile.open(rootfs) as found:
        names = found.getnames()
        assert len(names) == len(set(names))
        assert {"usr/bin/sh", "usr/bin/b"} <= set(names)
        assert "usr/share/doc/a" not in names
        assert found.getmember("bin").linkname == "usr/bin"


def test_security_updates_are_among_the_sources() -> None:
    assert seed.sources("trixie", "http://m.example/debian", "/k.gpg") == (
        "deb [signed-by=/k.gpg] http://m.example/debian trixie main\n"
        "deb [signed-by=/k.gpg] http://m.example/debian trixie-updates main\n"
    )
