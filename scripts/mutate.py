"""Put faults into ``tokens/`` of a rendered project, and see which its tests notice.

    python scripts/mutate.py PROJECT [--results FILE] [--workers N] [MODULE ...]

Runs in the project's own interpreter. Each fault, a mutant, changes one place: a
comparison, a condition, a constant, a returned value; or leaves out a call, an
argument, a ``raise`` or a decorator. A mutant dies when a test fails or the tests do
not end. What is done is kept in FILE, so that an interrupted run goes on from there.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from multiprocessing import Process
from pathlib import Path
from typing import Any

import pytest

SECONDS = 150  # for the tests of one mutant
#: The tests that look closest at a module. All others follow if these pass.
NEAREST = {
    "admin": "admin",
    "authentication": "login sessions promises_sessions promises_http",
    "checks": "checks settings promises_tokens",
    "claims": "choices",
    "keys": "keys promises_tokens",
    "models": "sessions refresh admin commands statements promises_sessions users",
    "schema": "openapi",
    "serializers": "login refresh sessions choices promises_sessions openapi",
    "sessions": "sessions refresh promises_sessions statements login",
    "tokens": "refresh choices sessions login promises_sessions promises_tokens",
    "views": "sessions refresh login keys openapi promises_http promises_accounts",
    "delete_expired_sessions": "commands",
    "generate_signing_key": "commands keys",
}
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
}


def changed(node: Any, **fields: object) -> Any:
    """Return a copy of the node with other fields."""
    copy = deepcopy(node)
    for name, value in fields.items():
        setattr(copy, name, value)
    return copy


def without(items: list[Any], index: int) -> list[Any]:
    """Return the list without one of its items."""
    return items[:index] + items[index + 1 :]


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the node with one fault, for each that fits."""
    match node:
        case ast.Compare(ops=ops):
            for index, operator in enumerate(ops):
                if other := COMPARISONS.get(type(operator)):
                    yield changed(node, ops=[*ops[:index], other(), *ops[index + 1 :]])
        case ast.BoolOp(op=operator):
            other_ = ast.Or if isinstance(operator, ast.And) else ast.And
            yield changed(node, op=other_())
        case ast.BinOp(op=operator) if type(operator) in OPERATORS:
            yield changed(node, op=OPERATORS[type(operator)]())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Constant(value=bool(value)):
            yield changed(node, value=not value)
        case ast.Constant(value=int(value)):
            yield changed(node, value=value + 1)
        case ast.Constant(value=str(value)) if value and " " not in value:
            yield changed(node, value=f"{value}X")
        case ast.If() | ast.IfExp() | ast.While():
            yield changed(node, test=ast.Constant(value=False))
            if not isinstance(node, ast.While):
                yield changed(node, test=ast.Constant(value=True))
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield changed(node, value=ast.Constant(value=None))
        case ast.Raise() | ast.Expr(value=ast.Call()):
            yield ast.copy_location(ast.Pass(), node)
        case ast.Call(keywords=keywords):
            for index, keyword in enumerate(keywords):
                if keyword.arg:
                    yield changed(node, keywords=without(keywords, index))
        case (
            ast.FunctionDef(decorator_list=decorators)
            | ast.ClassDef(decorator_list=decorators)
        ):
            for index in range(len(decorators)):
                yield changed(node, decorator_list=without(decorators, index))
        case ast.ListComp(generators=[one]) | ast.GeneratorExp(generators=[one]) if (
            one.ifs
        ):
            yield changed(node, generators=[changed(one, ifs=[])])


class Mutator(ast.NodeTransformer):
    """Puts in the fault with the number ``wanted``, counting through a module."""

    def __init__(self, wanted: int) -> None:
        """Count from the beginning."""
        self.left = wanted
        self.found: dict[str, Any] | None = None

    def visit(self, node: ast.AST) -> Any:
        """Change the node, or what is in it, unless it is a docstring."""
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return node
        for variant in variants(node):
            if self.left == 0 and self.found is None:
                line = getattr(node, "lineno", 0)
                self.found = {"line": line, "old": short(node), "new": short(variant)}
                return variant
            self.left -= 1
        return self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Leave annotations alone."""
        names = {"annotation", "returns"} & {*node._fields}
        annotations = {name: getattr(node, name) for name in names}
        for name in names:
            setattr(node, name, None)
        super().generic_visit(node)
        for name, value in annotations.items():
            setattr(node, name, value)
        return node


def short(node: ast.AST) -> str:
    """Return the code of a node in one line."""
    text = ast.unparse(ast.fix_missing_locations(deepcopy(node)))
    return " ".join(text.split())[:160]


def mutants(source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the module with one fault, and what it is, for every fault."""
    for number in range(10_000):
        mutator = Mutator(number)
        tree = mutator.visit(ast.parse(source))
        if mutator.found is None:
            return
        yield ast.unparse(ast.fix_missing_locations(tree)), mutator.found


