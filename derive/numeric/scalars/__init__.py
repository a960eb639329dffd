"""Definitions -> straight-line scalar Python with the training loop inside the function.

definitions ──terms──> forms ──rewriting──> fewer, cheaper forms ──writing──> source ──program──> ScalarProgram
"""
