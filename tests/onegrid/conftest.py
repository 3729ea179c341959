"""The small district, for these tests."""

from district import district, make_district, prepared_home

__all__ = ["district", "make_district", "prepared_home"]
