import subprocess
import sys
from pathlib import Path

import pytest

from howdah import resources
from howdah.imaging.builder import ImageBuilder, ImageSettings
from howdah.imaging.catalogue import DEFAULT, Kind
from howdah.imaging.checking import CHECKER, MANIFEST_PATH, Change, against_locks, parse_report, rewritten_jars
from howdah.imaging.contexts import Inputs, read_inputs
from howdah.imaging.labels import IMAGE, INPUTS, MANIFEST, REWRITTEN
from howdah.ports.engine import ExecResult, InstanceSpec
from tests.unit.imaging.small_images import MANIFEST as LISTED
from tests.unit.imaging.small_images import BuildingEngine, digest_of, write_images


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return read_inputs(write_images(tmp_path / "images"), Kind.SPARK, DEFAULT, "amd64")


def test_jars_as_locked_and_jars_of_our_own_are_all_right(inputs: Inputs) -> None:
    assert against_locks(inputs, LISTED.encode(), {}) == []


def test_a_jar_that_differs_from_its_lock_is_found(inputs: Inputs) -> None:
    manifest = LISTED.replace("22  ", "23  ").encode()
    (found,) = against_locks(inputs, manifest, {})
    assert (found.file, found.change) == ("/opt/spark/jars/two.jar", Change.CHANGED)
    assert "locks/spark-4.3.0.sha256" in found.detail


def test_a_jar_that_the_build_made_smaller_is_known_by_its_new_sum_only(inputs: Inputs) -> None:
    manifest = LISTED.replace("22  ", "23  ").encode()
    rewritten = rewritten_jars(inputs, manifest)
    assert rewritten == {"/opt/spark/jars/two.jar": "23"}
    assert against_locks(inputs, manifest, rewritten) == []
    assert against_locks(inputs, LISTED.replace("22  ", "24  ").encode(), rewritten)


def test_a_jar_of_no_lock_is_found(inputs: Inputs) -> None:
    (found,) = against_locks(inputs, LISTED.encode() + b"55  /opt/hadoop/lib/more.jar\n", {})
    assert (found.file, found.change) == ("/opt/hadoop/lib/more.jar", Change.UNLISTED)


def test_the_shipped_checker_reports_as_it_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "opt"
    (folder / "deep").mkdir(parents=True)
    for name in ("same", "deep/changed", "more"):
        (folder / name).write_text(name)
    manifest = folder / "list"
    lines = {"same": digest_of("same"), "deep/changed": digest_of("before"), "gone": digest_of("gone")}
    manifest.write_text("".join(f"{digest}  {folder}/{name}\n" for name, digest in lines.items()))
    program = (resources.images() / CHECKER).read_text()
    # As in a container: the program's text as an argument.
    command = [sys.executable, "-I", "-S", "-E", "-c", program, str(manifest), str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert {(one.file, one.change) for one in parse_report(result.stderr)} == {
        ("/opt/deep/changed", Change.CHANGED),
        ("/opt/gone", Change.MISSING),
        ("/opt/more", Change.UNLISTED),
    }


@pytest.fixture
def engine() -> BuildingEngine:
    return BuildingEngine()


@pytest.fixture
def builder(engine: BuildingEngine, tmp_path: Path) -> ImageBuilder:
    builder = ImageBuilder(engine, ImageSettings(images=write_images(tmp_path / "shipped")))
    engine.add_image(builder.reference("base"), {INPUTS: builder._inputs_of("base").digest, IMAGE: "base"})
    builder.ensure("hadoop", lambda line: None)
    return builder


def test_what_the_checker_finds_comes_back_by_name(engine: BuildingEngine, builder: ImageBuilder) -> None:
    def answer(spec: InstanceSpec) -> ExecResult:
        if spec.command[0] == "cat":
            return ExecResult(0, LISTED.encode(), b"")
        assert spec.network == ""
        return ExecResult(1, b"", b"changed: hadoop/lib/one.jar is 1, expected 11\nmissing: hadoop/x\n2 of 3 differ\n")

    engine.on_run = answer
    assert [(one.file, one.change) for one in builder.verify("hadoop")] == [
        ("/opt/hadoop/lib/one.jar", Change.CHANGED),
        ("/opt/hadoop/x", Change.MISSING),
    ]


def test_a_list_that_was_changed_with_the_file_is_found_by_the_label(
    engine: BuildingEngine, builder: ImageBuilder
) -> None:
    engine.manifest = LISTED.replace("33  ", "34  ")
    (found,) = builder.verify("hadoop")
    assert (found.file, found.change) == (MANIFEST_PATH, Change.CHANGED)


def test_a_jar_that_was_changed_with_list_and_label_is_found_by_the_lock(
    engine: BuildingEngine, builder: ImageBuilder
) -> None:
    engine.manifest = LISTED.replace("11  ", "12  ")
    reference = builder.reference("hadoop")
    labels = engine.known_images[reference].labels
    assert not labels[REWRITTEN]
    forged = {**labels, MANIFEST: digest_of(engine.manifest)}
    layers = engine.known_images[reference].layers
    engine.add_image(reference, forged)
    assert {one.file for one in builder.verify("hadoop")} >= {"/opt/hadoop/lib/one.jar", "/"}
    assert engine.known_images[reference].layers != layers


def test_another_layer_on_top_is_found(engine: BuildingEngine, builder: ImageBuilder) -> None:
    reference = builder.reference("hadoop")
    engine.add_image(reference, engine.known_images[reference].labels)
    (found,) = builder.verify("hadoop")
    assert "other layers" in found.detail
