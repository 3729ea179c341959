"""Every feed of the town, in the order they are written."""

from __future__ import annotations

from town import app, gridlist, policing, population
from town.feed import Feed

FEEDS: tuple[Feed, ...] = (population.FEED, policing.FEED, app.FEED, gridlist.FEED)
