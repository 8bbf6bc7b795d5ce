"""JavaScript of design documents, run by QuickJS: map, reduce, filter and validation functions, within limits."""

from embedded.javascript.design_functions import DesignFunctions, filter_by_view, filter_documents, validate
from embedded.javascript.sandbox import CompilationError, ScriptError, ScriptStoppedError
from embedded.javascript.view_functions import Emitted, ViewFunctions

__all__ = [
    "CompilationError",
    "DesignFunctions",
    "Emitted",
    "ScriptError",
    "ScriptStoppedError",
    "ViewFunctions",
    "filter_by_view",
    "filter_documents",
    "validate",
]
