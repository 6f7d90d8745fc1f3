"""The API as people read it: one page made from the OpenAPI document."""
