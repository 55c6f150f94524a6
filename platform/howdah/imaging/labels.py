"""The labels of an image. They are in the engine's description of it, out of reach of what runs inside."""

import hashlib
from collections.abc import Iterable

IMAGE = "howdah.image"
"""The kind."""
INPUTS = "howdah.inputs"
"""The digest of everything that it was built from."""
MANIFEST = "howdah.manifest"
"""The SHA-256 of its list of files; empty for the base image, which has none."""
LAYERS = "howdah.layers"
"""The digest of its layers' digests."""
REWRITTEN = "howdah.rewritten"
"""``jar=sha256`` for each jar that the build itself made smaller after it was checked against the lock."""
BUILT = "howdah.built"
"""When, in UTC."""
WAY = "howdah.way"
"""By what."""


def layers_digest(layers: Iterable[str]) -> str:
    """One digest for the layers of an image, in their order."""
    return hashlib.sha256("\n".join(layers).encode()).hexdigest()
