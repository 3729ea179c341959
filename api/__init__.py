"""The registry over HTTP: one router a resource."""
