"""What a registry can be asked: one module for each noun, one function for each operation."""
