"""Templates: a YAML header that declares parameters, a line ``---``, then the definition as a Jinja2 text."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from howdah import resources
from howdah.definitions import reading
from howdah.definitions.nearest import suggestion
from howdah.definitions.parameters import Parameter, Value, declared, given
from howdah.definitions.sandbox import render
from howdah.definitions.tree import Scalar, Table
from howdah.errors import NotFound, UserError

ENDING = ".j2"
_KEYS = {"description", "parameters"}


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read, not yet rendered. ``first_line`` is the body's in the file."""

    name: str
    file: str
    description: str
    parameters: Mapping[str, Parameter]
    body: str
    first_line: int

    def render(self, texts: Mapping[str, str]) -> "Rendered":
        """Put parameters in. Raises UserError or Problems."""
        return self.render_values(given(self.parameters, texts, self.name))

    def render_values(self, values: Mapping[str, Value]) -> "Rendered":
        """The same with values of their types."""
        text = render(self.body, values, self.file, self.first_line)
        # Without loops and blocks left out, a line of the result is a line of the template.
        if text.count("\n") == self.body.count("\n"):
            return Rendered(text, self.file, self.first_line)
        return Rendered(text, f"{self.file} (rendered)", 1)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template's result, with the name and first line that its places are reported with."""

    text: str
    file: str
    first_line: int


def shipped(name: str) -> Template:
    """One of the templates that come with howdah. Raises NotFound."""
    paths = resources.templates()
    if name not in paths:
        raise NotFound(f"there is no template {name!r}", fix=suggestion(name, paths))
    return read(reading.read_file(paths[name]), name, paths[name].name)


def local(path: Path) -> Template:
    """A template in a file of the user's."""
    return read(reading.read_file(path), path.name.removesuffix(ENDING), str(path))


def read(text: str, name: str, file: str) -> Template:
    """Take a template apart. Raises UserError or Problems."""
    lines = text.splitlines(keepends=True)
    split = next((number for number, line in enumerate(lines) if line.rstrip() == "---"), None)
    if split is None:
        fix = "write `parameters:` and their types, then a line `---`, then the definition"
        raise UserError("the template has no header", fix=fix, place=file)
    header_text = "".join(lines[:split])
    header = reading.parse(header_text, file) if header_text.strip() else None
    for entry in header.entries.values() if header else ():
        if entry.key not in _KEYS:
            raise UserError(
                f"unknown key `{entry.key}` in the header", fix=suggestion(entry.key, _KEYS), place=str(entry.place)
            )
    return Template(
        name, file, _description(header), declared(header) if header else {}, "".join(lines[split + 1 :]), split + 2
    )


def _description(header: Table | None) -> str:
    node = header.get("description") if header else None
    return node.text.strip() if isinstance(node, Scalar) else ""
