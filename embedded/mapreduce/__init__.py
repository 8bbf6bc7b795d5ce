"""Map/reduce views: indexes in SQLite files beside their database, brought up to date when they are read.

An index is a function of its database: it can be deleted at any time and is made again. See docs/decisions for why it
keeps partial reductions in a tree of its own.
"""

from embedded.mapreduce.definition import IndexDefinition, check_design_document

__all__ = ["IndexDefinition", "check_design_document"]
