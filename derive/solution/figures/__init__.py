"""Figures of a problem: what each kind shows, drawn from the graph and its numbers. Their places on paper are
derive/render/figures/.
"""
