import os
import time
from pathlib import Path

import pytest

from howdah import resources
from howdah.errors import Bug
from howdah.imaging.catalogue import DEFAULT, Kind
from howdah.imaging.contexts import Inputs, copied, materialise, read_inputs
from tests.unit.imaging.small_images import write_images


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_images(tmp_path / "images")


def read(images: Path, kind: Kind = Kind.SPARK, architecture: str = "amd64") -> Inputs:
    return read_inputs(images, kind, DEFAULT, architecture)


def references(images: Path, architecture: str = "amd64") -> dict[Kind, str]:
    return {kind: read(images, kind, architecture).reference for kind in Kind}


def test_a_reference_names_kind_version_and_inputs(images: Path) -> None:
    inputs = read(images, Kind.HADOOP)
    assert inputs.reference == f"howdah/hadoop:3.5.0-{inputs.digest[:12]}"
    assert read(images, Kind.BASE).reference.startswith("howdah/base:trixie-java25-")


def test_the_inputs_are_what_the_dockerfile_copies_and_nothing_else(images: Path) -> None:
    assert list(read(images, Kind.HADOOP).files) == [
        "certificates/README",
        "hadoop/Dockerfile",
        "hadoop/a",
        "hadoop/b",
        "locks/hadoop-3.5.0.sha256",
        "runtime/check_files.py",
        "runtime/deep/check.py",
    ]
    assert list(read(images, Kind.BASE).files) == ["base/customize", "base/options", "base/packages-trixie-java25"]


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("base/packages-trixie-java25", {Kind.BASE, Kind.HADOOP, Kind.SPARK}),
        ("base/customize", {Kind.BASE, Kind.HADOOP, Kind.SPARK}),
        ("hadoop/Dockerfile", {Kind.HADOOP, Kind.SPARK}),
        ("locks/hadoop-3.5.0.sha256", {Kind.HADOOP, Kind.SPARK}),
        ("runtime/deep/check.py", {Kind.HADOOP, Kind.SPARK}),
        ("spark/Dockerfile", {Kind.SPARK}),
        ("hadoop/unused", set()),
        ("locks/hadoop-3.4.2.sha256", set()),
        ("base/packages-bookworm-java17", set()),
        ("README.md", set()),
        ("runtime/__pycache__/check.cpython-313.pyc", set()),
        ("runtime/.check.py.swp", set()),
        ("certificates/somebodys.crt", set()),
    ],
)
def test_a_reference_changes_with_its_inputs_only(images: Path, name: str, changed: set[Kind]) -> None:
    before = references(images)
    (images / name).parent.mkdir(parents=True, exist_ok=True)
    with (images / name).open("a") as file:
        file.write("# more\n")
    after = references(images)
    assert {kind for kind in Kind if before[kind] != after[kind]} == changed


def test_a_new_file_of_a_copied_folder_counts(images: Path) -> None:
    before = references(images)
    (images / "runtime/more.py").write_text("")
    assert references(images)[Kind.HADOOP] != before[Kind.HADOOP]


def test_moving_text_from_one_file_to_the_next_counts(images: Path) -> None:
    before = references(images)
    (images / "hadoop/a").write_text("")
    (images / "hadoop/b").write_text("ab")
    assert references(images)[Kind.HADOOP] != before[Kind.HADOOP]


def test_time_modes_and_place_do_not_count(images: Path, tmp_path: Path) -> None:
    elsewhere = write_images(tmp_path / "else" / "where")
    for path in elsewhere.rglob("*"):
        os.utime(path, (1, 1))
        if path.is_file():
            path.chmod(0o700)
    assert references(elsewhere) == references(images)


def test_the_architecture_counts(images: Path) -> None:
    assert not set(references(images).values()) & set(references(images, "arm64").values())


def test_what_is_copied_but_not_there_is_our_mistake(images: Path) -> None:
    (images / "hadoop/b").unlink()
    with pytest.raises(Bug) as caught:
        read(images, Kind.HADOOP)
    assert "hadoop/b" in caught.value.what


def test_the_references_of_what_is_shipped_take_no_time() -> None:
    images = resources.images()
    read(images)
    fastest = min(_seconds(images) for _ in range(5))
    assert fastest < 0.02


def _seconds(images: Path) -> float:
    started = time.perf_counter()
    assert read(images).reference
    return time.perf_counter() - started


def test_a_context_is_the_inputs_and_the_certificates(images: Path, tmp_path: Path) -> None:
    folder = tmp_path / "context"
    folder.mkdir(mode=0o700)
    inputs = read(images, Kind.HADOOP)
    materialise(inputs, {"host-1.crt": b"pem"}, folder)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {*inputs.files, "certificates/host-1.crt"}
    assert (folder / "runtime/deep/check.py").read_text() == "pass\n"
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o644}
    assert {path.stat().st_mode & 0o777 for path in [folder, *folder.rglob("*")] if path.is_dir()} == {0o755}


def test_copies_from_other_stages_and_comments_are_no_inputs() -> None:
    text = "ARG V=1\nARG W\nCOPY --from=x /a /b\n# COPY c d\n"
    text += "COPY --chown=1:1 e-$V \\\n  # said\n  f-${W} /g\nadd h.tar /\n"
    assert list(copied(text, {"W": "2"})) == ["e-1", "f-2", "h.tar"]
