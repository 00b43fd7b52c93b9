"""What the footer of a page says about where its numbers come from.

No clock, commit, platform or run time: a page is committed, and the same inputs
must give the same bytes. Versions are those that ``requirements.txt`` pins, not
those of the environment that happens to render.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

PACKAGES: Final = (
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "imbalanced-learn",
    "xgboost",
    "statsmodels",
    "opentsne",
    "matplotlib",
)
"""The packages that numbers and figures depend on."""


def read_pins(requirements: str, packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Read the pinned versions of packages from a requirements file.

    Parameters
    ----------
    requirements : str
        The file's text, ``name==version`` at the start of a line.
    packages : sequence of str
        Names in the order wanted; those that the file does not pin are left out.

    Returns
    -------
    dict
        Version by name.
    """
    pins = dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", requirements, flags=re.MULTILINE))
    return {name: pins[name] for name in packages if name in pins}


def complete(
    provenance: Mapping[str, Any] | None, *, data_sha256: str, requirements: str
) -> dict[str, Any]:
    """Complete what a stage says of itself by the data's hash and the pinned versions.

    Parameters
    ----------
    provenance : mapping or None
        The ``provenance`` of a stage's results: ``parameters``, ``models``, ….
    data_sha256 : str
        Hash of the canonical raw table.
    requirements : str
        Text of ``requirements.txt``.

    Returns
    -------
    dict
        In the order of the footer.
    """
    own = {"data sha256": data_sha256, **(provenance or {})}
    return own | {"packages": read_pins(requirements)}
