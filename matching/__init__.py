"""Who is the same: normalise, compare, cluster."""
