"""Every release's images on one engine, by reference: what plans name and the executor has made."""

from dataclasses import replace
from functools import cache

from howdah.clock import Clock
from howdah.errors import Bug
from howdah.imaging.builder import ImageBuilder, ImageSettings
from howdah.imaging.catalogue import DEFAULT, RELEASES, Kind, Release, find
from howdah.planning.containers import Images
from howdah.ports.engine import Engine, Lines


class Shelf:
    """A builder for each release, made at first use."""

    def __init__(self, engine: Engine, settings: ImageSettings, clock: Clock) -> None:
        def builder(release: Release) -> ImageBuilder:
            return ImageBuilder(engine, replace(settings, release=release), clock)

        self.builder = cache(builder)

    def references(self, hadoop: str, spark: str | None) -> Images:
        """What the images of these versions are called, there or not.

        Raises UserError for versions that do not go together.
        """
        builder = self.builder(find(hadoop, spark))
        return Images(builder.reference(Kind.HADOOP), builder.reference(Kind.SPARK) if spark else "")

    def helper(self) -> str:
        """The image of the helper container: a base image, for that has Python and no more."""
        return self.builder(DEFAULT).reference(Kind.BASE)

    def ensure(self, kind: str, reference: str, progress: Lines) -> bool:
        """Have that image. Raises what ImageBuilder.ensure raises."""
        for release in RELEASES:
            if kind in release.kinds and self.builder(release).reference(kind) == reference:
                return self.builder(release).ensure(kind, progress)
        raise Bug(f"no release has the image {reference}")
