from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from howdah.errors import Failed, NotFound, Transient, UserError
from howdah.imaging.builder import ImageBuilder, ImageSettings
from howdah.imaging.labels import BUILT, IMAGE, INPUTS, LAYERS, MANIFEST
from howdah.imaging.listing import Standing
from howdah.ports.engine import InstanceSpec
from howdah.units import Bytes
from tests.unit.imaging.clocks import StepClock
from tests.unit.imaging.small_images import FILES, BuildingEngine, Output, digest_of, write_images
from tests.unit.imaging.small_images import MANIFEST as LISTED


@pytest.fixture
def engine() -> BuildingEngine:
    return BuildingEngine()


@pytest.fixture
def settings(tmp_path: Path) -> ImageSettings:
    (tmp_path / "temporary").mkdir()
    return ImageSettings(
        images=write_images(tmp_path / "images"), certificates={"host-1.crt": b"pem"}, temporary=tmp_path / "temporary"
    )


def with_base(engine: BuildingEngine, settings: ImageSettings) -> ImageBuilder:
    """A builder where the base image is there: making one needs real programs."""
    builder = ImageBuilder(engine, settings, StepClock())
    put(engine, builder, "base")
    return builder


def put(engine: BuildingEngine, builder: ImageBuilder, kind: str, reference: str = "") -> None:
    digest = builder._inputs_of(kind).digest
    engine.add_image(reference or builder.reference(kind), {INPUTS: digest, IMAGE: kind})


def ignore(line: str) -> None:
    del line


def test_an_image_is_built_after_what_it_is_built_on(engine: BuildingEngine, settings: ImageSettings) -> None:
    builder = with_base(engine, settings)
    said: list[str] = []
    assert builder.ensure("spark", said.append)
    references = [builder.reference(kind) for kind in ("hadoop", "spark")]
    assert [build.reference for build in engine.calls.builds if not build.reference.count("unfinished")] == references
    hadoop, _, spark, _ = engine.calls.builds
    assert hadoop.arguments == {
        "BASE": builder.reference("base"),
        "HADOOP_VERSION": "3.5.0",
        "SHARE_VERSION": "3.4.2",
        "TARGETARCH": "amd64",
    }
    assert spark.arguments["HADOOP_IMAGE"] == builder.reference("hadoop")
    assert "certificates/host-1.crt" in hadoop.files
    assert [line.split("] ")[1].split(" (")[0] for line in said][::3] == [
        "hadoop: fetch the packages",
        "spark: fetch the packages",
    ]


def test_what_is_there_is_not_built(engine: BuildingEngine, settings: ImageSettings) -> None:
    with_base(engine, settings).ensure("spark", ignore)
    engine.calls.builds.clear()
    said: list[str] = []
    assert not ImageBuilder(engine, settings).ensure("spark", said.append)
    assert not ImageBuilder(engine, settings).ensure("hadoop", said.append)
    assert not engine.calls.builds
    assert not said


def test_an_image_says_what_it_is_and_is_sealed(engine: BuildingEngine, settings: ImageSettings) -> None:
    builder = with_base(engine, settings)
    builder.ensure("hadoop", ignore)
    found = engine.image(builder.reference("hadoop"))
    assert found is not None
    assert found.labels[IMAGE] == "hadoop"
    assert found.labels[INPUTS].startswith(found.reference.rpartition("-")[2])
    assert found.labels["howdah.hadoop"] == "3.5.0"
    assert found.labels["howdah.java"] == "25"
    assert found.labels[MANIFEST] == digest_of(LISTED)
    assert found.labels[LAYERS]
    assert builder.verify("hadoop") == ()


def test_nothing_is_left_of_a_build_but_the_image(engine: BuildingEngine, settings: ImageSettings) -> None:
    builder = with_base(engine, settings)
    builder.ensure("hadoop", ignore)
    assert {image.reference for image in engine.images(IMAGE)} == {
        builder.reference("base"),
        builder.reference("hadoop"),
    }
    assert settings.temporary is not None
    assert not list(settings.temporary.iterdir())


