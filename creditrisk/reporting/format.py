"""Numbers as text: one way for each kind, used by pages and templates alike.

Every function returns :class:`Number`, a string that remembers the number it was
made from, so that tables right-align it and their CSV holds the plain value.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Final

from markupsafe import Markup

MINUS: Final = "\N{MINUS SIGN}"
DASH: Final = "\N{EN DASH}"
NONE: Final = "\N{EN DASH}"
"""What stands where there is no number."""

THIN: Final = "\N{NARROW NO-BREAK SPACE}"
NBSP: Final = "\N{NO-BREAK SPACE}"


class Number(str):
    """Formatted text with the number behind it in ``value`` (None: no number)."""

    __slots__ = ("value",)
    value: float | int | None

    def __new__(cls, text: str, value: float | int | None) -> Number:
        """Make the text and keep the value."""
        self = super().__new__(cls, text)
        self.value = value
        return self


def _number(x: float | None, text: Callable[[float], str]) -> Number:
    """Format a finite number; a dash stands for None and NaN."""
    if x is None or (isinstance(x, float) and not math.isfinite(x)):
        return Number(NONE, None)
    return Number(text(x).replace("-", MINUS), x)


def integer(x: float | None) -> Number:
    """Format a count: ``30000`` → ``30,000``; None → a dash."""
    return _number(x, lambda v: f"{round(v):,}")


def percent(x: float | None, digits: int = 1) -> Number:
    """Format a share from 0 to 1: ``0.2212`` → ``22.1 %`` (narrow no-break space)."""
    return _number(x, lambda v: f"{_no_minus_zero(100 * v, digits)}{THIN}%")


def decimal(x: float | None, digits: int = 3) -> Number:
    """Format a number with fixed digits: ``0.78249`` → ``0.782``."""
    return _number(x, lambda v: _no_minus_zero(v, digits))


def _no_minus_zero(x: float, digits: int) -> str:
    """Fixed digits with thousands commas; what rounds to zero has no sign."""
    text = f"{x:,.{digits}f}"
    return text.lstrip("-") if not text.strip("-0.,") else text


def money(x: float | None) -> Number:
    """Format an amount: ``167484.3`` → ``NT$ 167,484``."""
    return _number(x, lambda v: f"{'-' if round(v) < 0 else ''}NT${NBSP}{abs(round(v)):,}")


def p_value(p: float | None) -> Number:
    """Format a p-value: three digits, and ``< 0.001`` below that."""
    return _number(p, lambda v: f"<{NBSP}0.001" if v < 0.0005 else f"{v:.3f}")


def interval(
    low: float | None, high: float | None, fmt: str | Callable[[Any], str] = "decimal"
) -> str:
    """Format an interval: ``0.771–0.789``, or with "to" where a sign could confuse.

    Parameters
    ----------
    low, high : float
        The limits.
    fmt : str or callable
        A formatter of this module, by name (``"percent"``, ``"decimal:2"``) or itself.

    Returns
    -------
    str
        A dash when a limit is missing.
    """
    if low is None or high is None:
        return NONE
    left, right = apply(low, fmt), apply(high, fmt)
    for unit in (f"{THIN}%",):  # 0.8–1.2 %, not 0.8 %–1.2 %
        if left.endswith(unit) and right.endswith(unit):
            left = left.removesuffix(unit)
    return f"{left} to {right}" if low < 0 else f"{left}{DASH}{right}"


FORMATTERS: Final[dict[str, Callable[..., str]]] = {
    "integer": integer,
    "percent": percent,
    "decimal": decimal,
    "money": money,
    "p_value": p_value,
}


def whole(text: Any) -> Markup:
    """Keep a text on one line: an interval, a symbol with its value."""
    return Markup('<span class="whole">{}</span>').format(text)


def apply(value: Any, fmt: str | Callable[[Any], str]) -> str:
    """Format a value by a formatter or by its name, ``"percent"`` or ``"percent:2"``.

    Raises
    ------
    KeyError
        When there is no formatter of that name.
    """
    if callable(fmt):
        return fmt(value)
    name, _, digits = fmt.partition(":")
    formatter = FORMATTERS[name]
    return formatter(value, int(digits)) if digits else formatter(value)


def metric(value: Any, key: str, fmt: str | Callable[[Any], str] = "decimal") -> Markup:
    """Return a headline number marked with the key it can be read back from.

    Parameters
    ----------
    value : int, float or str
        The value as ``reports/metrics/<stage>.json`` holds it.
    key : str
        ``"<stage>:<dotted.key>"``, e.g. ``"evaluate:champion.roc_auc"``.
    fmt : str or callable
        A formatter, its name (``"percent:2"``), or text that is already formatted.

    Returns
    -------
    Markup
        ``<data data-metric="…" value="…">text</data>``. A contract test compares
        every such value with the JSON file.

    Raises
    ------
    ValueError
        When the key does not name a stage.
    """
    stage, _, dotted = key.partition(":")
    if not stage or not dotted:
        raise ValueError(f"metric key {key!r} is not of the form stage:dotted.key")
    known = callable(fmt) or fmt.partition(":")[0] in FORMATTERS
    if isinstance(value, str) and fmt == "decimal":
        text: str = value
    else:
        text = apply(value, fmt) if known else str(fmt)
    raw = value if isinstance(value, str) else json.dumps(value)
    return Markup('<data data-metric="{}" value="{}">{}</data>').format(key, raw, text)
