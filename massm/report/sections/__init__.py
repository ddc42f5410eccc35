"""The page's sections: one module with its template each, all asked the same way."""
