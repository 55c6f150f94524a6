"""A file or a template's name to a checked definition."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from howdah import resources
from howdah.definitions import checking, exporting, reading, rules, templates
from howdah.definitions.fields import Report, name_problem, printable
from howdah.definitions.merging import distribute, overlay, spell_out
from howdah.definitions.nearest import suggestion
from howdah.definitions.tree import Entry, Place, Scalar, Table, kind, provenance
from howdah.errors import Bug, NotFound, UserError
from howdah.model.definition import Definition
from howdah.units import Duration

CHAIN_LIMIT = 5
"""Definitions that one may extend, one behind the other."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A definition, its text as it is recorded (``exporting.dumps``), and where each value was written, by path."""

    definition: Definition
    text: str
    provenance: Mapping[str, Place]


def load(source: str | Path, parameters: Mapping[str, str] | None = None, name: str | None = None) -> Loaded:
    """Read a definition from a file, ``-`` for standard input, or a template by name, and check all of it.

    ``parameters`` go to the template: the source itself, or the first that it extends. ``name`` goes before the one in
    the text; a shipped template without either gives its own name.

    Raises UserError (Problems where there are several) or NotFound.
    """
    document = _document(str(source), dict(parameters or {}))
    if name is not None:
        document = _named(document, name, Place("--name", 1, 1))
    elif "name" not in document.entries and str(source) in resources.templates():
        document = _named(document, str(source), document.place)
    return _checked(document)


def reload(text: str, name: str | None = None) -> Loaded:
    """A recorded definition again, under another name where one is given. Raises UserError or Problems."""
    document = spell_out(reading.parse(text, "definition"))
    return _checked(document if name is None else _named(document, name, Place("--name", 1, 1)))


def with_ttl(loaded: Loaded, ttl: Duration) -> Loaded:
    """The same with another time to live."""
    lifecycle = loaded.definition.lifecycle.model_copy(update={"ttl": ttl})
    definition = loaded.definition.model_copy(update={"lifecycle": lifecycle})
    return replace(loaded, definition=definition, text=exporting.dumps(definition))


def _checked(document: Table) -> Loaded:
    report = Report()
    spread = distribute(document)
    definition = checking.check(spread, report, extends=True)
    places = dict(provenance(spread))
    if definition is not None:
        rules.check(definition, rules.Places(places), report)
    report.finish()
    if definition is None:
        raise Bug("a definition gave neither a result nor a problem")
    return Loaded(definition, exporting.dumps(definition), places)


def _named(document: Table, name: str, place: Place) -> Table:
    problem = name_problem(name)
    if problem is not None:
        raise UserError(f"name {printable(name)!r} {problem[0]}", fix=problem[1], place=place.file)
    entry = Entry("name", place, Scalar(name, place, is_quoted=True))
    return Table({**document.entries, "name": entry}, document.place)


def _document(source: str, parameters: dict[str, str]) -> Table:
    """The source with everything that it extends below it."""
    texts: list[Table] = []
    seen: list[str] = []
    folder, place = Path(), ""
    current: str | None = source
    while current is not None:
        document, identity, below = _read(current, folder, place, parameters)
        if identity in seen:
            raise UserError(f"{current} extends itself", fix="remove the `extends` that closes the circle", place=place)
        if len(seen) > CHAIN_LIMIT:
            raise UserError(f"more than {CHAIN_LIMIT} definitions extend one another", fix="flatten them", place=place)
        seen.append(identity)
        texts.append(spell_out(document))
        current, place = _extended(document)
        folder = below
    if parameters:
        names = ", ".join(parameters)
        raise UserError(
            f"{source} takes no parameters, given {names}", fix="only templates do: see `howdah templates`", place="-p"
        )
    merged = texts.pop()
    while texts:
        merged = overlay(merged, texts.pop())
    return merged


def _read(source: str, folder: Path, place: str, parameters: dict[str, str]) -> tuple[Table, str, Path]:
    """One document, what identifies it, and the folder that its own paths start from.

    Parameters are used up by the first template.
    """
    if source in resources.templates():
        template, identity, below = templates.shipped(source), source, Path()
    else:
        path = Path(source) if source == "-" else folder / Path(source).expanduser()
        if not _looks_like_path(source) and not path.exists():
            what = f"{printable(source)!r} is neither a template nor a file"
            raise NotFound(what, fix=suggestion(source, resources.templates()), place=place)
        identity, below = str(path.absolute()), path.parent
        if not source.endswith(templates.ENDING):
            return reading.parse(reading.read_file(path), str(path)), identity, below
        template = templates.local(path)
    rendered = template.render(parameters)
    parameters.clear()
    return reading.parse(rendered.text, rendered.file, rendered.first_line), identity, below


def _looks_like_path(source: str) -> bool:
    return source == "-" or "/" in source or source.endswith((".yaml", ".yml", templates.ENDING))


def _extended(document: Table) -> tuple[str | None, str]:
    node = document.get("extends")
    if node is None:
        return None, ""
    if not isinstance(node, Scalar) or node.is_null:
        fix = "name one template or one file: `extends: small`"
        raise UserError(f"extends is {kind(node)}", fix=fix, place=str(node.place))
    return node.text, str(node.place)
