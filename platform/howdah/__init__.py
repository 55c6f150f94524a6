"""Hadoop and Spark clusters in containers: a page of YAML in, a running cluster out, and the data stays."""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from howdah.client import Client

__version__ = "0.1.0"
__all__ = ["Client", "__version__"]

# Where nobody has set logging up, Python would print warnings (kazoo's above all) among a command's own lines.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> object:
    # Imported at first use, so that `howdah --help` does not pay for the adapters.
    if name == "Client":
        from howdah.client import Client

        return Client
    raise AttributeError(name)
