"""Writes what ``run.py`` found into docs/benchmarks.md and its plots.

A table stands between two comments, ``<!-- table: name -->`` and ``<!-- end -->``; all
between them is replaced. A table whose part was not measured stays as it is.
``python bench/report.py`` writes the last results once more.
"""

import json
import re
from html import escape
from pathlib import Path
from statistics import median, quantiles

from levers import CHANGED, LEFT

WORDS = {
    "open": "the view without authentication",
    "get": "authenticated GET",
    "me": "GET /api/users/me/",
    "verify": "verify",
    "refresh": "refresh",
    "logout": "logout",
    "login": "login",
    "login_without_hash": "login, without the hash",
}
WHO = {
    "ours": "this template",
    "stock": "stock, same server",
    "tutorial": "as in tutorials",
}
COLOURS = {"ours": "#2563eb", "stock": "#94a3b8", "tutorial": "#cbd5e1"}


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def ms(seconds):
    return f"{seconds:.2f} s" if seconds >= 0.9995 else f"{seconds * 1e3:.3g} ms"


def times(ratio):
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def ratio(row, one="ours", other="stock"):
    return median(row[one]) / median(row[other])


def noise(cells):
    """Half the interquartile range, relative to the median: the median of all cells."""
    spreads = [
        (q[2] - q[0]) / 2 / q[1]
        for values in cells
        if len(values) > 3
        for q in [quantiles(values, n=4)]
    ]
    return f"±{median(spreads):.0%}" if spreads else "unknown"


# The tables, by name; each takes what its part found


def generation(found):
    """Time of ``cookiecutter .`` and of ``cookiecutter --version``."""
    version, whole = (
        list(zip(*found["samples"][name], strict=True))
        for name in ("version", "generation")
    )
    rows = [
        (
            name,
            ms(median(version[i])),
            ms(median(whole[i])),
            times(median(whole[i]) / median(version[i])),
        )
        for i, name in enumerate(("by the clock", "CPU"))
    ]
    head = ("", "`cookiecutter --version`", "`cookiecutter . --no-input`", "ratio")
    text = table(head, rows)
    spread = noise([version[0], whole[0]])
    return {
        "generation": f"{text}\n\n{found['files']} files, hook included. Spread of "
        f"the samples {spread}."
    }


def first_token(found):
    steps = list(found[0])
    rows = [
        (f"`{step}`", f"{median(run[step] for run in found):.2f} s") for step in steps
    ]
    total = median(sum(run.values()) for run in found)
    rows.append((f"**{len(steps)} commands**", f"**{total:.1f} s**"))
    return {"first_token": table(("step", "median"), rows)}


