"""Finds for each source object and field its counterpart at the destination, with a probability and reasons."""
