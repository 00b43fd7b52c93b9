"""Figures: deterministic, themed, small, and readable without seeing them."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from creditrisk.reporting import figures, theme
from creditrisk.reporting.canvas import style
from creditrisk.reporting.pages.model.figures import confusion
from creditrisk.reporting.pages.model.learning_figures import paths
from creditrisk.reporting.svg import Figure

ROOT = Path(__file__).resolve().parents[2]
X = [0.0, 0.25, 0.5, 1.0]


def bars() -> Figure:
    return figures.bars(
        ["graduate <school>", "university"], [0.2, 0.24], low=[0.18, 0.23], high=[0.22, None],
        xlabel="default rate", alt="Bars <of> rates", format="percent",
    )  # fmt: skip


def rate_histogram() -> Figure:
    return figures.rate_histogram(
        [0, 1, 2, 4], [10, 0, 30], [0.2, None, 0.3], [0.1, None, 0.2], [0.3, None, 0.4],
        xlabel="x", alt="Rates", base_rate=0.22,
    )  # fmt: skip


def lines() -> Figure:
    return figures.lines(
        X, {"one": X, "two": [0, 0.5, None, 1]}, xlabel="x", ylabel="y",
        alt="Lines", diagonal=True, bands={"one": ([0, 0, 0, 0], [1, 1, 1, 1])}, marks={"here": 0.5},
    )  # fmt: skip


def log_lines() -> Figure:
    return figures.lines(
        [0.001, 0.1, 10], {"AUC": [0.5, 0.7, 0.6]}, xlabel="C", ylabel="AUC", alt="Path",
        logx=True, markers=True, yformat="decimal:2",
    )  # fmt: skip


def heatmap() -> Figure:
    return figures.heatmap(
        [[0.1, None], [0.5, 1.0]], ["a", "b"], ["c", "d"], format="percent:0", alt="Heat"
    )


def diverging_heatmap() -> Figure:
    names = ["a long name of a cluster", "another long name of one", "and one more long name"] * 2
    values = [[-2.0, -1, 0, 1, 2, 0.5]] * 2
    return figures.heatmap(values, ["a", "b"], names, diverging=True, alt="Profiles")


def cloud() -> Figure:
    rng = np.random.default_rng(0)
    labels = rng.integers(-1, 3, 2000)
    return figures.scatter_cloud(
        rng.normal(size=2000), rng.normal(size=2000), labels, names=["A", "B", "C"], alt="Cloud"
    )


PLOTS = [bars, rate_histogram, lines, log_lines, heatmap, diverging_heatmap, cloud]


@pytest.mark.parametrize("plot", PLOTS)
def test_a_figure_has_the_same_bytes_each_time(plot) -> None:
    assert plot().markup == plot().markup


@pytest.mark.parametrize("plot", PLOTS)
def test_every_colour_follows_the_theme(plot) -> None:
    markup = plot().markup
    drawn = re.sub(r"data:image/png;base64,[^\"]+", "", markup)
    assert re.findall(r"#[0-9a-f]{6}\b", drawn) == []
    assert set(re.findall(r"var\(--([\w-]+)\)", drawn)) <= {
        r.replace("_", "-") for r in theme.ROLES
    }
    assert "var(--ink)" in drawn or "var(--muted)" in drawn


@pytest.mark.parametrize("plot", PLOTS)
def test_a_figure_says_what_it_shows_and_has_no_traces_of_its_maker(plot) -> None:
    figure = plot()
    assert re.match(r'<svg viewBox="[\d. ]+" role="img" aria-label="[^"]+"', figure.markup)
    for trace in ("matplotlib", "metadata", "DejaVu", "dc:date", "<!--", "xlink", "<style"):
        assert trace not in figure.markup
    assert "<text" in figure.markup  # text stays text


@pytest.mark.parametrize("plot", PLOTS)
def test_ids_are_unique_and_resolve(plot) -> None:
    markup = plot().markup
    ids = re.findall(r'\sid="([^"]+)"', markup)
    used = re.findall(r'href="#([^"]+)"', markup) + re.findall(r"url\(#([^)]+)\)", markup)
    assert len(ids) == len(set(ids))
    assert set(ids) == set(used)


def test_two_figures_share_no_id() -> None:
    both = lines().markup + log_lines().markup
    ids = re.findall(r'\sid="([^"]+)"', both)
    assert len(ids) == len(set(ids)) > 0


def test_cells_of_equal_share_keep_their_own_words() -> None:
    outcomes = ("caught_defaults", "missed_detections", "false_alarms", "correctly_clear")
    markup = confusion(dict.fromkeys(outcomes, 5)).markup
    drawn = re.findall(r">([a-z ]+): 5 \(", markup)
    assert drawn == ["caught", "missed detection", "false alarm", "correctly clear"]


def test_the_tightest_penalty_is_drawn_where_it_is_chosen() -> None:
    # Its loss is far off, so the axis tells whether the point was drawn.
    points = [
        {"C": c, "train_log_loss": loss, "validation_log_loss": loss, "validation_se": 0.01}
        for c, loss in ((0.1, 8.0), (1.0, 0.4), (10.0, 0.5))
    ]

    def drawn(chosen: float) -> str:
        return paths({"l2": {"points": points}}, {"l2": chosen}, {"l2": "L2"}).markup

    assert ">8.000<" in drawn(0.1)
    assert ">8.000<" not in drawn(1.0)


def test_alt_text_is_escaped_and_required() -> None:
    assert 'aria-label="Bars &lt;of&gt; rates"' in bars().markup
    assert "graduate &lt;school&gt;" in bars().markup
    fig, _ = figures.new()
    with pytest.raises(ValueError, match="alt text"):
        figures.svg(fig, alt=" ")


def test_a_size_in_inches_is_refused() -> None:
    with pytest.raises(ValueError, match="pixels"):
        figures.new(7, 4)


def test_a_cloud_is_one_small_picture_on_a_transparent_ground() -> None:
    markup = cloud().markup
    pictures = re.findall(r"data:image/png;base64,([^\"]+)", markup)
    assert len(pictures) == 1
    data = base64.b64decode(pictures[0])
    with Image.open(io.BytesIO(data)) as picture:
        assert "Software" not in picture.info
        pixels = np.asarray(picture.convert("RGBA"))
    assert pixels[0, 0, 3] == 0
    assert (pixels[..., 3] > 0).any()
    assert len(data) < 60_000


def test_noise_is_named_and_grey() -> None:
    markup = cloud().markup
    assert "noise (" in markup
    assert "var(--noise)" in markup
    assert "var(--series-3)" in markup


def test_an_empty_bin_is_a_gap_and_not_a_zero() -> None:
    assert "nan" not in rate_histogram().markup.lower()


def test_pyplot_and_a_display_are_not_needed_and_matplotlib_is_lazy() -> None:
    code = (
        "import sys; from creditrisk.reporting import figures, render; "
        "assert 'matplotlib' not in sys.modules; figures.new(); "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_no_two_roles_share_the_colour_that_is_drawn() -> None:
    light = [values[0] for values in theme.ROLES.values()]
    assert len(set(light)) == len(light)
    assert all(re.fullmatch(r"#[0-9a-f]{6}", c) for values in theme.ROLES.values() for c in values)


def luminance(color: str) -> float:
    """Relative luminance of WCAG 2.2."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_text_and_series_stand_out_in_both_modes(mode: int) -> None:
    role = {name: values[mode] for name, values in theme.ROLES.items()}
    for text in ("ink", "muted", "accent", "positive", "negative", "warn"):
        for ground in ("paper", "panel", "zebra"):
            assert contrast(role[text], role[ground]) >= 4.5, (text, ground)
    assert contrast(role["warn"], role["warn_panel"]) >= 4.5
    for i in range(1, theme.N_SERIES + 1):
        assert contrast(role[f"series_{i}"], role["paper"]) >= 3, i
    assert contrast(role["noise"], role["paper"]) >= 3
    for step in {*theme.HEAT, *theme.DIVERGING}:
        ink = "heat_ink_strong" if step in theme.STRONG else "heat_ink"
        assert contrast(role[step], role[ink]) >= 4.5, step


def test_series_are_the_same_in_both_modes_since_clouds_cannot_change() -> None:
    for role in ("noise", *(f"series_{i}" for i in range(1, theme.N_SERIES + 1))):
        light, dark = theme.ROLES[role]
        assert light == dark


def test_the_style_uses_colours_of_the_theme_only() -> None:
    light = {values[0] for values in theme.ROLES.values()}
    used = [v for v in style().values() if isinstance(v, str) and v.startswith("#")]
    assert used
    assert set(used) <= light
