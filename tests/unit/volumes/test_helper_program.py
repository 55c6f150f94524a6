"""Killed anywhere, an operation asked again ends the same: with every system call of it as the place."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from howdah.testing.faults import Killed
from howdah.testing.volumes_contract import FolderDisk, identity_of
from howdah.volumes import reading
from howdah.volumes.helper_program import Host, answer

USER = os.geteuid()
CALLS = ("mkdir", "rename", "chown", "fchmod", "fsync", "unlink", "rmdir")
IDENTITY = asdict(identity_of())
UUID = IDENTITY["volume"]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(str(tmp_path), USER)


def killed_at(monkeypatch: pytest.MonkeyPatch, number: int, operation: Callable[[], object]) -> bool:
    """Run it until the system call of that number, which kills it; False when it ended before."""
    count = 0

    def counting(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count == number:
                raise Killed
            return real(*arguments, **named)

        return call

    with monkeypatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, counting(getattr(os, name)))
        try:
            operation()
        except Killed:
            return True
    return False


def every_kill(
    monkeypatch: pytest.MonkeyPatch, prepare: Callable[[Path], Host], folder: Path, operation: Callable[[Host], object]
) -> list[Host]:
    """The host after each possible kill."""
    hosts = []
    for number in range(1, 100):
        host = prepare(folder / str(number))
        hosts.append(host)
        if not killed_at(monkeypatch, number, lambda host=host: operation(host)):  # type: ignore[misc]
            return hosts
    raise AssertionError("more than a hundred system calls")


def new_host(folder: Path) -> Host:
    folder.mkdir()
    return Host(str(folder), USER)


def test_a_killed_creation_is_nothing_or_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = {"definition.yaml": "howdah: 1\n"}
    hosts = every_kill(monkeypatch, new_host, tmp_path, lambda host: host.create(IDENTITY, documents))
    assert len(hosts) > 5
    for host in hosts:
        found = host.survey()["volumes"]
        assert found == [] or found[0]["identity"]["volume"] == UUID
        host.create(IDENTITY, documents)
        after = host.survey()["volumes"][0]
        assert (after["is_empty"], after["owner_uid"]) == (True, USER)
        assert [name for name in os.listdir(host.volumes) if name != UUID] == []


def test_a_killed_stamp_leaves_the_old_identity_or_the_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(folder: Path) -> Host:
        host = new_host(folder)
        host.create(IDENTITY, {"definition.yaml": "old"})
        return host

    later = IDENTITY | {"incarnation": 2}
    for host in every_kill(monkeypatch, prepare, tmp_path, lambda host: host.stamp(later, {"definition.yaml": "new"})):
        assert host.survey()["volumes"][0]["identity"]["incarnation"] in (1, 2)
        host.stamp(later, {"definition.yaml": "new"})
        assert host.survey()["volumes"][0]["identity"]["incarnation"] == 2
        assert not host.stamp(later, {"definition.yaml": "new"})


def test_a_killed_bundle_is_never_half_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    static, live = {"a.xml": "a", "b.xml": "b"}, {"hosts": "h"}
    operation: Callable[[Host], object] = lambda host: host.write_bundle("c", "nn1", "d", static, live)  # noqa: E731
    for host in every_kill(monkeypatch, new_host, tmp_path, operation):
        if host.survey()["bundles"]:
            assert sorted(os.listdir(Path(host.bundles) / "c/nn1/static-d")) == ["a.xml", "b.xml"]
        operation(host)
        assert sorted(os.listdir(Path(host.bundles) / "c/nn1")) == ["live", "static-d"]
        assert not operation(host)


def test_a_killed_removal_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(folder: Path) -> Host:
        host = new_host(folder)
        host.create(IDENTITY, {})
        FolderDisk(folder).format(UUID, "CID-1")
        host.bury(UUID)
        return host

    for host in every_kill(monkeypatch, prepare, tmp_path, lambda host: host.remove(UUID)):
        host.remove(UUID)
        assert host.survey()["volumes"] == []


def test_an_identity_of_a_later_format_is_not_understood(host: Host) -> None:
    host.create(IDENTITY, {})
    file = Path(host.volumes) / UUID / "identity/volume.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"schema": 2}))
    assert host.survey()["volumes"][0]["identity"] is None
    said = answer({"root": host.root, "operation": "stamp", "arguments": {"identity": IDENTITY, "documents": {}}})
    assert "cannot be read" in said["refused"]


def test_of_a_large_image_only_the_sum_is_looked_for(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.create(IDENTITY, {})
    FolderDisk(Path(host.root)).format(UUID, "CID-1")
    current = Path(host.volumes) / UUID / "data/name/current"
    for image in (one for one in current.iterdir() if one.name.startswith("fsimage") and not one.suffix):
        image.write_bytes(b"damaged")
    assert not host.survey()["volumes"][0]["has_image"]
    monkeypatch.setattr(reading, "LARGE_IMAGE", 3)
    assert host.survey()["volumes"][0]["has_image"]


def test_what_is_no_volume_is_not_listed(host: Host) -> None:
    host.create(IDENTITY, {})
    (Path(host.volumes) / "lost+found").mkdir()
    (Path(host.volumes) / "notes.txt").write_text("")
    assert [found["volume"] for found in host.survey()["volumes"]] == [UUID]


def test_a_new_disk_with_lost_and_found_counts_as_empty(host: Host) -> None:
    host.create(IDENTITY, {})
    (Path(host.volumes) / UUID / "data/lost+found").mkdir()
    assert host.survey()["volumes"][0]["is_empty"]
