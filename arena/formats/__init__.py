"""Judgments and votes of other programs, read as battle lines: FastChat, LMArena, MT-bench, AlpacaEval, Arena-Hard, old llmuses."""

from arena.formats.reading import FORMATS, Converted, convert, convert_files

__all__ = ["FORMATS", "Converted", "convert", "convert_files"]
