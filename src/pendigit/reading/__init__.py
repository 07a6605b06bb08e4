"""How a picture becomes digits."""
