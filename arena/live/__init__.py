"""The live arena: battles that people start and decide in a browser. Nothing in here knows Gradio or FastAPI."""
