"""Mappings: proposal, edits, confirmation and the sheet that people read."""
