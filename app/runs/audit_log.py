"""The audit log as the engine knows it; the chain itself stands in app.audit_chain, which the API writes to as well."""

from app.audit_chain import GENESIS, Entry, append, expand, leaf, link, root_of, sealed, unpacked

__all__ = ["GENESIS", "Entry", "append", "expand", "leaf", "link", "root_of", "sealed", "unpacked"]
