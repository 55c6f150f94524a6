"""Arguments and options that several commands have."""

from typing import Annotated

import typer

from howdah.errors import UserError

Name = Annotated[str, typer.Argument(metavar="NAME", help="The cluster.", show_default=False)]
InstanceName = Annotated[
    str, typer.Argument(metavar="INSTANCE", help="One of its instances, such as dn1.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, with keys that stay.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("-p", "--parameter", metavar="KEY=VALUE", help="A parameter of the template; can be repeated."),
]
NewName = Annotated[
    str,
    typer.Option(
        "--name", metavar="NAME", help="The name of the cluster, if not the definition's.", show_default=False
    ),
]
FromData = Annotated[
    str,
    typer.Option("--from-data", metavar="DATASET", help="Bring a data set back that was kept.", show_default=False),
]


def _sources(incomplete: str) -> list[str]:
    from howdah import resources

    return [name for name in resources.templates() if name.startswith(incomplete)]


SOURCE_HELP = "A definition file, a template (a name of howdah templates, or a file .yaml.j2), or - for standard input."
Source = Annotated[
    str, typer.Argument(metavar="FILE|TEMPLATE", help=SOURCE_HELP, show_default=False, autocompletion=_sources)
]


def parameters(texts: list[str] | None, option: str = "-p") -> dict[str, str]:
    """``key=value`` texts of an option as a mapping. Raises UserError."""
    found: dict[str, str] = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UserError(f"{text!r} has no name and value", fix=f"write {option} KEY=VALUE", place=option)
        if key in found:
            raise UserError(f"{key} is given twice", fix="give it once", place=option)
        found[key] = value
    return found
