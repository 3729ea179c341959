"""The small district, for these tests."""

from district import prepared_home

__all__ = ["prepared_home"]
