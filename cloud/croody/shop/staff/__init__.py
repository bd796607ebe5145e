"""The pages of the people who keep the shop."""
