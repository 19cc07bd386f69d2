"""What runs inside the sandbox. Standard library only; nothing here imports the rest of llmuses."""
