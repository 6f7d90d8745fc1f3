"""Webhooks: endpoints, signed deliveries, their attempts, and the event stream behind them."""
