import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Store } from "../../src/store/open";
import {
  addEntry,
  commitEntry,
  editEntry,
  listEntries,
  onePending,
  type Draft,
} from "../../src/surfaces/history/store";
import { engines, eventsOf, failure, rowOf, writingAs } from "../engines";
import { inside } from "../inside";

const LONG = "abcdef1234567890abcdef1234567890abcdef12";

describe.each(engines)("history on $name", ({ openFresh }) => {
  let store: Store;
  let close: () => Promise<void>;
  beforeEach(async () => ({ store, close } = await openFresh()));
  afterEach(() => close());

  const add = (draft: Partial<Draft> = {}, id = "ann") =>
    writingAs(store, id, (writing) =>
      addEntry(writing, {
        scope: "quest",
        slug: "split",
        title: "Split",
        body: "why",
        commitSha: null,
        ...draft,
      }),
    );
  const commit = (
    sha: string,
    { replace = false, ifVersion }: { replace?: boolean; ifVersion?: number } = {},
  ) =>
    writingAs(store, "ann", (writing) =>
      commitEntry(writing, { number: 1 }, { sha, replace, ifVersion }),
    );
  const everything = { filter: {}, slice: { limit: 0 }, hidesFinished: false };

  test("an entry is pending until its commit is filled in", async () => {
    expect(await add()).toMatchObject({
      ref: "H1",
      state: "pending",
      created: true,
      commit_sha: null,
    });
    expect(await commit("abcdef1")).toMatchObject({
      state: "committed",
      commit_sha: "abcdef1",
      version: 2,
    });
    expect((await eventsOf(store, "history", 1)).map(({ verb, state }) => [verb, state])).toEqual([
      ["add", "pending"],
      ["commit", "committed"],
    ]);
  });

  test("the same entry added again is there once, and writes nothing", async () => {
    await add();
    expect(await add({}, "bob")).toMatchObject({ ref: "H1", created: false, author: "ann" });
    expect(await eventsOf(store)).toHaveLength(1);
  });

  test("the same entry added again with its commit fills that in", async () => {
    await add();
    expect(await add({ commitSha: "abcdef1" }, "bob")).toMatchObject({
      ref: "H1",
      created: false,
      commit_sha: "abcdef1",
      version: 2,
    });
    expect((await eventsOf(store)).map(({ verb }) => verb)).toEqual(["add", "commit"]);
    expect(await add()).toMatchObject({ created: false, commit_sha: "abcdef1", version: 2 });
  });

  test.each([{ body: "another why" }, { title: "Another" }, { commitSha: "abcdef2" }])(
    "another entry under a slug that is taken is a conflict: %o",
    async (other) => {
      await add({ commitSha: "abcdef1" });
      expect(await failure(add(other))).toMatchObject({
        code: "conflict",
        details: { reason: "slug", ref: "H1" },
      });
      expect(await eventsOf(store)).toHaveLength(1);
    },
  );

  test("what to do about a slug that is taken works", async () => {
    await using coop = await inside(store);
    const run = (words: readonly string[]) =>
      coop.run(["--scope", "quest", "--json", "history", ...words], { as: "ann" });
    const draft = ["add", "Split", "--slug", "split", "--body", "why"];
    expect((await run(draft)).exit).toBe(0);
    expect((await run([...draft, "--commit", "abcdef1"])).exit).toBe(0);
    for (const sha of ["abcdef2", "abcdef3"]) {
      const { message, hint } = (await run([...draft, "--commit", sha])).json().error;
      expect(message).toStartWith("H1 already has the slug 'split' with another commit");
      expect(hint).toStartWith("coop history commit H1 ");
      expect((await run(hint.split(" ").slice(2))).json().data).toMatchObject({
        commit_sha: sha,
      });
      expect((await run([...draft, "--commit", sha])).exit).toBe(0);
    }
    const other = ["add", "Other", "--slug", "split", "--body", "other"];
    const { message, hint } = (await run(other)).json().error;
    expect(message).toStartWith("H1 already has the slug 'split' with another title and text");
    expect(hint).toBe("give another --slug, or change it with coop history edit H1");
    // As it is printed it changes nothing, and tells the flags.
    expect(await run(hint.split(" ").slice(-2))).toMatchObject({
      exit: 2,
      err: expect.stringContaining("--body"),
    });
  });

  test("a slug made of a title is found however the title's letters are spelt", async () => {
    await using coop = await inside(store);
    // As a capital it has no composed form, as a small letter it has one.
    const words = ["history", "add", "J\u030cira", "--body", "why"];
    const { slug } = await coop.data(words, { as: "ann" });
    expect(slug).toEndWith("-\u01f0ira");
    for (const spelt of [slug, slug.normalize("NFD")])
      expect(await coop.data(["history", "show", spelt])).toMatchObject({ ref: "H1" });
  });

  test("a slug begins with the day that --since takes, wherever the machine is", async () => {
    await using coop = await inside(store);
    const { TZ } = process.env;
    try {
      // At any time it is another day in one of them.
      for (const zone of ["Etc/GMT+12", "Etc/GMT-14"]) {
        process.env["TZ"] = zone;
        const words = ["history", "add", `In ${zone}`, "--body", "why"];
        const { slug, created_at } = await coop.data(words, { as: "ann" });
        expect(slug).toStartWith(`${created_at.slice(0, 10)}-in-etc-gmt`);
      }
    } finally {
      if (TZ === undefined) delete process.env["TZ"];
      else process.env["TZ"] = TZ;
    }
  });

  test("a slug of one long word has as much of it as there is room for", async () => {
    await using coop = await inside(store);
    for (const title of ["日".repeat(100), "x".repeat(500)]) {
      const { slug } = await coop.data(["history", "add", title, "--body", "why"], { as: "ann" });
      expect(slug).toMatch(/^\d{4}-\d\d-\d\d-(日+|x+)$/);
      expect(Buffer.byteLength(slug)).toBeWithin(198, 201);
    }
  });

  test("a conflict names who made it so: gave the slug, or put the commit there", async () => {
    await add();
    await commit("abcdef1");
    await writingAs(store, "bob", (writing) =>
      commitEntry(writing, { number: 1 }, { sha: "1234567", replace: true }),
    );
    const other = await failure(commit("7654321"));
    expect(other.message).toStartWith("H1 already has the commit 1234567: by bob ");
    expect(other.details.current).toMatchObject({ by: "bob", version: 3 });

    await writingAs(store, "cyd", (writing) =>
      editEntry(writing, { number: 1 }, undefined, { slug: "renamed" }),
    );
    const taken = await failure(add({ slug: "renamed", body: "other" }));
    expect(taken.message).toContain(": by cyd ");
    await add({ slug: "mine" }, "dan");
    const mine = await failure(add({ slug: "mine", body: "other" }));
    expect(mine.message).toContain(": by dan ");

    await writingAs(store, "eve", (writing) =>
      editEntry(writing, { number: 2 }, undefined, { body: "of eve" }),
    );
    await writingAs(store, "fay", (writing) =>
      commitEntry(writing, { number: 2 }, { sha: "abc1234", replace: false }),
    );
    const text = await failure(add({ slug: "mine" }));
    expect(text.message).toStartWith("H2 already has the slug 'mine' with another text: by eve ");
    const sha = await failure(add({ slug: "mine", body: "of eve", commitSha: "def1234" }));
    expect(sha.message).toStartWith("H2 already has the slug 'mine' with another commit: by fay ");
  });

  test("each scope has its own slugs", async () => {
    await add();
    expect(await add({ scope: "other", body: "else" })).toMatchObject({ ref: "H2", created: true });
  });

  test("the same sha again is a success, and the longest form is kept", async () => {
    await add();
    await commit("abcdef1");
    expect(await commit(LONG)).toMatchObject({ commit_sha: LONG });
    expect(await commit("abcdef1")).toMatchObject({ commit_sha: LONG, version: 3 });
    expect(await eventsOf(store, "history", 1)).toHaveLength(3);
  });

  test("an entry that is added again with a longer sha keeps that one", async () => {
    await add({ commitSha: "abcdef1" });
    expect(await add({ commitSha: LONG })).toMatchObject({
      created: false,
      commit_sha: LONG,
      version: 2,
    });
    expect(await add({ commitSha: "abcdef1" })).toMatchObject({ commit_sha: LONG, version: 2 });
    expect((await eventsOf(store, "history", 1)).map(({ verb }) => verb)).toEqual([
      "add",
      "commit",
    ]);
  });

  test("another sha is a conflict that changes nothing, unless it is to replace", async () => {
    await add();
    await commit("abcdef1");
    const before = await rowOf(store, "history_entries", 1);
    expect(await failure(commit("1234567"))).toMatchObject({
      code: "conflict",
      details: {
        reason: "state",
        ref: "H1",
        current: { state: "committed", by: "ann", version: 2 },
      },
    });
    expect(await rowOf(store, "history_entries", 1)).toEqual(before);
    expect(await commit("1234567", { replace: true })).toMatchObject({ commit_sha: "1234567" });
    expect((await eventsOf(store, "history", 1)).at(-1)).toMatchObject({
      before: { commit_sha: "abcdef1" },
    });
  });

  test("an entry is shown by its commit, of which either may be an abbreviation", async () => {
    await add();
    await add({ slug: "abcdef1" });
    await add({ slug: "elsewhere", scope: "other" });
    await using coop = await inside(store);
    const as = { as: "ann", env: { PIPPA_COOP_SCOPE: "quest" } };
    const commitOf = (entry: string, sha: string) =>
      coop.data(["history", "commit", entry, sha], as);
    const shown = async (name: string) => {
      const { exit, json } = await coop.run(["--json", "history", "show", name], as);
      return exit === 0 ? json().data.ref : [exit, json().error.message, json().error.hint];
    };
    await commitOf("H1", LONG);
    await commitOf("H3", "1234567");
    // A slug comes first.
    expect(await shown("abcdef1")).toBe("H2");
    expect(await shown("abcdef12")).toBe("H1");
    expect(await shown(LONG.toUpperCase())).toBe("H1");
    expect(await shown("1234567890abcdef")).toBe("H3");
    // What could be a number is one only where there is such an entry.
    expect(await shown("1234567")).toBe("H3");
    expect(await shown("abcdef13")).toEqual([
      3,
      "no entry has the commit abcdef13",
      "if it was amended or rebased, coop history commit ENTRY HEAD --replace renews its entry's; coop history pending lists those that wait for theirs",
    ]);
    expect((await shown("abcdef"))[1]).toContain("there is no history entry 'abcdef' in quest");
    await commitOf("H2", "abcdef12345");
    expect(await shown("abcdef12")).toEqual([
      2,
      "several entries have that commit: H2 abcdef1, H1 split",
      "coop history show H2",
    ]);
    expect(await shown("HEAD")).toEqual([
      2,
      "HEAD means nothing here: this is no git work tree",
      "give the sha itself",
    ]);
    // What looks like the ref of a push to several is none here.
    const { ref } = await add({ slug: "fanned", commitSha: "f1234567" });
    expect(await shown("f1234567")).toBe(ref);
  });

  test("an entry without a title is called by its slug", async () => {
    await using coop = await inside(store);
    const words = ["history", "add", "--slug", "evolve-v2", "--body", "why"];
    expect(await coop.data(words, { as: "ann" })).toMatchObject({
      slug: "evolve-v2",
      title: "evolve-v2",
    });
  });

  test("a commit that an entry of the project has already is warned of", async () => {
    await add();
    await add({ slug: "second" });
    await add({ slug: "elsewhere", scope: "other" });
    await using coop = await inside(store);
    const warningsOf = async (...words: string[]) =>
      (await coop.run(["--json", "history", "commit", ...words], { as: "ann" })).json().warnings;
    await warningsOf("H1", "abcdef1234");
    expect(await warningsOf("H1", "abcdef1")).toBeUndefined();
    expect(await warningsOf("H3", "abcdef1234")).toBeUndefined();
    expect(await warningsOf("H2", "abcdef1")).toEqual([
      {
        code: "same_commit",
        message:
          "H1 has this commit too; if H2's own is still to come, give it then with --replace",
      },
    ]);
    expect(await warningsOf("H2", "1234567", "--replace")).toBeUndefined();
  });

  test("a new entry of a commit that another of the project has is warned of too, also where it fills one in", async () => {
    await add({ commitSha: "abcdef1" });
    await add({ commitSha: "abcdef1", scope: "other" });
    await using coop = await inside(store);
    const added = async (slug: string, ...more: string[]) => {
      const words = ["--json", "--scope", "quest", "history", "add", "Two", "--slug", slug];
      return (await coop.run([...words, "--body", "why", ...more], { as: "ben" })).json();
    };
    const warning = {
      code: "same_commit",
      message: "H1 has this commit too; if H3's own is still to come, give it then with --replace",
    };
    expect((await added("two")).warnings).not.toContainEqual(warning);
    expect((await added("two", "--commit", "abcdef1")).warnings).toEqual([warning]);
    expect((await added("two", "--commit", "abcdef1")).warnings).toBeUndefined();
    expect((await added("three", "--commit", "abcdef12")).warnings).toMatchObject([
      { code: "same_commit", message: expect.stringContaining("if H4's own is still to come") },
    ]);
  });

  test("of several entries of a commit none is changed that is not named", async () => {
    // More than are looked at come before them.
    for (let n = 0; n < 12; n++) await add({ commitSha: "abcdef1", slug: `s${n}`, scope: "other" });
    for (let n = 0; n < 12; n++) await add({ commitSha: "abcdef1", slug: `z${n}` }, "zoe");
    await add({ commitSha: "abcdef12" });
    await add({ commitSha: "abcdef12", slug: "second" });
    await using coop = await inside(store);
    const committed = (sha: string) =>
      coop.run(["--json", "--scope", "quest", "history", "commit", sha], { as: "ann" });
    for (const sha of ["abcdef12", "abcdef1"])
      expect((await committed(sha)).json().data).toMatchObject({
        version: 1,
        commit_sha: "abcdef12",
      });
    expect((await committed("abcdef1234")).json().error).toMatchObject({
      code: "usage",
      message: "several entries of ann have this commit: H25 split, H26 second",
      hint: "name one: coop history commit H25 abcdef1234",
    });
    for (let n = 0; n < 9; n++) await add({ commitSha: "abcdef12", slug: `more ${n}` });
    expect((await committed("abcdef1234")).json().error.message).toEndWith(
      ", H34 more 7, and more",
    );
    const elsewhere = await coop.run(
      ["--json", "--scope", "none", "history", "commit", "abcdef12"],
      {
        as: "ann",
      },
    );
    expect(elsewhere.json().error.code).toBe("not_found");
  });

  test("a commit is held to the version that its user saw", async () => {
    await add();
    expect(await failure(commit("abcdef1", { ifVersion: 7 }))).toMatchObject({
      code: "conflict",
      details: { reason: "version" },
    });
    expect(await rowOf(store, "history_entries", 1)).toMatchObject({
      commit_sha: null,
      version: 1,
    });
  });

  test("the one pending entry of an author in a scope needs no name; none and several are errors", async () => {
    const pending = () => onePending(store, "ann", "quest", "abcdef1");
    expect(await failure(pending())).toMatchObject({
      code: "not_found",
      details: { hint: expect.stringContaining("coop history pending --all-scopes") },
    });
    await add();
    await add({ slug: "elsewhere", scope: "other" });
    await add({ slug: "theirs" }, "bob");
    expect(await pending()).toEqual({ number: 1 });
    await add({ slug: "second" });
    expect(await failure(pending())).toMatchObject({
      code: "usage",
      message: expect.stringContaining("H4 second, H1 split"),
      details: { hint: "name one: coop history commit H4 abcdef1" },
    });
    for (let more = 0; more < 8; more++) await add({ slug: `slug ${more}` });
    expect(await failure(pending())).toMatchObject({
      message: expect.stringMatching(/, H4 second, H1 split$/),
      details: { hint: "name one: coop history commit H12 abcdef1" },
    });
    await add({ slug: "one too many" });
    const error = await failure(pending());
    expect(error.message).toEndWith(", H4 second, and more");
    expect(error.details.hint).toBe(
      "name one: coop history commit H13 abcdef1; coop history pending lists them",
    );
  });

  test("to fill in a commit again without a name is the same success, where nothing else is pending", async () => {
    await add();
    await using coop = await inside(store);
    const fillIn = async (sha: string, as = "ann") =>
      (await coop.run(["--json", "--scope", "quest", "history", "commit", sha], { as })).json();
    const first = await fillIn("abcdef1");
    expect(await fillIn("abcdef1")).toEqual(first);
    expect((await fillIn("abcdef12")).data).toMatchObject({ ref: "H1", commit_sha: "abcdef12" });
    expect((await fillIn("abcdef1", "bob")).error.code).toBe("not_found");
    // Neither another's entry nor that of another project is what was amended.
    expect((await fillIn("1234567", "bob")).error.hint).not.toContain("amended");
    const elsewhere = ["--json", "--scope", "other", "history", "commit", "1234567"];
    const { json } = await coop.run(elsewhere, { as: "ann" });
    expect(json().error.hint).not.toContain("amended");
    expect((await fillIn("1234567")).error).toMatchObject({
      code: "not_found",
      message: "ann has no entry pending here",
      hint: "coop history add first, or name the entry: coop history pending --all-scopes; if the commit of your last was amended: coop history commit H1 1234567 --replace",
    });
  });

  test("no slug is HEAD, which names a commit wherever an entry is named", async () => {
    await using coop = await inside(store);
    for (const slug of ["HEAD", "head"]) {
      const added = await coop.run(
        ["--json", "history", "add", "x", "--slug", slug, "--body", "y"],
        { as: "ann" },
      );
      expect(added.json().error).toMatchObject({
        code: "usage",
        message: "--slug: a slug may not be HEAD, which stands for a commit",
      });
    }
  });

  test("a line says when an entry was changed, where that was a while after it was made", async () => {
    const { created_at: made } = await add();
    const at = Date.parse(made) + 3_600_000;
    await using coop = await inside(store);
    const listed = async () => (await coop.run(["history", "list"])).out.split(" ann ")[0];
    expect(await listed()).toMatch(/^H1 pending \d+s \[quest\]$/);
    await writingAs(
      store,
      "bob",
      (writing) => editEntry(writing, { number: 1 }, undefined, { body: "why not" }),
      { at },
    );
    expect(await listed()).toMatch(/^H1 pending \d+s, changed \S+ \[quest\]$/);
  });

  test("an edit keeps the values before it; a slug that is taken is a conflict", async () => {
    await add();
    await add({ slug: "second" });
    const edit = (changes: { slug?: string; body?: string }) =>
      writingAs(store, "bob", (writing) =>
        editEntry(writing, { scope: "quest", slug: "split" }, undefined, changes),
      );
    expect(await edit({ body: "a better why" })).toMatchObject({
      body: "a better why",
      version: 2,
    });
    expect((await eventsOf(store, "history", 1)).at(-1)).toMatchObject({
      author: "bob",
      before: { body: "why" },
      after: {},
    });
    expect(await failure(edit({ slug: "second" }))).toMatchObject({
      code: "conflict",
      details: { reason: "slug" },
    });
    expect(await edit({ slug: "split" })).toMatchObject({ slug: "split" });
  });

  test("an edit of nothing says what can be changed, as that of a request and a todo does", async () => {
    await using coop = await inside(store);
    for (const [surface, ref, flags] of [
      ["history", "H1", "--title, --body, --slug or --edit"],
      ["request", "R1", "--title, --body, --kind or --edit"],
      ["todo", "T1", "--title, --body, --priority, --after, --not-after or --edit"],
    ] as const) {
      const { exit, err } = await coop.run([surface, "edit", ref], { as: "ann" });
      expect({ exit, err }).toEqual({
        exit: 2,
        err: `coop: \`coop ${surface} edit\` needs what to change; give ${flags}\n`,
      });
    }
  });

  test("lists tell pending from committed", async () => {
    await add();
    await add({ slug: "second" });
    await commit("abcdef1");
    const refs = async (states?: string[]) =>
      (await listEntries(store, { ...everything, filter: { states } })).rows.map(({ ref }) => ref);
    expect(await refs()).toEqual(["H2", "H1"]);
    expect(await refs(["pending"])).toEqual(["H2"]);
    expect(await refs(["committed"])).toEqual(["H1"]);
    expect(await refs(["pending", "committed"])).toEqual(["H2", "H1"]);
  });
});
