"""Everything that can be said of a run: kinds of statements, each with one template.

A kind stands in the module of the stage that says it. Sentences in every language are made from
its template and the values of a statement; no sentence stands anywhere else.
"""

from phonehome.analyzer.kinds import claims, comparison, counted, measured, run, traffic
from phonehome.analyzer.kinds.statement import KINDS, Kind, Speech, Statement, Value, said

__all__ = [
    "KINDS",
    "Kind",
    "Speech",
    "Statement",
    "Value",
    "claims",
    "comparison",
    "counted",
    "measured",
    "run",
    "said",
    "traffic",
]
