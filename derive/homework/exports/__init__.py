"""Marks as data, for spreadsheets and course systems: one file per format."""
