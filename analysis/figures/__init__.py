"""Figures as SVG, for reports and pages: one module a subject, one colour a meaning."""
