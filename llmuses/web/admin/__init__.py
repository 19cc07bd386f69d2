"""The admin room: an app of its own below ``admin/``, behind a door of its own."""
