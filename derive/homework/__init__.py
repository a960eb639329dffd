"""Homework: what students hand in, marked against the derivation.

answer key (what there is to calculate) + submission (what a student wrote) -> report
"""
