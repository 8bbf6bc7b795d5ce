"""Files that come in and go out. Everything is read safely, completely, and before anything is written."""
