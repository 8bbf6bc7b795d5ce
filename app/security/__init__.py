"""Users, sessions, and who may do what."""
