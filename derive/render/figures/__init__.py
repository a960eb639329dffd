"""Figures: a drawing laid out as a picture, and the picture in each format."""
