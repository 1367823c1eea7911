"""Runs the recipes of a document as they are written, in one shell, and compares what comes out.

    recipes.py DOCUMENT ORIGIN
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

WRITTEN = "http://localhost:8080"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.M | re.S)
END = "=== end of recipe ==="


def fits(stated, given):
    """Whether they are the same, where `…` stands for anything within a line."""
    pattern = ".*".join(re.escape(part) for part in stated.strip().split("…"))
    return re.fullmatch(pattern, given.strip()) is not None


def main(document, origin):
    text = Path(document).read_text("utf-8")
    recipes = []
    for kind, body in BLOCK.findall(text):
        if kind == "sh":
            recipes.append([body.replace(WRITTEN, origin), ""])
        else:
            recipes[-1][1] = body
    script = "\n".join(f"{commands}\necho; echo '{END}'" for commands, _ in recipes)
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", script],
            cwd=folder,
            text=True,
            capture_output=True,
            timeout=120,
            check=False,
        )
    given = run.stdout.split(END)[:-1]
    wrong = [pair for pair in zip(recipes, given) if not fits(pair[0][1], pair[1])]
    for (commands, stated), came in wrong:
        print(f"--- this recipe\n{commands}\n--- should say\n{stated}\n--- and says\n{came.strip()}\n")
    if run.returncode != 0 or len(given) < len(recipes):
        print(f"--- recipe {len(given) + 1} of {len(recipes)} failed ({run.returncode}):\n{recipes[len(given)][0]}\n{run.stderr}")
        return 1
    print(f"{len(recipes)} recipes, {len(wrong)} of them wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
