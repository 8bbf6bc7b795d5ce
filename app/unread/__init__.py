"""Unread marks, as in Notes: what others changed since somebody last looked, for each person by themselves."""
