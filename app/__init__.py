"""Ironbook's Flask application."""
