"""Files that come with howdah: image sources and cluster templates, in the wheel or in a checkout."""

from pathlib import Path

from howdah.errors import Bug

TEMPLATE_ENDING = ".yaml.j2"


def folder(name: str) -> Path:
    """``images`` or ``cluster_templates``. Raises Bug where the installation lacks it."""
    package = Path(__file__).resolve().parent
    candidates = (package / "_data" / name, package.parent.parent / name)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise Bug(f"this installation has no {name}: looked in {' and '.join(str(candidate) for candidate in candidates)}")


def images() -> Path:
    """The build inputs of the images."""
    return folder("images")


def templates() -> dict[str, Path]:
    """The shipped cluster templates, by name, in order."""
    found = sorted(folder("cluster_templates").glob(f"*{TEMPLATE_ENDING}"))
    return {path.name.removesuffix(TEMPLATE_ENDING): path for path in found}
