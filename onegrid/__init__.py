"""OneGrid: departments' feeds in, one coded registry out."""