def run_tests(project: Path, names: list[str]) -> bool:
    """Tell whether the tests pass, run in a fork of this process."""
    child = os.fork()
    if child == 0:
        os.setsid()
        os.chdir(project)
        sys.path.insert(0, str(project))
        sys.dont_write_bytecode = True
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        plugins = [f"-pno:{name}" for name in ("randomly", "cacheprovider", "xdist")]
        files = [f"tests/test_{name}.py" for name in names]
        status = 1
        try:
            status = int(pytest.main(["-x", "-q", "--tb=no", *plugins, *files]))
        finally:  # whatever happens, this is not the process that goes on
            os._exit(status)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def work(project: Path, jobs: list[tuple[str, int]], results: Path) -> None:
    """Try the mutants of ``jobs``, each a module and a number, in a copy."""
    # Imported once, here; the forks that run the tests have them already.
    for name in ("cryptography.x509", "django.contrib.admin", "django.test"):
        importlib.import_module(name)

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        shutil.copytree(project, copy)
        if not all(run_tests(copy, names) for names in tests_of("", project)):
            raise SystemExit("The tests fail without any fault.")
        for module, number in jobs:
            original = (project / module).read_text("utf-8")
            text, fault = next(
                mutant for n, mutant in enumerate(mutants(original)) if n == number
            )
            (copy / module).write_text(text, "utf-8")
            survived = all(run_tests(copy, t) for t in tests_of(module, project))
            (copy / module).write_text(original, "utf-8")
            fault |= {"module": module, "number": number, "survived": survived}
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(fault) + "\n")


def tests_of(module: str, project: Path) -> list[list[str]]:
    """Return the names of the tests that are nearest to a module, and the others."""
    there = {path.stem.removeprefix("test_") for path in project.glob("tests/test_*")}
    nearest = there & {*NEAREST.get(Path(module).stem, "").split()}
    return [sorted(names) for names in (nearest, there - nearest) if names]


def report(results: Path) -> None:
    """Print how many died in each module, and the survivors."""
    tried = [json.loads(line) for line in results.read_text("utf-8").splitlines()]
    all_, alive = Counter[str](), Counter[str]()
    for fault in tried:
        all_[fault["module"]] += 1
        alive[fault["module"]] += fault["survived"]
    for module, number in sorted(all_.items()):
        print(f"{module}: {number - alive[module]} of {number} died")
    total, dead = sum(all_.values()), sum(all_.values()) - sum(alive.values())
    print(f"{dead} of {total} died, {100 * dead / total:.1f} %")
    for fault in sorted(tried, key=lambda fault: (fault["module"], fault["line"])):
        if fault["survived"]:
            where = f"{fault['module']}:{fault['line']} #{fault['number']}"
            print(f"survived: {where}: {fault['old']}  ->  {fault['new']}")


def main() -> None:
    """Try all mutants that have not been tried, with several processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument(
        "modules", nargs="*", help="such as tokens/keys.py; all of them"
    )
    parser.add_argument("--results", type=Path, default=Path("mutation.jsonl"))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    project, results = options.project.resolve(), options.results.resolve()
    results.touch()
    done = {
        (fault["module"], fault["number"])
        for fault in map(json.loads, results.read_text("utf-8").splitlines())
    }
    found = options.modules or [
        str(path.relative_to(project))
        for path in sorted(project.glob("tokens/**/*.py"))
        if "migrations" not in path.parts
    ]
    jobs = [
        (module, number)
        for module in found
        for number, _ in enumerate(mutants((project / module).read_text("utf-8")))
        if (module, number) not in done
    ]
    print(f"{len(jobs)} mutants to try.", flush=True)
    workers = [
        Process(target=work, args=(project, jobs[start :: options.workers], results))
        for start in range(options.workers)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    report(results)


if __name__ == "__main__":
    main()
