"""The demo: embedded servers, both stand-ins, the API and two workers as processes, and a client walking the road."""

from app.demo.performing import run_demo

__all__ = ["run_demo"]