def requests(found):
    tables, cells = {}, []
    for vendor, algorithms in found["cpu"].items():
        rows = []
        cpu = algorithms["HS256"]
        for operation, row in cpu.items():
            cells += row.values()
            statements = [
                len(found["statements"][vendor][who].get(operation, []))
                if operation not in ("open", "me")
                else ""
                for who in ("ours", "stock")
            ]
            opened = median(row["ours"]) / median(cpu["open"]["ours"])
            tutorial = times(ratio(row, other="tutorial")) if "tutorial" in row else ""
            rows.append(
                (
                    WORDS[operation],
                    ms(median(row["ours"])),
                    ms(median(row["stock"])),
                    f"**{times(ratio(row))}**",
                    tutorial,
                    times(opened),
                    *statements,
                )
            )
        head = [
            "CPU per request, HS256",
            "this template",
            "stock",
            "ratio",
            "ratio to tutorial",
            "× open view",
            "statements",
            "stock's",
        ]
        if vendor == "SQLite":
            head.pop(4)
            rows = [row[:4] + row[5:] for row in rows]
        tables[f"requests_{vendor.lower()}"] = table(head, rows)
    rows = []
    postgres = found["cpu"]["PostgreSQL"]
    for algorithm, cpu in postgres.items():
        sign, verify = (
            median(column)
            for column in zip(*found["signature"][algorithm], strict=True)
        )
        get, refresh = median(cpu["get"]["ours"]), median(cpu["refresh"]["ours"])
        sqlite = found["cpu"].get("SQLite", {}).get(algorithm)
        rows.append(
            (
                algorithm,
                ms(sign),
                ms(verify),
                ms(get),
                ms(get - verify),
                times(ratio(cpu["get"])),
                ms(refresh),
                ms(refresh - 2 * sign - verify),
                times(ratio(cpu["refresh"])),
                times(ratio(sqlite["get"])) if sqlite else "",
                times(ratio(sqlite["refresh"])) if sqlite else "",
            )
        )
    tables["algorithms"] = (
        table(
            (
                "",
                "sign",
                "verify",
                "GET",
                "GET − verify",
                "ratio",
                "refresh",
                "refresh − 2 sign − verify",
                "ratio",
                "GET, SQLite",
                "refresh, SQLite",
            ),
            rows,
        )
        + f"\n\nSpread of the samples {noise(cells)}."
    )
    hashes = hashing(found)
    default = hashes["PBKDF2, Django's default"][0]
    rest = [median(column) for column in zip(*found["login_without_hash"], strict=True)]
    tables["login"] = table(
        ("", "CPU", "by the clock", "× Django's default"),
        [
            (name, ms(cpu), ms(wall), times(default / cpu))
            for name, (cpu, wall) in hashes.items()
        ]
        + [("**a login without its hash**", *map(ms, rest), "")],
    )
    return tables


def hashing(found):
    """Seconds of CPU and of the clock for one hash, by hasher."""
    return {
        name: [median(run[name][i] for run in found["hashing"]) for i in (0, 1)]
        for name in found["hashing"][0]
    }


def http(found):
    rows = []
    for algorithm, operations in found.items():
        for operation, row in operations.items():
            rows.append(
                (
                    f"{WORDS[operation]}, {algorithm}",
                    *(f"{median(row[who]):.3g}" for who in WHO),
                    times(ratio(row)),
                    f"**{times(ratio(row, other='tutorial'))}**",
                )
            )
    cells = [
        values
        for row in found.values()
        for who in row.values()
        for values in who.values()
    ]
    head = ("requests per second", *WHO.values(), "× stock", "× tutorial")
    return {"http": table(head, rows) + f"\n\nSpread of the samples {noise(cells)}."}


def growth(found):
    rows = []
    for who, steps in found["after"].items():
        for number, added, size, latency in steps:
            cpu = median(cpu for cpu, _ in latency)
            rows.append(
                (
                    WHO[who].partition(",")[0],
                    f"{number:,}",
                    f"{added:,}",
                    f"{size:,}",
                    ms(cpu),
                )
            )
    head = (
        "",
        "refreshes of one session",
        "rows added",
        "bytes added",
        "next refresh, CPU",
    )
    tables = {"growth": table(head, rows)}
    rows = []
    for operation, sizes in found["latency"].items():
        cpu, wall = (
            {
                size: median(sample[i] for sample in samples)
                for size, samples in sizes.items()
            }
            for i in (0, 1)
        )
        small, large = sizes
        for name, values in (("CPU", cpu), ("by the clock", wall)):
            rows.append(
                (
                    f"{WORDS[operation]}, {name}",
                    ms(values[small]),
                    ms(values[large]),
                    times(values[large] / values[small]),
                )
            )
    tables["sessions"] = table(
        ("", f"{int(small):,} sessions", f"{int(large):,} sessions", "ratio"), rows
    )
    clean = found["clean"]
    rows = [
        ("expired sessions", f"{clean['rows']:,}"),
        ("time", f"{clean['seconds']:.1f} s"),
        ("additional memory", f"{clean['kib'] / 1024:.1f} MiB"),
        ("its transactions, median", ms(clean["transactions"]["median"])),
        ("its transactions, 99 %", ms(clean["transactions"]["p99"])),
        ("its longest transaction", ms(clean["transactions"]["max"])),
        *(
            (
                f"a refresh meanwhile, {name}",
                f"{ms(clean['busy'][name])} (otherwise {ms(clean['quiet'][name])})",
            )
            for name in ("median", "p99")
        ),
    ]
    tables["clean"] = table(("`delete_expired_sessions`", ""), rows)
    return tables


