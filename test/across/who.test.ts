import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { engines } from "../engines";
import { insideFresh, type Inside } from "../inside";

describe.each(engines)("who takes part, on $name", ({ openFresh }) => {
  let coop: Inside;
  let close: () => Promise<void>;
  beforeEach(async () => ({ coop, close } = await insideFresh(openFresh)));
  afterEach(() => close());

  const as = (id: string, words: string) => coop.data(words.split(" "), { as: id });

  test("is nobody in a new store", async () => {
    expect(await coop.data(["who"])).toEqual({ ids: [] });
    expect((await coop.run(["log", "--since", "1h"])).exit).toBe(0);
  });

  test("is told with when each last wrote and what is open on it, last what is anyone's", async () => {
    await as("ben", "letter write one --body text");
    await as("ben", "request open two --to cyd --body text");
    await as("ben", "todo add three --to ann");
    await as("ben", "todo add four");
    await as("ann", "queue push jobs five");
    await as("ann", "queue push jobs six --to cyd");
    await as("ann", "queue take jobs");
    await as("ann", "queue push jobs seven");
    const { ids } = await coop.data(["who"]);
    const nothing = { letters: 0, requests: 0, todos: 0, items: 0, taken: 0 };
    expect(ids).toEqual([
      { id: "ann", last_seen_at: expect.any(String), host: "host", ...nothing, todos: 1, taken: 1 },
      { id: "ben", last_seen_at: expect.any(String), host: "host", ...nothing, letters: 1 },
      { id: "cyd", last_seen_at: null, host: null, ...nothing, requests: 1, items: 1 },
      { id: null, last_seen_at: null, host: null, ...nothing, todos: 1, items: 1 },
    ]);
    const { out } = await coop.run(["who"]);
    expect(out).toMatch(/^ann .*: 1 todo, 1 taken queue item$/m);
    expect(ids[0].last_seen_at > ids[1].last_seen_at).toBe(true);
  });

  test("says of who asks whether the store knows them", async () => {
    await as("ann", "todo add one");
    expect(await coop.data(["whoami"], { as: "ann" })).toMatchObject({ known: true });
    expect(await coop.data(["whoami"], { as: "anm" })).toMatchObject({ known: false });
  });

  test("of one id are the refs of what is open on it, in all projects", async () => {
    for (const scope of ["s1", "s2"])
      await coop.data(["todo", "add", "x", "--to", "ann"], {
        as: "ben",
        env: { PIPPA_COOP_SCOPE: scope },
      });
    await as("ben", "letter write one --body text --to ann");
    await as("ben", "request open two --to ann --body text");
    await as("ben", "queue push jobs three --to ann,cyd");
    await as("ben", "queue push jobs four");
    await as("ann", "queue take jobs");
    await as("ann", "todo done T1");
    const { out, err } = await coop.run(["who", "me"], { as: "ann" });
    expect(err).toBe("");
    expect(out.replace(/\d+s/g, "1s")).toBe(
      "ann (you) 1s ago on host\n1 letter: L1\n1 request: R1\n1 todo: T2\n1 taken queue item: Q1\n",
    );
    const everyone = (await coop.data(["who"])).ids;
    expect(await coop.data(["who", "ann"])).toEqual({
      ids: [
        {
          ...everyone.find(({ id }: { id: string }) => id === "ann"),
          refs: { letters: ["L1"], requests: ["R1"], todos: ["T2"], items: [], taken: ["Q1"] },
        },
      ],
    });
    expect((await coop.run(["who", "ben"])).out).toMatch(/^ben \d+s ago on host: nothing open\n$/);
    const cyd = await coop.run(["who", "cyd"]);
    expect(cyd.out).toBe("cyd never seen\n1 waiting queue item: Q2\n");
    expect(cyd.err).toContain("'cyd' has never written here");
    expect((await coop.run(["who", "me"])).exit).toBe(2);
    for (let n = 0; n < 51; n++) await as("ben", `todo add t${n} --to cyd`);
    const many = (await coop.run(["who", "cyd"])).out;
    expect(many).toMatch(
      /^51 todos: T53 T52 .* T4 older: coop todo list --to cyd --all-scopes --before T4$/m,
    );
    const [older] = /todo list --to cyd .*/.exec(many)!;
    expect((await coop.run(older.split(" "))).out).toMatch(/^T3 open/);
    const refs = await coop.run(["who", "cyd", "--quiet"]);
    expect(refs.out.split("\n")).toContain("T53");
    expect(refs.err).toContain("coop: older: coop todo list --to cyd --all-scopes --before T4\n");
    expect((await coop.run(["who", "cyd", "--json"])).json()).toMatchObject({ truncated: true });
    expect((await coop.run(["who", "--json"])).json()).not.toHaveProperty("truncated");
  });

  test("is told of a letter, a request and a todo in each state that is not finished", async () => {
    const onAnn = async () => (await coop.data(["who"])).ids[0];
    await as("ann", "letter write one --body text");
    await as("ann", "request open two --to ann --body text");
    await as("ann", "todo add three --to ann");
    const open = { id: "ann", letters: 1, requests: 1, todos: 1 };
    expect(await onAnn()).toMatchObject(open);
    await as("ann", "letter read");
    await as("ann", "request accept R1");
    await as("ann", "todo start T1");
    expect(await onAnn()).toMatchObject(open);
    await as("ann", "letter start L1");
    await as("ann", "todo block T1");
    expect(await onAnn()).toMatchObject(open);
    for (const words of ["letter ack L1", "request done R1", "todo done T1"])
      await as("ann", words);
    expect(await onAnn()).toMatchObject({ letters: 0, requests: 0, todos: 0 });
  });

  test("is told of an item by whoever has it: whom it is for, who took it, nobody once it is done", async () => {
    const on = async () => {
      const { ids } = await coop.data(["who"]);
      return Object.fromEntries(
        ids.map(({ id, items, taken }: Record<string, unknown>) => [id, { items, taken }]),
      );
    };
    const [nothing, item, held] = [
      { items: 0, taken: 0 },
      { items: 1, taken: 0 },
      { items: 0, taken: 1 },
    ];
    await as("ann", "queue push q x --to cid");
    expect(await on()).toEqual({ ann: nothing, cid: item });
    await as("cid", "queue take Q1");
    expect(await on()).toEqual({ ann: nothing, cid: held });
    await as("cid", "queue done Q1");
    expect(await on()).toEqual({ ann: nothing, cid: nothing });
  });

  test("is told with ten thousand of what is open, and that there are more only where there are", async () => {
    for (const item of ['{"payload":"x"}', '{"payload":"x","to":"ben"}'])
      await coop.data(["queue", "push", "jobs", "--jsonl", "-"], {
        as: "ann",
        stdin: `${item}\n`.repeat(10_000),
      });
    const told = async () => {
      const { ids } = await coop.data(["who"]);
      const { out } = await coop.run(["who"]);
      return { ids: ids.slice(1), lines: out.trimEnd().split("\n").slice(1) };
    };
    const tenThousand = { letters: 0, requests: 0, todos: 0, items: 10_000, taken: 0 };
    const [ben, anyone] = ["ben", null].map((id) => ({
      id,
      last_seen_at: null,
      host: null,
      ...tenThousand,
    }));
    expect(await told()).toEqual({
      ids: [ben, anyone],
      lines: ["ben never seen: 10000 waiting queue items", "for anyone: 10000 waiting queue items"],
    });
    await as("ann", "queue push jobs x");
    expect(await told()).toEqual({
      ids: [ben, { ...anyone, exact: false }],
      lines: [
        "ben never seen: 10000 waiting queue items",
        "for anyone: 10000+ waiting queue items",
      ],
    });
  });

  test("is told in the log since a time, whoever wrote", async () => {
    await as("ben", "todo add one");
    await as("ann", "todo add two");
    const { events } = await coop.data(["log", "--since", "1h"]);
    expect(events.map(({ author }: { author: string }) => author)).toEqual(["ann", "ben"]);
  });
});
