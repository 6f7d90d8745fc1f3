"""The estimator that partners put into their pages: one script, and a page that shows it."""
