"""The commands of ``ironbook``, one module each; ``app/cli.py`` lists them."""
