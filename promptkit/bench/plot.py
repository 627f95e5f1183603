"""Charts as one SVG text: the same bytes for the same figures, whatever the machine."""

from __future__ import annotations

import io
from collections.abc import Sequence

from promptkit.bench.section import Chart, Point

WIDTH, HEIGHT = 9.0, 5.0  # inches, a chart
_STYLE = {"svg.hashsalt": "promptkit", "svg.fonttype": "none", "font.size": 9, "font.family": "sans-serif"}
_VOTES = "#8a8f98"
_MARKS = "sD^v<>Ph*X"


def svg(charts: Sequence[Chart]) -> str:
    """The charts one below the other: strategies as points with their 95 % intervals, votes as a line."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH, HEIGHT * len(charts)), layout="constrained")
        for axes, chart in zip(figure.subplots(len(charts), squeeze=False)[:, 0], charts, strict=True):
            _draw(axes, chart)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()


def _draw(axes, chart: Chart) -> None:  # type: ignore[no-untyped-def]  # matplotlib is an extra
    axes.set_title(chart.title, loc="left")
    axes.set_xscale("log")
    axes.set_xlabel(chart.x)
    axes.set_ylabel(f"{chart.y}, %")
    axes.set_ylim(0, 100)
    axes.grid(alpha=0.25)
    _errorbar(axes, chart.line, _VOTES, "o-", chart.line_label)
    for at, point in enumerate(chart.points):
        _errorbar(axes, [point], f"C{at % 10}", _MARKS[at % len(_MARKS)], point.label)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)  # names beside points would overlap


def _errorbar(axes, points: Sequence[Point], color: str, form: str, label: str) -> None:  # type: ignore[no-untyped-def]
    heights = [100 * point.y for point in points]
    reach = [
        [height - 100 * point.low for height, point in zip(heights, points, strict=True)],
        [100 * point.high - height for height, point in zip(heights, points, strict=True)],
    ]
    axes.errorbar([point.x for point in points], heights, yerr=reach, fmt=form, color=color, label=label, capsize=2)
