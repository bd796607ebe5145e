"""What makes a tree for balena out of this clone, and holds the compose file in it to what balena takes."""
