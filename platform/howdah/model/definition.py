"""A cluster definition.

What a cluster is, with every default filled in. Text becomes this in ``howdah.definitions``.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

from howdah.errors import UserError
from howdah.model.roles import Role
from howdah.units import Bytes, Cores, Duration


def _parse(unit: Any) -> BeforeValidator:
    def read(value: object) -> object:
        if isinstance(value, unit):
            return value
        try:
            return unit.parse(value)
        except UserError as error:
            raise ValueError(f"{error.what}; {error.fix}") from None

    return BeforeValidator(read)


Memory = Annotated[Bytes, _parse(Bytes), PlainSerializer(lambda value: Bytes(value).exact(), return_type=str)]
Span = Annotated[Duration, _parse(Duration), PlainSerializer(lambda value: str(Duration(value)), return_type=str)]
Processors = Annotated[Cores, _parse(Cores), PlainSerializer(float, return_type=float)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Distribution(_Part):
    """The versions of the software."""

    hadoop: str = "3.5.0"
    spark: str | None = None


class VolumeSize(_Part):
    """A persistent volume. The size counts in the plan; ``plain`` folders do not enforce it."""

    size: Memory


class Group(_Part):
    """Instances of one role that share settings.

    ``heap`` defaults to a share of ``memory`` (howdah.hadoop.sizing); ``scratch`` is for roles that keep no volume.
    """

    count: int
    memory: Memory
    cpus: Processors | None = None
    heap: Memory | None = None
    volume: VolumeSize | None = None
    scratch: Memory | None = None
    java_options: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}
    configuration: Mapping[str, Mapping[str, str]] = {}


class RoleDefinition(_Part):
    """The groups of one role, by name; most have one, ``default``."""

    groups: Mapping[str, Group]


class Lifecycle(_Part):
    """When a cluster ends and what becomes of its data."""

    ttl: Span | None = None
    data: Literal["keep", "destroy"] = "keep"


class Definition(_Part):
    """A whole cluster.

    ``configuration`` maps a file (``hdfs-site``, without ``.xml``) to properties, for the whole cluster; a role's
    and a group's own
    go before it. ``jvm`` is ``quick`` (C1 alone, for clusters of a short life) or ``steady`` (the JVM's own choice).
    """

    howdah: Literal[1] = 1
    name: str
    distribution: Distribution = Distribution()
    jvm: Literal["quick", "steady"] = "quick"
    roles: Mapping[Role, RoleDefinition]
    configuration: Mapping[str, Mapping[str, str]] = {}
    role_configuration: Mapping[Role, Mapping[str, Mapping[str, str]]] = {}
    lifecycle: Lifecycle = Lifecycle()

    def count(self, role: Role) -> int:
        """How many instances of a role there are, over all its groups."""
        return sum(group.count for group in self.roles[role].groups.values()) if role in self.roles else 0