@pytest.mark.parametrize("kind", [KeyboardInterrupt, Failed])
def test_a_build_that_ends_early_leaves_nothing_under_the_name(
    engine: BuildingEngine, settings: ImageSettings, kind: type[BaseException]
) -> None:
    builder = with_base(engine, settings)

    def stop(spec: InstanceSpec) -> None:
        raise kind("stopped between build and name")

    engine.on_run = stop  # type: ignore[assignment]
    with pytest.raises(kind):
        builder.ensure("hadoop", ignore)
    assert [image.reference for image in engine.images(IMAGE)] == [builder.reference("base")]
    assert settings.temporary is not None
    assert not list(settings.temporary.iterdir())


def test_an_image_of_the_same_name_but_other_inputs_is_built_again(
    engine: BuildingEngine, settings: ImageSettings
) -> None:
    builder = with_base(engine, settings)
    engine.add_image(builder.reference("hadoop"), {INPUTS: "something else"})
    assert builder.ensure("hadoop", ignore)
    assert not builder.ensure("hadoop", ignore)


def test_another_process_that_names_its_own_image_at_the_same_moment_does_no_harm(
    engine: BuildingEngine, settings: ImageSettings
) -> None:
    builder = with_base(engine, settings)
    reference = builder.reference("hadoop")
    build_image = engine.build_image

    def overtaken(name: str, *arguments: Any, **options: Any) -> None:
        build_image(name, *arguments, **options)
        if name == reference:
            ours = engine.known_images[name]
            labels = {**ours.labels, BUILT: "2026-01-01T00:00:07+00:00"}
            engine.known_images[name] = replace(ours, labels=labels)

    engine.build_image = overtaken  # type: ignore[method-assign, assignment]
    assert builder.ensure("hadoop", ignore)


def test_an_image_without_a_list_of_its_files_gets_no_name(engine: BuildingEngine, settings: ImageSettings) -> None:
    builder = with_base(engine, settings)
    engine.manifest = ""
    with pytest.raises(Failed) as caught:
        builder.ensure("hadoop", ignore)
    assert "no list of its files" in caught.value.what
    assert engine.image(builder.reference("hadoop")) is None


def test_a_jar_that_no_lock_has_gets_no_name(engine: BuildingEngine, settings: ImageSettings) -> None:
    builder = with_base(engine, settings)
    engine.manifest = LISTED + "99  /opt/hadoop/lib/strange.jar\n"
    with pytest.raises(Failed) as caught:
        builder.ensure("hadoop", ignore)
    assert "/opt/hadoop/lib/strange.jar is unlisted" in caught.value.what
    assert engine.image(builder.reference("hadoop")) is None


def test_a_build_that_reaches_nothing_says_what_and_in_which_step(
    engine: BuildingEngine, settings: ImageSettings
) -> None:
    builder = with_base(engine, settings)
    engine.output = Output(
        ("Step 1/9 : FROM b AS fetch", "Err:1 http://deb.example trixie Temporary failure resolving 'deb.example'"),
        "exit 100",
    )
    with pytest.raises(Transient) as caught:
        builder.ensure("hadoop", ignore)
    assert caught.value.what == "image hadoop: could not fetch the packages: could not reach deb.example"


def test_a_registry_is_asked_first_and_saves_the_parents(engine: BuildingEngine, settings: ImageSettings) -> None:
    builder = ImageBuilder(engine, replace(settings, registry="registry.example:5000/team/"), StepClock())
    remote = f"registry.example:5000/team/{builder.reference('spark')}"
    put(engine, builder, "spark", remote)
    engine.registry[remote] = engine.known_images.pop(remote)
    assert builder.ensure("spark", ignore)
    assert [image.reference for image in engine.images(IMAGE)] == [builder.reference("spark")]
    assert engine.calls.pulls == [remote]