def levers(found):
    tables = {}
    for name, group in (("changed", CHANGED), ("left", LEFT)):
        rows = []
        for key, (operation, text) in group.items():
            if key not in found:
                continue
            plain, lever = (median(found[key][who]) for who in ("plain", "lever"))
            before, after = (lever, plain) if name == "changed" else (plain, lever)
            rows.append(
                (text, WORDS[operation], ms(before), ms(after), times(after / before))
            )
        second = ("before", "after") if name == "changed" else ("as it is", "with it")
        tables[name] = table(("", "request", *second, "ratio"), rows)
    cells = [values for row in found.values() for values in row.values()]
    tables["left"] += f"\n\nSpread of the samples {noise(cells)}."
    return tables


def tests(found):
    rows = [
        (name, f"{run['seconds']:.0f} s", run["says"]) for name, run in found.items()
    ]
    return {"tests": table(("", "takes", "says"), rows)}


def targets(results):
    """What was aimed at, and whether it is so."""
    rows = []

    def row(what, limit, value, good, text=times):
        rows.append((what, limit, text(value), "yes" if good else "**no**"))

    if found := _found(results, "generation"):
        wall = [
            median(s[0] for s in found["samples"][n]) for n in ("generation", "version")
        ]
        value = wall[0] / wall[1]
        row("generation ÷ `cookiecutter --version`", "≤ 2.0", value, value <= 2)
    if found := _found(results, "requests"):
        cpu = found["cpu"]["PostgreSQL"]["HS256"]
        for operation, most in (("get", 0.7), ("refresh", 0.35)):
            value = ratio(cpu[operation])
            row(
                f"{WORDS[operation]}, CPU ÷ stock's on the same server",
                f"≤ {most}",
                value,
                value <= most,
            )
        count = len(found["statements"]["PostgreSQL"]["ours"]["refresh"])
        row("statements per refresh", "2", count, count == 2, str)
        hashes = hashing(found)
        value = median(wall for _, wall in found["login_without_hash"])
        row("a login without its hash", "< 8 ms", value, value < 0.008, ms)
        value = hashes["PBKDF2, Django's default"][0] / hashes["this project's"][0]
        row("hashes per second ÷ Django's default hasher's", "≥ 5", value, value >= 5)
    if found := _found(results, "http"):
        for operation, least in (("get", 8), ("refresh", 5), ("login", 5)):
            value = ratio(found["HS256"][operation], other="tutorial")
            row(
                f"{WORDS[operation]}, requests per second ÷ tutorial's",
                f"≥ {least}",
                value,
                value >= least,
            )
    if found := _found(results, "growth"):
        small, large = found["latency"]["refresh"].values()
        value = median(s[1] for s in large) / median(s[1] for s in small)
        row(
            "a refresh among a million sessions ÷ among a thousand",
            "≤ 1.2",
            value,
            value <= 1.2,
        )
        added = max(step[1] for step in found["after"]["ours"])
        row("rows added by refreshes", "0", added, added == 0, str)
        clean = found["clean"]
        value = clean["kib"] / 1024
        row(
            "`delete_expired_sessions`, additional memory",
            "≤ 20 MiB",
            value,
            value <= 20,
            lambda v: f"{v:.1f} MiB",
        )
        value = clean["transactions"]["max"]
        row(
            "`delete_expired_sessions`, longest transaction",
            "≤ 200 ms",
            value,
            value <= 0.2,
            ms,
        )
    return table(("", "target", "measured", "met"), rows)


def _found(results, name):
    return results.get(name, {}).get("found")


