"""Documents: their ids, the fields all of them have, merging, saving, and the log of changes."""
