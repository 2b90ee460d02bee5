"""Cells of numbers as HTML: thousands of them stand on the operator's page.

Filters and not macros: a macro's call, and an escape for every number, took three times as long.
Everything in here is a number, so nothing has to be escaped.
"""

from markupsafe import Markup

from portal.metrics.figures import Figures


def figures(counts: Figures) -> Markup:
    """Four cells: 30 days, their change, 90 days, all days."""
    return Markup(  # noqa: S704 - only numbers  # nosec B704
        f'<td class="number">{counts.days_30:,}</td>{_change(counts)}'
        f'<td class="number">{counts.days_90:,}</td><td class="number">{counts.days_all:,}</td>'
    )


def bar(count: int, most: int) -> Markup:
    """A bar as long as the number is large; the number itself stands beside it."""
    width = round(100 * count / most, 1) if most else 0
    return Markup(  # noqa: S704  # nosec B704
        '<svg class="bar" aria-hidden="true" focusable="false" width="100%" height="5">'
        f'<rect width="{width}%" height="5" rx="1"/></svg>'
    )


def _change(counts: Figures) -> str:
    before, change = counts.days_before, counts.change
    if before is None:
        return '<td class="number quiet" title="The 30 days before are not known">–</td>'
    if change is None:
        return '<td class="number up" title="None in the 30 days before">from 0</td>'
    percent = round(change * 100)
    # Not by colour alone: the sign says it too.
    kind, sign = ("up", "+") if percent > 0 else ("down", "−") if percent < 0 else ("quiet", "±")
    title = f"{before:,} in the 30 days before"
    return f'<td class="number {kind}" title="{title}">{sign}{abs(percent):,}%</td>'
