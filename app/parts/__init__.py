"""What each machine will need, and when: plans, usage, what is due, bulletins (pure), and the parts desk that asks."""
