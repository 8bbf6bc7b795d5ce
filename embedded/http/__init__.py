"""HTTP as the embedded store speaks it: requests, answers, routing, and the routes that are the store's own."""
