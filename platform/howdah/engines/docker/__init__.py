"""The Docker Engine. Nothing else uses the ``docker`` library, which is imported at the first call."""

from howdah.engines.docker.engine import DockerEngine, Route

__all__ = ["DockerEngine", "Route"]
