"""Plotly figures of ratings, for notebooks and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from arena.rate_tables import WinRates
    from arena.rating_records import Ratings


def ratings_figure(ratings: Ratings, group: str | None = None) -> go.Figure:
    """Return the ratings with their 95% intervals, the strongest on top; of one category, language or judge if it is named.

    Raises KeyError for a group that was not rated.
    """
    import plotly.graph_objects as go

    models = ratings.models if group is None else ratings.groups[group]
    rated = [(model.model, model.rating, model.ci95) for model in models if model.rating is not None and model.ci95]
    figure = go.Figure(
        go.Scatter(
            x=[rating for _, rating, _ in rated],
            y=[name for name, _, _ in rated],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [interval[1] - rating for _, rating, interval in rated],
                "arrayminus": [rating - interval[0] for _, rating, interval in rated],
            },
            mode="markers",
            hovertemplate="%{y}: %{x:.1f}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(title="rating" if group is None else f"rating, {group}")
    figure.update_layout(height=120 + 22 * len(rated), margin={"t": 30})
    return figure


def win_rates_figure(rates: WinRates, which: str = "predicted") -> go.Figure:
    """Return the ``predicted`` or the ``observed`` win rates as a map of colours, rows against columns."""
    import plotly.graph_objects as go

    shares = {"predicted": rates.predicted, "observed": rates.observed}[which]
    percent = [[None if share is None else 100 * share for share in row] for row in shares]
    figure = go.Figure(
        go.Heatmap(
            z=percent,
            x=rates.models,
            y=rates.models,
            customdata=rates.battles,
            zmin=0,
            zmax=100,
            zmid=50,
            colorscale="RdBu",
            hovertemplate="%{y} against %{x}: %{z:.1f}%, %{customdata:,} battles<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(automargin=True)
    figure.update_layout(title=f"Win rates, {which}, in percent", height=240 + 18 * len(rates.models))
    return figure
