"""Speed, scale and accuracy, measured by commands."""
