"""Replication: `_replicate` as the CouchDB replication protocol has it.

`request` understands what was asked, `jobs` runs it, `session` is one run, `transfer` one batch, `peer` the requests
to a side, `transport` the two ways to reach one, `checkpoints` how far it came, `attachments` what travels beside the
documents.

Promises: what a target acknowledged is recorded, what it did not is read again; a refused document is counted and does
not hold up the others; every wait has an end.
"""
