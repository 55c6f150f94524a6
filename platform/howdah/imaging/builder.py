"""Having images: found in the engine, else pulled from a registry, else built."""

import hashlib
import logging
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from howdah import resources
from howdah.clock import Clock, SystemClock
from howdah.errors import Failed, HowdahError, NotFound, Transient
from howdah.imaging import catalogue, checking, listing
from howdah.imaging.bootstrap import Bootstrap
from howdah.imaging.catalogue import Kind, Release
from howdah.imaging.causes import explained
from howdah.imaging.contexts import Inputs, dockerfile, materialise, read_inputs
from howdah.imaging.labels import BUILT, IMAGE, INPUTS, LAYERS, MANIFEST, REWRITTEN, WAY, layers_digest
from howdah.imaging.progress import Phases, Reporter
from howdah.imaging.workspace import workspace
from howdah.ports.engine import Engine, ImageState, Lines

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """What decides how images are had.

    ``images`` is the folder of build inputs. ``registry`` (``host[:port]/prefix``, empty for none) is a container
    registry that is asked before anything is built; ``mirror`` a mirror of Debian. ``certificates`` are the host's
    own, by file name. ``temporary`` is for files of a build, about 1 GiB; None for the host's choice.
    """

    images: Path = field(default_factory=resources.images)
    release: Release = catalogue.DEFAULT
    registry: str = ""
    mirror: str = ""
    certificates: Mapping[str, bytes] = field(default_factory=dict)
    temporary: Path | None = None


