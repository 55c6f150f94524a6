"""The images that an engine has, and which of them are of any use."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from howdah.imaging.labels import BUILT, IMAGE
from howdah.ports.engine import Engine, ImageState
from howdah.units import Bytes

UNFINISHED = "unfinished-"
"""How the tag of an image begins while it is built."""
_LEFTOVER = timedelta(hours=6)


class Standing(StrEnum):
    """Whether this version of howdah would build the same."""

    CURRENT = "current"
    OUTDATED = "outdated"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class ListedImage:
    """One image.

    ``age`` is None where the image does not say when it was built. ``size`` counts layers that others share.
    """

    kind: str
    reference: str
    size: Bytes
    age: timedelta | None
    is_in_use: bool
    standing: Standing


def listed(engine: Engine, current: Collection[str], now: datetime) -> tuple[ListedImage, ...]:
    """Every image of howdah's; in use where a container, running or not, is made of it."""
    used = {container.image for container in engine.list({})}
    return tuple(
        ListedImage(
            kind=image.labels.get(IMAGE, ""),
            reference=image.reference,
            size=image.size,
            age=_age(image, now),
            is_in_use=image.reference in used or image.digest in used,
            standing=_standing(image, current),
        )
        for image in engine.images(IMAGE)
        # Steps of earlier builds carry the label too; they are the engine's build cache.
        if not image.reference.startswith("sha256:") or image.digest in used
    )


def remove_leftovers(engine: Engine, now: datetime) -> None:
    """Remove what killed builds left under their temporary names."""
    for image in engine.images(IMAGE):
        age = _age(image, now)
        if f":{UNFINISHED}" in image.reference and age is not None and age > _LEFTOVER:
            engine.remove_image(image.reference)


def _standing(image: ImageState, current: Collection[str]) -> Standing:
    if f":{UNFINISHED}" in image.reference:
        return Standing.UNFINISHED
    return Standing.CURRENT if image.reference in current else Standing.OUTDATED


def _age(image: ImageState, now: datetime) -> timedelta | None:
    try:
        return now - datetime.fromisoformat(image.labels.get(BUILT, ""))
    except (ValueError, TypeError):
        return None
