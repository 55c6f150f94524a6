"""The command line: reads words, calls ``howdah.Client``, prints. No decision about a cluster is made here."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from howdah.client import Client
    from howdah.reconcile.progress import Progress


def main(make_client: "Callable[[Progress], Client] | None" = None) -> None:
    """The program ``howdah``. ``make_client`` is for tests: what gives a Client that tells its progress there."""
    from howdah.cli.application import run

    run(make_client)
