"""Training and measuring of the field matcher."""
