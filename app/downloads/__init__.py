"""Signed, expiring links to files that were too large for their destination (ruling 25)."""
