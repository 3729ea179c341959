"""Every feed of the town, in the order they are written."""

from __future__ import annotations

from town import app, areas, components, gridlist, matters, policing, population, shops
from town.feed import Feed

FEEDS: tuple[Feed, ...] = (
    areas.GRIDS, areas.ESTATES, areas.MANAGED, areas.BUILDINGS,
    population.FEED, policing.FEED, app.FEED, gridlist.FEED,
    shops.MARKET, shops.FIRE,
    components.LAMPS_FEED, components.COVERS_FEED, components.FACILITIES_FEED,
    matters.EVENTS, matters.HOTLINE,
)  # fmt: skip
