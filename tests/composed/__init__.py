"""What an agent starts with, composed of everybody's texts."""
