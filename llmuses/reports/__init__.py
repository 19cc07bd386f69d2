"""A run's results for people: Markdown and one self-contained HTML page. JSON is written by the evaluation itself."""

from llmuses.reports._html import html
from llmuses.reports._markdown import escape as escape_markdown
from llmuses.reports._markdown import markdown
from llmuses.reports._write import write_reports

__all__ = ["escape_markdown", "html", "markdown", "write_reports"]
