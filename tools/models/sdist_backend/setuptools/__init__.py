"""Stands in for setuptools while pip downloads a source archive: see fetch() in tools/models/lib.sh."""
