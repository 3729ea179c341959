"""X Street in a box: a sample town, its truth and its departments' feeds.

`build(scale, seed, out)` writes below `out`:

- `sources/*.yml`: a source file for each feed, as a real department's data would be declared;
- `data/`: the feeds themselves (a SQLite database, csv, jsonl, GeoJSON, workbooks), wrong in all the ways that real ones are;
- `truth/*.parquet`: what is true. `records` holds a line for each thing that a usable feed row describes: source, key (as
  the registry exports it, parts joined by "|"), role, and the labels of the person, the residential and the registered
  household, the dwelling and so on; a label is missing where it does not apply.

What the labels mean. `person`: whom the row is about, whatever is written. `residential_household`: where that person lives
now, missing for those who live elsewhere or are dead. `registered_household`: the book (户) that lists the person.
`dwelling`: the home that the row's *written* address means, be it stale or not; missing where a careful human who knows the
street could not read it to the room. Rows that say of nobody anything, blank ones and those marked deleted have no line.

The truth is made first (`places`, `families`, `homes`, `naming`, `documents`, `world`), then clerks write it down
(`clerks`, `numbers`, `misnaming`, `writing`), then departments save what they have (`population`, `policing`, ...). Every
rate of every error is a named number in `data/errors.yml`. The town on any day is a pure function of (scale, seed, day):
each decision draws from a stream of chance named after it, so that one rate changes one thing, and a day changes only what
happened on it.
"""

from town.build import build, next_day

__all__ = ["build", "next_day"]