def test_what_the_registry_lacks_is_built(engine: BuildingEngine, settings: ImageSettings) -> None:
    builder = with_base(engine, replace(settings, registry="registry.example"))
    said: list[str] = []
    assert builder.ensure("hadoop", said.append)
    assert any("built instead" in line for line in said)


def test_a_registry_that_gives_something_else_is_not_believed(engine: BuildingEngine, settings: ImageSettings) -> None:
    builder = with_base(engine, replace(settings, registry="registry.example"))
    remote = f"registry.example/{builder.reference('hadoop')}"
    engine.add_image(remote, {INPUTS: "others", IMAGE: "hadoop"})
    engine.registry[remote] = engine.known_images.pop(remote)
    with pytest.raises(Failed) as caught:
        builder.ensure("hadoop", ignore)
    assert remote in caught.value.what
    assert engine.image(builder.reference("hadoop")) is None
    assert engine.image(remote) is None


def test_references_do_not_depend_on_the_hosts_certificates(engine: BuildingEngine, settings: ImageSettings) -> None:
    other = replace(settings, certificates={"another.crt": b"x"})
    assert ImageBuilder(engine, settings).reference("spark") == ImageBuilder(engine, other).reference("spark")


def test_unknown_kinds_are_the_users_mistake(engine: BuildingEngine, settings: ImageSettings) -> None:
    with pytest.raises(NotFound):
        ImageBuilder(engine, settings).ensure("hive", ignore)
    without_spark = replace(settings, release=replace(settings.release, spark=""))
    with pytest.raises(NotFound) as caught:
        ImageBuilder(engine, without_spark).reference("spark")
    assert "base, hadoop" in caught.value.fix


def test_checking_what_is_not_there_says_how_to_have_it(engine: BuildingEngine, settings: ImageSettings) -> None:
    with pytest.raises(UserError) as caught:
        ImageBuilder(engine, settings).verify("hadoop")
    assert caught.value.fix == "howdah image build hadoop"


def test_the_list_says_what_is_current_and_what_is_in_use(engine: BuildingEngine, settings: ImageSettings) -> None:
    builder = with_base(engine, settings)
    builder.ensure("hadoop", ignore)
    engine.add_image("howdah/hadoop:3.5.0-000000000000", {IMAGE: "hadoop"})
    engine.add_image("howdah/hadoop:unfinished-000000000000-1", {IMAGE: "hadoop"})
    engine.add_image("somebody/elses", {})
    reference = builder.reference("hadoop")
    engine.ensure_instance(InstanceSpec("x", reference, ("true",), "x", "", {}, memory=Bytes(1)))
    listed = {image.reference: image for image in builder.images()}
    assert {reference: image.standing for reference, image in listed.items()} == {
        builder.reference("base"): Standing.CURRENT,
        reference: Standing.CURRENT,
        "howdah/hadoop:3.5.0-000000000000": Standing.OUTDATED,
        "howdah/hadoop:unfinished-000000000000-1": Standing.UNFINISHED,
    }
    assert [image.reference for image in listed.values() if image.is_in_use] == [reference]
    assert listed[reference].age is not None
    assert listed["howdah/hadoop:3.5.0-000000000000"].age is None


def test_what_killed_builds_left_goes_with_a_later_build(engine: BuildingEngine, settings: ImageSettings) -> None:
    builder = with_base(engine, settings)
    long_ago = StepClock().now() - timedelta(hours=7)
    just_now = StepClock().now() - timedelta(hours=1)
    for name, built in (("a", long_ago), ("b", just_now)):
        engine.add_image(f"howdah/hadoop:unfinished-{name}", {IMAGE: "hadoop", BUILT: built.isoformat()})
    builder.ensure("hadoop", ignore)
    assert engine.image("howdah/hadoop:unfinished-a") is None
    assert engine.image("howdah/hadoop:unfinished-b") is not None


def test_the_small_images_are_like_the_shipped_ones() -> None:
    assert "hadoop/Dockerfile" in FILES
