"""Every colour of the reports, named by role, for light and for dark pages.

matplotlib draws with the light value; :mod:`creditrisk.reporting.figures` then
replaces each value in the SVG by ``var(--role)``, so a figure follows the page's
mode. That needs one rule: no two roles share a light value (tested).

Series colours are the same in both modes, because rasterised clouds of points
cannot change: each has a contrast of at least 3:1 with both papers (tested; the
threshold is WCAG 2.2, success criterion 1.4.11).
"""

from __future__ import annotations

from typing import Final

ROLES: Final[dict[str, tuple[str, str]]] = {
    # role: (light, dark)
    "paper": ("#fdfdfc", "#14171b"),
    "panel": ("#f3f5f6", "#1d2228"),
    "ink": ("#1b2127", "#e4e8ec"),
    "muted": ("#59636d", "#a0abb6"),
    "grid": ("#dce1e5", "#343c45"),
    "zebra": ("#f7f8f9", "#191d22"),
    "accent": ("#1d568f", "#83b8ee"),
    "focus": ("#b3560a", "#ffb066"),
    "positive": ("#1c7a55", "#5cc79a"),
    "negative": ("#b02a37", "#f08a93"),
    "warn": ("#8a5a00", "#e2b14d"),
    "warn_panel": ("#fdf5e4", "#2a2416"),
    "series_1": ("#2f72b8", "#2f72b8"),
    "series_2": ("#cc7722", "#cc7722"),
    "series_3": ("#2a9476", "#2a9476"),
    "series_4": ("#c2497b", "#c2497b"),
    "series_5": ("#7d68c6", "#7d68c6"),
    "series_6": ("#8f8215", "#8f8215"),
    "series_7": ("#2495ad", "#2495ad"),
    "series_8": ("#b4624a", "#b4624a"),
    "noise": ("#7c8690", "#7c8690"),
    # a sequential ramp for heat maps, from nothing to most
    "heat_0": ("#f4f7fa", "#1a2027"),
    "heat_1": ("#e1eaf4", "#1b2a3b"),
    "heat_2": ("#cbdcee", "#1e364f"),
    "heat_3": ("#b1cbe6", "#224364"),
    "heat_4": ("#98bbdd", "#27517a"),
    "heat_5": ("#7eaad5", "#2c5c8a"),
    "heat_6": ("#6596c8", "#326899"),
    "heat_7": ("#3a6fa8", "#6198cb"),
    "heat_8": ("#225690", "#8dbae4"),
    "heat_ink": ("#1b2128", "#e4e8ed"),
    "heat_ink_strong": ("#fefefd", "#0f1317"),
    # the warm half of a diverging ramp; its cool half is the sequential ramp
    "warm_1": ("#f6e7da", "#33241a"),
    "warm_2": ("#efd0b5", "#4c321f"),
    "warm_3": ("#e5b48b", "#6b4424"),
    "warm_4": ("#dc9c69", "#7d5028"),
    "warm_5": ("#a95d26", "#c08a58"),
    "warm_6": ("#85430f", "#e0b187"),
}

N_SERIES: Final = 8
HEAT: Final = tuple(f"heat_{i}" for i in range(9))
DIVERGING: Final = (
    *(f"warm_{i}" for i in range(6, 0, -1)),
    "heat_0",
    "heat_1",
    "heat_2",
    "heat_4",
    "heat_5",
    "heat_7",
    "heat_8",
)
"""Below zero warm, above zero blue, thirteen steps with zero in the middle."""

STRONG: Final = frozenset({"heat_7", "heat_8", "warm_5", "warm_6"})
"""Ramp steps that carry ``heat_ink_strong`` text; the others carry ``heat_ink``."""


def color(role: str) -> str:
    """Return the light value of a role, which is what matplotlib draws with.

    Parameters
    ----------
    role : str
        A key of :data:`ROLES`, e.g. ``"ink"`` or ``"series_1"``.

    Returns
    -------
    str
        ``#rrggbb`` in lower case.

    Raises
    ------
    KeyError
        When there is no such role.
    """
    return ROLES[role][0]


def series(i: int) -> str:
    """Return the colour of the i-th series, starting over after :data:`N_SERIES`."""
    return color(f"series_{i % N_SERIES + 1}")


def variable(role: str) -> str:
    """Return the CSS variable that stands for a role."""
    if role not in ROLES:
        raise KeyError(role)
    return f"var(--{role.replace('_', '-')})"


def css() -> str:
    """Return the CSS that defines every role as a variable.

    Returns
    -------
    str
        Light values; dark ones where the reader's system asks for them or where
        the page's toggle says so; light ones in print.
    """
    light = "".join(f"--{r.replace('_', '-')}:{v[0]};" for r, v in ROLES.items())
    dark = "".join(f"--{r.replace('_', '-')}:{v[1]};" for r, v in ROLES.items() if v[0] != v[1])
    return (
        f":root{{color-scheme:light;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{"
        f":root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}\n"
    )
