"""Is it good: suites, outcomes, quarantine, scores."""
