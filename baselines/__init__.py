"""The reference networks of the papers, and one training loop for all of them."""
