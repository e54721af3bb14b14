"""What comes next is on its way before a client asks for it."""
