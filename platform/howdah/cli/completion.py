"""Completion of commands and options in shells."""

from enum import StrEnum
from typing import Annotated

import typer

from howdah.cli import output


class Shell(StrEnum):
    """The shells that there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def prepare() -> None:
    """Let typer answer the questions that the scripts ask."""
    from typer._completion_classes import completion_init

    completion_init()


def register(app: typer.Typer) -> None:
    """Add the group to the program."""
    group = typer.Typer(help="Completion of commands in a shell.", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(group, name="completion")
    # A group of one command would be taken for that command.
    group.callback()(lambda: None)
    group.command(epilog="\b\nExample:  howdah completion show bash > /etc/bash_completion.d/howdah")(show)


def show(shell: Annotated[Shell, typer.Argument(help="The shell.", show_default=False)]) -> None:
    """Print the script that a shell reads at its start."""
    from typer._completion_shared import get_completion_script

    output.say(get_completion_script(prog_name="howdah", complete_var="_HOWDAH_COMPLETE", shell=shell))
