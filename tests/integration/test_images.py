"""Images in a real engine. What is not there yet is built first, which takes minutes and a network."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from howdah import resources
from howdah.clock import SystemClock
from howdah.engines.docker import DockerEngine
from howdah.errors import Failed
from howdah.imaging import checking, seed
from howdah.imaging.builder import ImageBuilder, ImageSettings
from howdah.imaging.catalogue import DEFAULT, Kind
from howdah.imaging.certificates import added_certificates
from howdah.imaging.checking import Change
from howdah.imaging.contexts import materialise, read_inputs
from howdah.imaging.labels import IMAGE, INPUTS
from howdah.imaging.progress import Phases, Reporter
from howdah.imaging.workspace import workspace

pytestmark = [pytest.mark.engine, pytest.mark.network]

QUICK = """\
ARG BASE
FROM ${BASE} AS fetch
COPY certificates/ /c/
ARG HADOOP_VERSION
COPY locks/hadoop-${HADOOP_VERSION}.sha256 /lock
RUN sleep 2 && mkdir -p /opt/howdah
FROM fetch AS final
RUN sha256sum /lock >/opt/howdah/manifest.sha256
"""


@pytest.fixture(scope="module")
def engine() -> DockerEngine:
    return DockerEngine()


@pytest.fixture(scope="module")
def settings() -> ImageSettings:
    return ImageSettings(certificates=added_certificates(os.environ))


@pytest.fixture(scope="module")
def builder(engine: DockerEngine, settings: ImageSettings) -> ImageBuilder:
    builder = ImageBuilder(engine, settings)
    builder.ensure("hadoop", print)
    return builder


@pytest.fixture
def doctored(engine: DockerEngine, builder: ImageBuilder, tmp_path: Path) -> Iterator[tuple[Path, ImageBuilder]]:
    """A copy of the shipped images whose Hadoop is quick to build, on the real base image."""
    images = tmp_path / "images"
    shutil.copytree(resources.images(), images)
    # A sum of its own, so that two runs at a time do not meet.
    (images / "locks/hadoop-3.5.0.sha256").write_text(f"{time.time_ns():064}  lib/hadoop-common-3.5.0.jar\n")
    (images / "hadoop/Dockerfile").write_text(QUICK)
    quick = ImageBuilder(engine, ImageSettings(images=images, temporary=tmp_path))
    yield images, quick
    engine.remove_image(quick.reference("hadoop"))


def unfinished(engine: DockerEngine, builder: ImageBuilder) -> list[str]:
    digits = builder.reference("hadoop").rpartition("-")[2]
    return [image.reference for image in engine.images(IMAGE) if f"unfinished-{digits}" in image.reference]


def test_what_is_built_is_found_in_under_a_second(engine: DockerEngine, builder: ImageBuilder) -> None:
    before = {image.digest for image in engine.images(IMAGE)}
    started = time.perf_counter()
    assert not ImageBuilder(engine, ImageSettings()).ensure("hadoop", pytest.fail)
    assert time.perf_counter() - started < 1
    assert {image.digest for image in engine.images(IMAGE)} == before


def test_an_image_is_as_it_was_built(builder: ImageBuilder) -> None:
    assert builder.verify("base") == ()
    assert builder.verify("hadoop") == ()


def test_a_changed_a_missing_and_an_additional_file_are_found(
    engine: DockerEngine, builder: ImageBuilder, tmp_path: Path
) -> None:
    reference = "howdah-test/images:changed"
    changed = "/opt/hadoop/lib/hadoop-common-3.5.0.jar"
    (tmp_path / "Dockerfile").write_text(
        f"FROM {builder.reference('hadoop')}\nUSER root\n"
        f"RUN echo x >>{changed} && rm /opt/howdah/relay.py && echo y >/opt/hadoop/lib/more.jar\nUSER 10001:10001\n"
    )
    build(engine, reference, tmp_path)
    try:
        inputs = read_inputs(resources.images(), Kind.HADOOP, DEFAULT, "amd64")
        found = {(one.file, one.change) for one in checking.verify(engine, reference, inputs, resources.images())}
    finally:
        engine.remove_image(reference)
    assert found == {
        ("/", Change.CHANGED),
        (changed, Change.CHANGED),
        ("/opt/howdah/relay.py", Change.MISSING),
        ("/opt/hadoop/lib/more.jar", Change.UNLISTED),
    }


def test_a_jar_that_is_changed_together_with_the_list_is_found(
    engine: DockerEngine, builder: ImageBuilder, tmp_path: Path
) -> None:
    reference = "howdah-test/images:forged"
    changed = "/opt/hadoop/lib/hadoop-common-3.5.0.jar"
    (tmp_path / "Dockerfile").write_text(
        f"FROM {builder.reference('hadoop')}\nUSER root\n"
        f'RUN echo x >>{changed} && sum=$(sha256sum {changed} | cut -d" " -f1) '
        f"&& sed -i 's|^.*  {changed}$|'$sum'  {changed}|' {checking.MANIFEST_PATH}\nUSER 10001:10001\n"
    )
    build(engine, reference, tmp_path)
    try:
        inputs = read_inputs(resources.images(), Kind.HADOOP, DEFAULT, "amd64")
        found = {one.file for one in checking.verify(engine, reference, inputs, resources.images())}
    finally:
        engine.remove_image(reference)
    assert found == {"/", checking.MANIFEST_PATH, changed}


def test_a_jar_that_is_not_the_locks_stops_the_build_and_is_named(
    engine: DockerEngine, doctored: tuple[Path, ImageBuilder]
) -> None:
    images, _ = doctored
    shipped = (resources.images() / "hadoop/Dockerfile").read_text()
    # The shipped stage that checks, on a jar that is not what it says; without what comes after the check.
    checks = "FROM fetch AS assemble" + shipped.split("FROM fetch AS assemble")[1].split("\nFROM ")[0]
    assert "check_files.py" in checks
    (images / "hadoop/Dockerfile").write_text(
        "ARG BASE\nFROM ${BASE} AS fetch\nCOPY certificates/ /c/\n"
        "RUN mkdir -p /fetch/jars/lib && echo evil >/fetch/jars/lib/hadoop-common-3.5.0.jar\n"
        f"{checks}\nFROM assemble AS final\nRUN true\n"
    )
    builder = ImageBuilder(engine, ImageSettings(images=images))
    with pytest.raises(Failed) as caught:
        builder.ensure("hadoop", print)
    assert "changed: lib/hadoop-common-3.5.0.jar" in caught.value.what
    assert engine.image(builder.reference("hadoop")) is None
    assert not unfinished(engine, builder)


def test_a_killed_build_leaves_no_image_and_the_next_one_builds_it(
    engine: DockerEngine, doctored: tuple[Path, ImageBuilder]
) -> None:
    images, builder = doctored
    program = (
        "import sys; from pathlib import Path\n"
        "from howdah.engines.docker import DockerEngine\n"
        "from howdah.imaging.builder import ImageBuilder, ImageSettings\n"
        "settings = ImageSettings(images=Path(sys.argv[1]), temporary=Path(sys.argv[1]).parent)\n"
        "ImageBuilder(DockerEngine(), settings).ensure('hadoop', lambda line: print(line, flush=True))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(images)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(resources.images().parent / "platform")},
    ) as process:
        assert process.stdout is not None
        assert "fetch the packages" in process.stdout.readline()
        process.kill()
    assert engine.image(builder.reference("hadoop")) is None
    assert builder.ensure("hadoop", print)
    assert builder._is_there(builder._inputs_of("hadoop"))


def test_two_builds_at_a_time_end_with_one_good_image(
    engine: DockerEngine, doctored: tuple[Path, ImageBuilder], tmp_path: Path
) -> None:
    images, _ = doctored
    builders = [ImageBuilder(engine, ImageSettings(images=images, temporary=tmp_path)) for _ in range(2)]
    results: list[bool] = []
    threads = [threading.Thread(target=lambda b=one: results.append(b.ensure("hadoop", print))) for one in builders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    found = engine.image(builders[0].reference("hadoop"))
    assert found is not None
    assert found.labels[INPUTS].startswith(found.reference.rpartition("-")[2])
    assert not unfinished(engine, builders[0])


@pytest.mark.slow
@pytest.mark.parametrize("program", ["python3", "java"])
def test_a_base_image_made_inside_the_engine_has_its_programs_and_user(
    engine: DockerEngine, made_inside: str, program: str, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(
        f'FROM {made_inside}\nRUN dpkg --audit && test -z "$(dpkg --audit)"\nUSER hadoop\nRUN {program} --version\n'
    )
    reference = "howdah-test/images:inside"
    build(engine, reference, tmp_path)
    engine.remove_image(reference)


@pytest.fixture(scope="module")
def made_inside(engine: DockerEngine) -> Iterator[str]:
    if missing := seed.missing(""):
        pytest.skip(f"not possible on this host: {missing}")
    reference = "howdah-test/base:inside"
    inputs = read_inputs(resources.images(), Kind.BASE, DEFAULT, "amd64")
    clock = SystemClock()
    phases = Phases(Reporter(print, clock, clock.monotonic()), "base")
    with workspace() as folder:
        (folder / "context").mkdir()
        materialise(inputs, {}, folder / "context")
        seed.build(engine, reference, {}, inputs, folder / "context", "", phases)
    yield reference
    engine.remove_image(reference)


def build(engine: DockerEngine, reference: str, context: Path) -> None:
    engine.build_image(reference, context, dockerfile="Dockerfile", target="", arguments={}, labels={}, progress=print)
