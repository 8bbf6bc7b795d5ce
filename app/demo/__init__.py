"""The demo: a manufacturer and two dealers on one computer, with a believable small business in their books."""
