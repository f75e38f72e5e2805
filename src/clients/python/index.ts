import { basename, join } from "node:path";
import { version } from "../../../package.json";
import { answer } from "../../cli/answer";
import { defineVerb, requiredFlag } from "../../cli/define";
import { inline, lines } from "../../cli/text";
import { pathFrom } from "../../files";
import { filePath } from "../../words";
import { putFiles } from "../files";
import init from "./package/__init__.py" with { type: "text" };
import main from "./package/__main__.py" with { type: "text" };
import call from "./package/_call.py" with { type: "text" };

const MARK = "# Written by `coop shim python`";

/** By this type checkers know that a package has types, whatever is in it. */
const TYPED = "py.typed";

const PACKAGE = { "__init__.py": init, "__main__.py": main, "_call.py": call, [TYPED]: "" };

/** A name in a program's text, as a package's must be to be imported. */
const A_NAME = /^[\p{XID_Start}_]\p{XID_Continue}*$/u;

/** The language's own words, which are no names (https://docs.python.org/3/reference/lexical_analysis.html#keywords). */
const KEYWORDS =
  "False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield".split(
    " ",
  );

/** The version of the coop that wrote a file; undefined where none did. */
async function versionOf(path: string): Promise<string | undefined> {
  const text = await Bun.file(path)
    .text()
    .catch(() => "");
  return text.startsWith(MARK) ? /coop (\d+\.\d+\.\d+)\./.exec(text)?.[1] : undefined;
}

export default defineVerb({
  unscoped: "none",
  about: "write a Python package that calls coop",
  examples: ["coop shim python --dir tools/coop"],
  notes: `For Python 3.9 and newer, without anything to install. In the folder that holds tools then:
  python -m tools.coop --as claude-code-pippa letter read
  from tools.coop import add_history_entry, queue_push
It finds coop by COOP_BIN, on PATH or beside itself. Run it again after an update of coop; files that it did not write are
left alone. For mypy, and where another package is called tools, put an empty __init__.py into tools.`,
  args: {
    dir: requiredFlag(
      filePath("name a folder"),
      "DIR",
      "the package's folder, made if it is not there",
    ),
  },
  run: async ({ dir }, context) => {
    const folder = pathFrom(context.edge.folder, dir);
    const heading = `${MARK}, coop ${version}. Edits are lost when it is run again.`;
    const files = Object.entries(PACKAGE).map(([name, text]) => ({
      name,
      path: join(folder, name),
      text: `${heading}\n${text}`,
      stays: name === TYPED,
    }));
    const before = await versionOf(files[0]!.path);
    const { written, unchanged } = await putFiles(folder, files, MARK, context.edge.clock);
    if (before !== undefined && Bun.semver.order(before, version) > 0)
      context.warn(
        "older",
        `${folder} was written by coop ${before}, and is now by ${version}, which is older`,
      );
    if (!A_NAME.test(basename(folder)) || KEYWORDS.includes(basename(folder)))
      context.warn(
        "no_module",
        `Python cannot import '${basename(folder)}': name the folder with letters, digits and _ alone, and by no word of the language`,
      );
    return answer(
      { dir: folder, written, unchanged, version },
      (data) =>
        lines(
          data.written.length > 0 && `wrote ${data.written.join(", ")} to ${inline(data.dir)}`,
          data.written.length === 0 && `${inline(data.dir)} is up to date`,
        ),
      { made: written.length > 0 },
    );
  },
});
