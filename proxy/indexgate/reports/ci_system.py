"""Which CI system a job runs in, by the variables that each sets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias, get_args

System: TypeAlias = Literal["github", "gitlab", "azure", "buildkite", "teamcity"]
SYSTEMS: tuple[System, ...] = get_args(System)

_VARIABLES: Mapping[System, str] = {
    "github": "GITHUB_ACTIONS",  # Gitea and Forgejo set it too, and read the same forms
    "gitlab": "GITLAB_CI",
    "azure": "TF_BUILD",
    "buildkite": "BUILDKITE",
    "teamcity": "TEAMCITY_VERSION",
}
_ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY")


def detect(environ: Mapping[str, str]) -> System | None:
    """Return the system that *environ* speaks of; None for none of these."""
    return next(
        (
            system
            for system, variable in _VARIABLES.items()
            if environ.get(variable, "").lower() not in {"", "0", "false"}
        ),
        None,
    )


def root(environ: Mapping[str, str], folder: Path) -> Path:
    """Return the repository's folder: the one that the system names around *folder*, or that."""
    for variable in _ROOTS:
        place = Path(environ.get(variable) or "/nowhere")
        if folder.is_relative_to(place) or folder.resolve().is_relative_to(place.resolve()):
            return place
    return folder
