"""A run's results for people: Markdown and one self-contained HTML page. JSON is written by the evaluation itself."""

from llmuses.reports._html import html
from llmuses.reports._markdown import markdown
from llmuses.reports._write import write_reports

__all__ = ["html", "markdown", "write_reports"]
