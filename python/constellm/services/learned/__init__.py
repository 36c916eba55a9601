"""Learned placement: environments, policies, regret."""
