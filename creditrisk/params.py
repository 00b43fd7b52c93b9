"""Typed access to ``params.yaml``.

Each stage declares a :class:`Params` model without defaults: the file is the only
source of values, and a key that the model does not know is an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from creditrisk.errors import UserError

ParamsT = TypeVar("ParamsT", bound="Params")


class ParamsError(UserError):
    """``params.yaml`` does not fit the model of the stage that reads it."""


class Params(BaseModel):
    """Base of every stage's parameters: frozen, no unknown keys, no bool for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_bool_for_a_number(cls, given: Any) -> Any:
        numeric = [key for key, f in cls.model_fields.items() if f.annotation is not bool]
        for key in numeric if isinstance(given, dict) else ():
            value = given.get(key)
            if any(isinstance(v, bool) for v in (value if isinstance(value, list) else [value])):
                raise ValueError(f"{key} takes neither true nor false")
        return given


def read_section(path: Path, section: str) -> Any:
    """Read one top-level section of a parameter file.

    Parameters
    ----------
    path : Path
        The YAML file.
    section : str
        Name of the section, which is the name of a stage.

    Returns
    -------
    dict
        The section's keys and values; empty when the file has no such section.

    Raises
    ------
    ParamsError
        When the file cannot be read or is not a mapping.
    """
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ParamsError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise ParamsError(
            f"{path}: expected sections named as stages, found {type(document).__name__}"
        )
    return document.get(section) or {}


def parse(model: type[ParamsT], values: Any, where: str) -> ParamsT:
    """Validate a section against a stage's model.

    Parameters
    ----------
    model : type of Params
        The stage's ``Params``.
    values : dict
        What ``params.yaml`` holds.
    where : str
        Prefix of the keys in error messages, e.g. ``"train"``.

    Returns
    -------
    Params
        The validated, frozen parameters.

    Raises
    ------
    ParamsError
        Naming every wrong key, what is allowed and what was found.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = []
        for issue in error.errors(include_url=False):
            key = ".".join([where, *map(str, issue["loc"])])
            got = (
                ""
                if issue["type"] in ("missing", "extra_forbidden")
                else f" (got {issue['input']!r})"
            )
            lines.append(f"  {key}: {issue['msg']}{got}")
        raise ParamsError("params.yaml does not fit:\n" + "\n".join(lines)) from None
