"""The code behind ./course: one module per group of commands."""