def conditions(results):
    rows = [
        (name, part["date"], part["machine"], part["load"])
        for name, part in results.items()
    ]
    text = table(("part", "date", "machine", "load at its start"), rows)
    versions = next(reversed(results.values()))["versions"]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{text}\n\nWith {listed}."


# The plots


def bars(title, unit, groups):
    """An SVG of horizontal bars: ``{group: {who: value}}``."""
    width, left, right, height = 760, 190, 90, 17
    largest = max(value for row in groups.values() for value in row.values())
    y, marks = 62, []
    for index, who in enumerate(WHO):
        x = 20 + 170 * index
        marks.append(
            f'<rect x="{x}" y="34" width="12" height="12" '
            f'fill="{COLOURS[who]}"/>'
            f'<text x="{x + 18}" y="44">{WHO[who]}</text>'
        )
    for group, row in groups.items():
        middle = y + height * len(row) / 2 + 4
        marks.append(
            f'<text x="{left - 8}" y="{middle:.0f}" text-anchor="end">'
            f"{escape(group)}</text>"
        )
        for who, value in row.items():
            length = max(1, (width - left - right) * value / largest)
            marks.append(
                f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{height - 3}" '
                f'fill="{COLOURS[who]}"/><text x="{left + length + 5:.1f}" '
                f'y="{y + 11}">{value:.3g} {unit}</text>'
            )
            y += height
        y += 12
    style = "font: 12px system-ui, sans-serif; background: #fff"
    body = "\n".join(marks)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" '
        f'style="{style}" role="img">\n<title>{escape(title)}</title>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<text x="20" y="20" font-weight="bold">{escape(title)}</text>\n'
        f"{body}\n</svg>\n"
    )


def plots(results):
    """Title and SVG of every plot that the results allow, by name."""
    found = {}
    if part := _found(results, "requests"):
        cpu = part["cpu"]["PostgreSQL"]["HS256"]
        groups = {
            WORDS[o]: {who: median(cpu[o][who]) * 1e3 for who in WHO}
            for o in ("open", "get", "verify", "refresh", "logout")
        }
        title = "CPU per request, PostgreSQL, HS256: shorter is better"
        found["requests"] = title, bars(title, "ms", groups)
    if part := _found(results, "http"):
        rows = part["HS256"]
        groups = {WORDS[o]: {who: median(rows[o][who]) for who in WHO} for o in rows}
        title = "Requests per second over HTTP, two workers: longer is better"
        found["throughput"] = title, bars(title, "/s", groups)
    return found


WRITERS = {
    function.__name__: function
    for function in (generation, first_token, requests, http, growth, levers, tests)
}


def tables(results):
    """Every table that the results allow, by name."""
    return {
        name: text
        for part, result in results.items()
        for name, text in WRITERS[part](result["found"]).items()
    }


def write(results, docs):
    """Puts the tables into docs/benchmarks.md, and the plots beside it."""
    found = {
        **tables(results),
        "targets": targets(results),
        "conditions": conditions(results),
    }
    images = docs / "images"
    images.mkdir(exist_ok=True)
    for name, (title, drawing) in plots(results).items():
        (images / f"benchmark-{name}.svg").write_text(drawing, "utf-8")
        found[f"plot_{name}"] = f"![{title}](images/benchmark-{name}.svg)"
    page = docs / "benchmarks.md"
    text = page.read_text("utf-8")
    for name, content in found.items():
        place = re.compile(rf"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = place.subn(lambda m, c=content: f"{m[1]}{c}\n{m[2]}", text)
        if count != 1:
            raise ValueError(f"{page}: {count} places for the table {name}")
    text = re.sub(
        r"(<!-- table: \w+ -->\n)(?=<!-- end -->)",
        r"\1Not measured yet: `python bench/run.py` fills this in.\n",
        text,
    )
    page.write_text(text, "utf-8")


if __name__ == "__main__":
    here = Path(__file__).parent
    results = json.loads((here / "results.json").read_text("utf-8"))
    write(results, here.parent / "docs")
