"""The API's answer times while a large run is going."""
