"""What an operator may write, and what it means. No subprocess, no git."""
