"""Lock files, environments and bills of materials: what they pin, where, and their addresses."""
