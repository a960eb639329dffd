"""The names of the exports, for the command line: naming them loads nothing else."""

EXPORT_NAMES = ("json", "csv", "gradescope", "canvas", "moodle")
