"""What runs when: one file a source's sync, one that unifies, one that keeps house. Wiring and nothing more."""
