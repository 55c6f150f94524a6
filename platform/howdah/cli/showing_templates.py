"""Templates for people and for programs."""

from collections.abc import Iterable, Iterator

from howdah.cli.output import Json, columns
from howdah.definitions.parameters import Parameter, Value, show
from howdah.definitions.templates import Template


def table(found: Iterable[Template]) -> Iterator[str]:
    """Each with its description."""
    yield from columns(("NAME", "DESCRIPTION"), [(template.name, template.description) for template in found])
    yield ""
    yield "howdah templates show NAME has the parameters; howdah launch NAME --name CLUSTER brings one up"


def template(found: Template) -> Iterator[str]:
    """One of them: description, parameters, text."""
    yield f"{found.name}: {found.description}"
    yield ""
    if found.parameters:
        yield "parameters (-p NAME=VALUE):"
        rows = [(each.name, _default(each), each.allowed, each.description) for each in found.parameters.values()]
        yield from columns(("NAME", "DEFAULT", "ALLOWED", "DESCRIPTION"), rows, indent="  ")
        yield ""
    yield found.body.rstrip("\n")


def template_json(found: Template) -> Json:
    """The same for programs."""
    return {
        "name": found.name,
        "description": found.description,
        "parameters": [
            {
                "name": each.name,
                "type": each.kind,
                "default": _value(each.default),
                "minimum": _value(each.minimum),
                "maximum": _value(each.maximum),
                "choices": list(each.choices),
                "description": each.description,
            }
            for each in found.parameters.values()
        ],
        "text": found.body,
    }


def _default(parameter: Parameter) -> str:
    return "(required)" if parameter.default is None else show(parameter.default)


def _value(value: Value | None) -> Json:
    """As it is given with ``-p``; numbers and booleans are their own."""
    return value if value is None or type(value) in (bool, int) else show(value)
