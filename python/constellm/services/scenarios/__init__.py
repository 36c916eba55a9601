"""What is placed: components, regions, scenarios."""
