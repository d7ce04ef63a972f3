"""The faults that are put into a module: operators of cosmic-ray, and three additional operators.

cosmic-ray negates conditions and swaps operators. Such a fault also breaks the rest of the program, so the tests notice
it even if no test needs the check. Only the removal of the check shows that. So the additional operators remove
statements, conditions and operands.

cosmic-ray and parso have no types, and only the environment of this tool has them, so they are imported by name.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

COSMIC_RAY = (
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
    *("ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_USub", "NumberReplacer", "ZeroIterationForLoop"),
    *("ReplaceComparisonOperator_Eq_NotEq", "ReplaceComparisonOperator_NotEq_Eq"),
    *("ReplaceComparisonOperator_Is_IsNot", "ReplaceComparisonOperator_IsNot_Is"),
    *("ReplaceComparisonOperator_Lt_LtE", "ReplaceComparisonOperator_LtE_Lt"),
    *("ReplaceComparisonOperator_Gt_GtE", "ReplaceComparisonOperator_GtE_Gt"),
    *("ReplaceBinaryOperator_Add_Sub", "ReplaceBinaryOperator_Sub_Add"),
    *("ReplaceBinaryOperator_Mul_Div", "ReplaceBinaryOperator_Div_Mul"),
    "ExceptionReplacer",
)
"""One operator for each kind of fault. The other operators of cosmic-ray create more mutants of the same kind."""

Span = tuple[tuple[int, int], tuple[int, int]]


class Operator(Protocol):
    """One kind of fault, with the interface of cosmic-ray's operators."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """Yield the start and end of each place in `node` where this fault can be made."""
        ...

    def mutate(self, node: Any, index: int) -> Any:
        """Make the fault at the place with this index, and return the node."""
        ...


def replaced(node: Any, child: Any, text: str) -> Any:
    """Return `node` with `text` in the place of `child`."""
    leaf = child.get_first_leaf()
    keyword = importlib.import_module("parso.python.tree").Keyword(text, leaf.start_pos, prefix=leaf.prefix)
    node.children[node.children.index(child)] = keyword
    return node


class RemoveStatement:
    """Replaces `raise`, `del`, a call, `await`, `yield from`, and assignment to an attribute or item, with `pass`."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        if node.type == "simple_stmt" and self._removable(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        return replaced(node, node.children[0], "pass")

    @staticmethod
    def _removable(statement: Any) -> bool:
        if statement.type == "expr_stmt":
            target, sign = statement.children[0], statement.children[1]
            return sign.type != "annassign" and (
                target.type in {"atom_expr", "power"} or (sign.type == "operator" and sign.value != "=")
            )
        return statement.type in {"raise_stmt", "del_stmt", "atom_expr", "power", "await_expr", "yield_expr"} or (
            statement.type == "keyword" and statement.value == "raise"
        )


class DecideCondition:
    """Replaces the condition of `if`, `elif`, a conditional expression or a comprehension with True, or with False.

    The condition of `while` is replaced only with False, because the loop would not end with True.
    """

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        for condition, _ in self._faults(node):
            yield condition.start_pos, condition.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        return replaced(node, *list(self._faults(node))[index])

    @staticmethod
    def _faults(node: Any) -> Iterator[tuple[Any, str]]:
        if node.type in {"if_stmt", "while_stmt", "ternary", "test", "comp_if", "sync_comp_for"}:
            for word, condition in zip(node.children, node.children[1:], strict=False):
                if getattr(word, "value", "") not in {"if", "elif", "while"} or word.type != "keyword":
                    continue
                if condition.get_code(include_prefix=False) in {"TYPE_CHECKING", "True", "False"}:
                    continue
                yield condition, "False"
                if node.type != "while_stmt":
                    yield condition, "True"


class RemoveOperand:
    """Replaces `a and b` with `a`, or with `b`, and `or` in the same way."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        if node.type in {"and_test", "or_test"}:
            for operand in node.children[::2]:
                yield operand.start_pos, operand.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        neutral = "True" if node.type == "and_test" else "False"
        return replaced(node, node.children[::2][index], neutral)


@dataclass(frozen=True, slots=True)
class Mutant:
    """The source with one fault, and the line of the fault."""

    line: int
    source: str


def operators() -> list[Operator]:
    """Return every kind of fault."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plugins = importlib.import_module("cosmic_ray.plugins")
    theirs: list[Operator] = [plugins.get_operator(f"core/{name}")() for name in COSMIC_RAY]
    return [RemoveStatement(), DecideCondition(), RemoveOperand(), *theirs]


def in_an_expression(node: Any) -> bool:
    """Return whether a fault in `node` can change behavior: not for `*` in a signature, nor in an annotation."""
    above = node.parent
    if getattr(node, "value", "") in {"*", "/", "+", "-"} and (
        above is None or above.type not in {"term", "arith_expr"}
    ):
        return False
    while above is not None and above.type not in {"suite", "file_input"}:
        if above.type in {"annassign", "tfpdef"}:
            return False
        above = above.parent
    return True


def mutants(source: str) -> list[Mutant]:
    """Return the different faulty versions of `source`, in the order of their lines."""
    ast = importlib.import_module("cosmic_ray.ast")
    mutate = importlib.import_module("cosmic_ray.mutating").mutate_code
    found: dict[str, Mutant] = {}
    for operator in operators():
        places = [
            (node, start)
            for node in ast.ast_nodes(ast.get_ast(source))
            for start, _ in operator.mutation_positions(node)
        ]
        for occurrence, (node, start) in enumerate(places):
            if not in_an_expression(node):
                continue
            faulty = mutate(source, operator, occurrence)
            if faulty and faulty != source:
                found.setdefault(faulty, Mutant(start[0], faulty))
    return sorted(found.values(), key=lambda mutant: mutant.line)
