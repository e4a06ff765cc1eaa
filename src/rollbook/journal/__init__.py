"""What is durable: one interface, and the engines behind it."""
