"""One registry: records, codes, golden values, relations, changes."""
