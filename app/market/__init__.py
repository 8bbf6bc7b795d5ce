"""The manufacturer's aggregation: every dealer's shared documents in ``market``, and the forecast derived from them."""
