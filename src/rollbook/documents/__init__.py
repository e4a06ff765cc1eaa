"""What a document is: JSON values, their order and equality, paths, editing, and bytes. Pure; knows no operator."""
