"""The steps of the registry's schema, oldest first."""
