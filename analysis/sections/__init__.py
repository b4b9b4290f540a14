"""The report's sections: one module a subject, each made from a `Source`."""
