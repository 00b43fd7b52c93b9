"""Turn matplotlib's SVG into a small inline figure that follows the page's theme.

What changes: theme colours become CSS variables, the page's font takes over, ids
are unique to the figure, coordinates keep two decimals, wrappers and metadata go,
and rasterised layers get a palette (a third of the bytes).
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from creditrisk.reporting import theme

ROLE_OF: Final = {values[0]: role for role, values in theme.ROLES.items()}
NUMERIC: Final = frozenset(
    {"d", "x", "y", "width", "height", "transform", "points", "cx", "cy", "r"}
)
RASTER_COLORS: Final = 48

_HEX = re.compile(r"#[0-9a-f]{6}")
_LONG_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"font-family: [^;]*;? ?")
_SHORTHAND = re.compile(r"font: (?:(\d{3}|bold) )?([\d.]+px) [^;]*")
_NO_ROTATION = re.compile(r"rotate\(-?0 [^)]*\)")


@dataclass(frozen=True)
class Figure:
    """An inline figure: markup, the text that says the same, and its width in pixels."""

    markup: Markup
    alt: str
    width: int

    def __html__(self) -> str:
        """Let a template place the figure without escaping it."""
        return self.markup


def inline(text: str, alt: str) -> Figure:
    """Make an inline figure from a whole SVG document.

    Parameters
    ----------
    text : str
        What ``Figure.savefig(format="svg")`` of matplotlib wrote.
    alt : str
        What the figure shows, for readers who do not see it.

    Returns
    -------
    Figure
        ``<svg role="img" aria-label=…>`` without width and height, so that it
        scales; equal input gives equal bytes.

    Raises
    ------
    ValueError
        When ``alt`` is empty.
    """
    if not alt.strip():
        raise ValueError("a figure needs alt text that says what it shows")
    root = ET.fromstring(text)  # noqa: S314  (our own drawing, not input)
    _strip_namespaces(root)
    for child in list(root):
        if child.tag == "metadata" or (child.tag == "defs" and child.find("style") is not None):
            root.remove(child)
    prefix = "f" + hashlib.sha256(f"{alt}\n{text}".encode()).hexdigest()[:8]
    _rewrite_ids(root, prefix)
    for element in root.iter():
        _tidy(element)
    _unwrap(root)
    box = root.get("viewBox", "0 0 720 360")
    body = "".join(ET.tostring(child, encoding="unicode") for child in root)
    width = round(float(box.split()[2]))
    markup = (
        f'<svg viewBox="{box}" role="img" aria-label="{escape(alt)}" '
        f'style="--width:{width}px">{body}</svg>'
    )
    return Figure(Markup(markup), alt, width)  # noqa: S704  (alt is escaped, the rest is drawn)


def _strip_namespaces(root: ET.Element) -> None:
    """Drop namespaces, which HTML does without."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for name in list(element.attrib):
            if "}" in name:
                element.set(name.rpartition("}")[2], element.attrib.pop(name))


def _rewrite_ids(root: ET.Element, prefix: str) -> None:
    """Keep the ids that something refers to, under short names unique to the figure."""
    used: list[str] = []
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == "href" and value.startswith("#"):
                used.append(value[1:])
            used += _REFERENCE.findall(value)
    names = {old: f"{prefix}{i}" for i, old in enumerate(dict.fromkeys(used))}
    for element in root.iter():
        old = element.attrib.pop("id", None)
        if old in names:
            element.set("id", names[old])
        for name, value in list(element.attrib.items()):
            if name == "href" and value.startswith("#"):
                element.set(name, "#" + names[value[1:]])
            elif "url(#" in value:
                element.set(name, _REFERENCE.sub(lambda m: f"url(#{names[m[1]]})", value))


def _tidy(element: ET.Element) -> None:
    """Shorten one element's attributes and put variables for colours."""
    if element.text is not None and not element.text.strip():
        element.text = None
    element.tail = None
    for name, value in list(element.attrib.items()):
        new = value
        if name == "style":
            new = _SHORTHAND.sub(_font_size_and_weight, _FONT.sub("", value))
            new = _HEX.sub(_variable, new).replace(": ", ":").replace("; ", ";").strip("; ")
        elif name in NUMERIC:
            new = _NO_ROTATION.sub("", value)
            new = " ".join(_LONG_NUMBER.sub(_short, new).split())
        elif name == "href" and value.startswith("data:image/png"):
            new = _small_png(value)
        if new:
            element.set(name, new)
        else:
            del element.attrib[name]


def _unwrap(element: ET.Element) -> None:
    """Replace every group without attributes by its children."""
    children: list[ET.Element] = []
    for child in element:
        _unwrap(child)
        if child.tag in ("g", "defs") and not len(child):
            continue
        children += list(child) if child.tag == "g" and not child.attrib else [child]
    element[:] = children


def _short(match: re.Match[str]) -> str:
    text = f"{float(match[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _variable(match: re.Match[str]) -> str:
    role = ROLE_OF.get(match[0])
    return theme.variable(role) if role else match[0]


def _font_size_and_weight(match: re.Match[str]) -> str:
    weight = f"font-weight: {match[1]}; " if match[1] else ""
    return f"{weight}font-size: {match[2]}"


def _small_png(uri: str) -> str:
    """Give an embedded picture a palette; the alpha channel stays."""
    from PIL import Image

    data = base64.b64decode(uri.partition(",")[2])
    with Image.open(io.BytesIO(data)) as picture:
        small = picture.convert("RGBA").quantize(RASTER_COLORS, Image.Quantize.FASTOCTREE)
    buffer = io.BytesIO()
    small.save(buffer, format="png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
