"""What platforms share that have no API: uploaded tables become objects, cells become canonical values.

`catalogue` says what an export holds, `source.ExportSource` reads it; a platform adds data and a few hooks.
"""