class ImageBuilder:
    """The images of one release in one engine."""

    def __init__(self, engine: Engine, settings: ImageSettings, clock: Clock | None = None) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock or SystemClock()
        self._inputs: dict[Kind, Inputs] = {}

    def reference(self, kind: str) -> str:
        """The name that the image has in the engine, built or not. Raises NotFound for an unknown kind."""
        return self._inputs_of(kind).reference

    def ensure(self, kind: str, progress: Lines) -> bool:
        """Have the image and what it is built on; False where it was there.

        Killed at any point it leaves nothing under the image's name, and two at a time do no harm: a name is given
        to a whole image only. Raises UserError where this host has no way to make the base image, Transient where
        the network is away, Failed otherwise.
        """
        inputs = self._inputs_of(kind)
        if self._is_there(inputs):
            return False
        reporter = Reporter(progress, self._clock, self._clock.monotonic())
        listing.remove_leftovers(self._engine, self._clock.now())
        self._make(inputs, reporter)
        return True

    def verify(self, kind: str) -> tuple[checking.Difference, ...]:
        """What in the image is not as it was built. Raises NotFound where it is not there."""
        inputs = self._inputs_of(kind)
        return checking.verify(self._engine, inputs.reference, inputs, self._settings.images)

    def images(self) -> tuple[listing.ListedImage, ...]:
        """Every image of howdah's in the engine."""
        current = {self._inputs_of(kind).reference for kind in self._settings.release.kinds}
        return listing.listed(self._engine, current, self._clock.now())

    def _inputs_of(self, name: str) -> Inputs:
        """Read once, so that all that one builder does is of one state of the files. Raises NotFound."""
        kind, release = Kind.parse(name), self._settings.release
        if kind not in release.kinds:
            raise NotFound(f"there is no image {kind} of {release}", fix=f"one of: {', '.join(release.kinds)}")
        if not self._inputs:
            architecture = catalogue.architecture(release, self._engine.capacity().architecture)
            last: Inputs | None = read_inputs(self._settings.images, release.kinds[-1], release, architecture)
            while last is not None:
                self._inputs[last.kind] = last
                last = last.parent
        return self._inputs[kind]

    def _is_there(self, inputs: Inputs) -> bool:
        found = self._engine.image(inputs.reference)
        return found is not None and found.labels.get(INPUTS) == inputs.digest

    def _make(self, inputs: Inputs, reporter: Reporter) -> None:
        if self._is_there(inputs) or self._pull(inputs, reporter):
            return
        if inputs.parent:
            self._make(inputs.parent, reporter)
        unfinished = f"howdah/{inputs.kind}:{listing.UNFINISHED}{inputs.digest[:12]}-{secrets.token_hex(4)}"
        with workspace(self._settings.temporary) as folder:
            context = folder / "context"
            context.mkdir()
            materialise(inputs, self._settings.certificates if inputs.parent else {}, context)
            try:
                way = self._build(inputs, context, unfinished, reporter)
                self._seal(inputs, unfinished, {WAY: way}, folder, reporter)
            finally:
                # An engine that is away has its own error; what stays under this name goes with a later build.
                with suppress(Transient):
                    self._engine.remove_image(unfinished)

    def _build(self, inputs: Inputs, context: Path, unfinished: str, reporter: Reporter) -> str:
        """Make the image under a name of its own. Returns the way it was made."""
        if inputs.parent is None:
            return Bootstrap(
                self._engine,
                inputs,
                context,
                self._settings.mirror,
                self._labels(inputs),
                reporter,
                is_root=os.geteuid() == 0,
            ).run(unfinished)
        phases = Phases(reporter, inputs.kind)
        try:
            self._engine.build_image(
                unfinished,
                context,
                dockerfile=dockerfile(inputs.kind),
                target="final",
                arguments={**inputs.arguments, catalogue.parent_argument(inputs.kind): inputs.parent.reference},
                # Also on the unfinished one, so that it is found and removed after a crash.
                labels=self._labels(inputs),
                progress=phases,
            )
        except Failed as error:
            raise explained(inputs.kind, phases.phase, phases.last, error.what) from error
        return "Dockerfile"

    def _labels(self, inputs: Inputs) -> dict[str, str]:
        return {
            IMAGE: inputs.kind,
            INPUTS: inputs.digest,
            BUILT: self._clock.now().isoformat(timespec="seconds"),
            **catalogue.version_labels(inputs.kind, inputs.release, inputs.architecture),
        }

    def _seal(
        self, inputs: Inputs, unfinished: str, extra: Mapping[str, str], folder: Path, reporter: Reporter
    ) -> None:
        """Write down, where the image itself cannot change it, what is in it; then give it its name."""
        built = self._engine.image(unfinished)
        if built is None:
            raise Failed(
                f"image {inputs.kind}: {unfinished} went away while it was built", fix="run the same command again"
            )
        labels = {**self._labels(inputs), LAYERS: layers_digest(built.layers), MANIFEST: "", **extra}
        if inputs.parent:
            manifest = checking.read_manifest(self._engine, unfinished)
            rewritten = checking.rewritten_jars(inputs, manifest)
            if problems := checking.against_locks(inputs, manifest, rewritten):
                raise Failed(f"image {inputs.kind}: jars that no lock has: {'; '.join(map(str, problems[:5]))}")
            labels[REWRITTEN] = " ".join(f"{path}={digest}" for path, digest in sorted(rewritten.items()))
            labels[MANIFEST] = hashlib.sha256(manifest).hexdigest()
        self._name(unfinished, inputs.reference, labels, folder)
        found = self._engine.image(inputs.reference)
        # Not all the labels: another process may have given the name to its own, equally good image just now.
        expected = {IMAGE: str(inputs.kind), INPUTS: inputs.digest}
        is_labelled = found is not None and all(found.labels.get(key) == expected[key] for key in expected)
        if found is None or not is_labelled or found.labels.get(LAYERS) != layers_digest(found.layers):
            raise Failed(
                f"image {inputs.reference} does not carry the labels that it was given",
                fix="run the same command again",
            )
        reporter.say(inputs.kind, f"built {inputs.reference} ({found.size})")
        _log.info("built an image", extra={"image": inputs.reference, "kind": str(inputs.kind)})

    def _name(self, image: str, reference: str, labels: Mapping[str, str], folder: Path) -> None:
        """Give an image another name, with labels: a build that adds no layer."""
        naming = folder / "naming"
        naming.mkdir()
        (naming / "Dockerfile").write_text(f"FROM {image}\n")
        self._engine.build_image(
            reference,
            naming,
            dockerfile="Dockerfile",
            target="",
            arguments={},
            labels=labels,
            progress=lambda line: None,
        )

    def _pull(self, inputs: Inputs, reporter: Reporter) -> bool:
        """Take it from the registry; False where there is none, or where that has not got it."""
        if not self._settings.registry:
            return False
        remote = f"{self._settings.registry.strip('/')}/{inputs.reference}"
        phases = Phases(reporter, inputs.kind, f"pull {remote}")
        try:
            self._engine.pull_image(remote, phases)
        except (Failed, Transient) as error:
            reporter.say(
                inputs.kind, f"not to be had from {self._settings.registry} ({_first_line(error)}); it is built instead"
            )
            return False
        found = self._engine.image(remote)
        try:
            _check_pulled(inputs, remote, found)
            with workspace(self._settings.temporary) as folder:
                self._name(remote, inputs.reference, {}, folder)
        finally:
            self._engine.remove_image(remote)
        return True


def _check_pulled(inputs: Inputs, remote: str, found: ImageState | None) -> None:
    if found is None or found.labels.get(INPUTS) != inputs.digest or found.labels.get(IMAGE) != inputs.kind:
        raise Failed(
            f"{remote} is not what its name says: its label {INPUTS} is "
            f"{found.labels.get(INPUTS, 'missing') if found else 'missing'}, not {inputs.digest}",
            fix="push that image again, or unset HOWDAH_REGISTRY to build it here",
        )


def _first_line(error: HowdahError) -> str:
    return error.what.splitlines()[0] if error.what else type(error).__name__
