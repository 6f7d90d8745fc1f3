"""The catalogue: platforms and pairs, as the connectors and blueprints state them."""
