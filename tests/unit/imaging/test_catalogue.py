import pytest

from howdah import resources
from howdah.errors import NotFound, UserError
from howdah.hadoop import versions
from howdah.imaging import catalogue
from howdah.imaging.catalogue import RELEASES, Kind
from howdah.imaging.contexts import read_inputs


def test_every_supported_version_has_its_images_and_no_other() -> None:
    supported = {(row.hadoop, row.java, spark) for row in versions.supported() for spark in row.spark or ("",)}
    assert {(release.hadoop, release.java, release.spark) for release in RELEASES} == supported


@pytest.mark.parametrize("release", RELEASES, ids=str)
def test_what_is_listed_is_shipped(release: catalogue.Release) -> None:
    for architecture in release.architectures:
        for kind in release.kinds:
            assert read_inputs(resources.images(), kind, release, architecture).files


def test_versions_that_are_not_there_are_answered_with_those_that_are() -> None:
    assert catalogue.find("3.5.0").spark == "4.3.0"
    for hadoop, spark in (("3.3.6", None), ("3.4.2", "4.3.0"), ("3.5.0", "3.5.1")):
        with pytest.raises(UserError) as caught:
            catalogue.find(hadoop, spark)
        assert "Hadoop 3.5.0 on Java 25 with Spark 4.3.0" in caught.value.fix


def test_an_engine_of_another_architecture_is_refused_by_name() -> None:
    assert catalogue.architecture(catalogue.DEFAULT, "x86_64") == "amd64"
    with pytest.raises(UserError) as caught:
        catalogue.architecture(catalogue.DEFAULT, "s390x")
    assert "s390x" in caught.value.what


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    with pytest.raises(NotFound) as caught:
        Kind.parse("hive")
    assert "base, hadoop, spark" in caught.value.fix
