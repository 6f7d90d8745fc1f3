"""What every vendor sandbox needs and no vendor prescribes: configuration, fault switches, request bodies, a server.

A sandbox is our local stand-in of a vendor's API. It may use this kit and FastAPI; it imports nothing from the
connector of the same platform, so that each checks the other.
"""
