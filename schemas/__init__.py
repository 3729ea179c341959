"""What the data means: entity types, value kinds, source files, codes, tables."""
