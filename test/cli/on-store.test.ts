import { describe, expect, test } from "bun:test";
import { onStore } from "../../src/cli/on-store";
import root from "../../src/root";
import { story } from "../story";

/** What is about no store, or names its own. */
const APART = ["whoami", "copy", "help", "shim"];

describe("commands that coop tells", () => {
  test.each(Object.keys(root.commands))("are about the store that a flag named: %s", (name) => {
    const told = APART.includes(name) ? `coop ${name} x` : `coop --db '/a b/c.db' ${name} x`;
    expect(onStore(`do this: coop ${name} x; then`, "/a b/c.db")).toBe(`do this: ${told}; then`);
    expect(onStore(`coop ${name}`, undefined)).toBe(`coop ${name}`);
  });

  test("keep who speaks, and a store that they name", () => {
    expect(onStore("coop --as dad restore F", "/c.db")).toBe("coop --db /c.db --as dad restore F");
    expect(onStore("coop --db /d.db todo list", "/c.db")).toBe("coop --db /d.db todo list");
    expect(onStore("this coop knows", "/c.db")).toBe("this coop knows");
    expect(onStore("coop restore /c.db puts it back; or coop init", "/c.db")).toBe(
      "coop restore /c.db puts it back; or coop --db /c.db init",
    );
  });

  test("are about another store where they name one, and not where only a part of a path is like it", () => {
    expect(onStore("compare with `coop log --db FILE`", "/c.db")).toBe(
      "compare with `coop log --db FILE`",
    );
    expect(onStore("coop restore /x/backups/b.db; coop backup", "/x/b")).toBe(
      "coop --db /x/b restore /x/backups/b.db; coop --db /x/b backup",
    );
    expect(onStore("coop restore /x/a,b.db puts it back", "/x/a,b.db")).toBe(
      "coop restore /x/a,b.db puts it back",
    );
    expect(onStore("coop who", "postgres://ann:secret@db/x?schema=y")).toBe(
      "coop --db 'postgres://ann@db/x?schema=y' who",
    );
  });

  test("can be typed as they are told, in hints, findings and warnings", async () => {
    await using coop = await story();
    const path = `${coop.home}/it's.db`;
    const db = ["--db", path];
    const named = `coop --db '${coop.home}/it'\\''s.db'`;
    await coop.data([...db, "init"]);
    await coop.data([...db, "todo", "add", "x"], { as: "ann" });
    await coop.data([...db, "letter", "write", "--body", "secret"], { as: "ann" });
    await coop.data([...db, "backup", "--to", "copy.db"]);
    await Bun.$`rm -r ${coop.home}/backups`;

    const { checks } = (await coop.run([...db, "--json", "doctor"])).json().data;
    expect(checks).toContainEqual(
      expect.objectContaining({ name: "published", fix: `${named} backup` }),
    );
    await coop.data([...db, "redact", "L1", "--text", "secret"], { as: "ann" });
    const restored = await coop.run([...db, "--json", "restore", "copy.db"], { as: "ann" });
    expect(restored.json().warnings).toContainEqual({
      code: "redacted",
      message: `L1 is as it was before it was redacted: ${named} redact L1 --text TEXT (without --text all of it is gone)`,
    });
    const missing = await coop.run([...db, "--json", "todo", "show", "T9"]);
    expect(missing.json().error.hint).toBe(`${named} todo list`);
    const joined = await coop.run([`--db=${path}`, "--json", "todo", "show", "T9"]);
    expect(joined.json().error.hint).toBe(`${named} todo list`);
    const misread = await coop.run([...db, "letter", "T1"]);
    expect(misread.err).toContain(`did you mean \`${named} show T1\`?`);
    const other = await coop.run([...db, "--json", "letter", "show", "T1"]);
    expect(other.json().error).toMatchObject({
      message: "LETTER: T1 is a todo, not a letter",
      hint: `${named} show T1`,
    });
    for (let n = 0; n < 10; n++) {
      const stdin = `{"payload":1,"key":"k${n}"}\n{"payload":2}\n`;
      await coop.data([...db, "queue", "push", "q", "--jsonl", "-"], { as: "ann", stdin });
    }
    const again = Array.from({ length: 10 }, (_, n) => `{"payload":1,"key":"k${n}"}`).join("\n");
    const push = [...db, "queue", "push", "q", "--jsonl", "-"];
    const pushed = await coop.run(push, { as: "ann", stdin: again });
    expect(pushed.out).toContain(`2 more runs: ${named} queue list q --status all`);
    const long = { as: "ann", stdin: "line\n".repeat(9000) };
    await coop.data([...db, "letter", "write", "--body", "-"], long);
    const { out } = await coop.run([...db, "letter", "read"], { as: "ann" });
    expect(out).toContain(`all of it: ${named} letter read L`);
  });
});
