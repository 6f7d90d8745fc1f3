"""Engagements: one company's move, its connections, people, files and the road it walks."""
