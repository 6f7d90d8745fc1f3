"""PostgreSQL and Valkey from their wheels, started and stopped by us where no server is given.

`with EmbeddedServers(folder) as servers:` runs the pair; `EmbeddedServers.attach(folder)` finds one that another
process runs. Nothing here knows what is stored in them.
"""

from app.embedded.errors import AlreadyRunning, EmbeddedServersError, ServersNotStarted
from app.embedded.servers import EmbeddedServers
from app.embedded.state import ServerUrls

__all__ = ["AlreadyRunning", "EmbeddedServers", "EmbeddedServersError", "ServerUrls", "ServersNotStarted"]
