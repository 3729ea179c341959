"""Feeds in: batches of text columns, landed by load."""
