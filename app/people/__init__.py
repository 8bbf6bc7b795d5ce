"""What the dealership remembers about people: whose birthday comes next, and what pleases them."""
