"""From records to tables, plots, Markdown and HTML."""

from report.writing import ReportFiles, write_report

__all__ = ["ReportFiles", "write_report"]
