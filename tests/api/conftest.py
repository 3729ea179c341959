"""The API over the small district, for these tests."""

from district import district, make_district, prepared_home
from service import service

__all__ = ["district", "make_district", "prepared_home", "service"]
