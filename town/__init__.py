"""X Street in a box: a sample town, its truth and its departments' feeds."""
