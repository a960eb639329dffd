"""One file per format: its dialect."""
