"""Quotes: the price of a move by rules, reviewed by an operator where rules do not reach."""
