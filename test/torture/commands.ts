import { parseRef, type Surface } from "../../src/ref";
import type { Chance } from "./chance";
import type { Ended } from "./stage";

/** A writing command, and what it changes if it is done. */
export interface Command {
  /** The name of the folder that it runs in: every event tells the folder, so each tells its command. */
  name: string;
  as: string;
  /** Without `--as` and `--key`. */
  words: string[];
  stdin?: string;
  /** Without a key it is never repeated. */
  key?: string;
  /** How many events it appends, when that is known before. */
  events?: number;
  /** The record it is about is nobody else's, so nothing can stand in its way. */
  alone: boolean;
}

const WRITERS = ["ann", "ben", "cyd", "dan", "eve", "fay", "gus", "han"] as const;

/** Texts are marked at both ends, so that none can be torn or mixed up without being noticed. */
export const marked = (name: string, length: number) =>
  `${name} ${"락 text\n".repeat(length)} ${name}`;

type Maker = (name: string) => Omit<Command, "name" | "as" | "key">;

/** A record that no command has been about since it was made. */
interface Fresh {
  ref: string;
  /** Who may do anything with it. */
  by: string;
}

const perSurface = <T>(): Record<Surface, T[]> => ({
  letter: [],
  request: [],
  todo: [],
  history: [],
  queue: [],
});

/** Makes random writing commands of every surface, about records that it has learnt of. */
export class Commands {
  readonly #chance: Chance;
  #count = 0;
  readonly #fresh = perSurface<Fresh>();
  /** Records that any command may be about, and so several at once. */
  readonly #shared = perSurface<string>();
  readonly #held: Fresh[] = [];

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  next(): Command {
    const chance = this.#chance;
    const name = `c${++this.#count}`;
    const key = chance.flip(0.7) ? { key: name } : {};
    const surface = chance.pick(["letter", "request", "todo", "history", "queue"] as const);
    const kind = chance.next();
    const fresh = kind < 0.4 ? this.#fresh[surface].shift() : undefined;
    if (fresh)
      return {
        name,
        as: fresh.by,
        ...key,
        words: this.#move(surface, fresh.ref, name),
        events: 1,
        alone: true,
      };
    const held = kind < 0.5 ? this.#held.shift() : undefined;
    if (held) return { name, as: held.by, ...key, words: this.#end(held.ref, name), alone: false };
    const as = chance.pick(WRITERS);
    const shared = this.#shared[surface];
    if (kind < 0.65 && shared.length > 0) {
      const words = this.#move(surface, chance.pick(shared), name);
      return { name, as, ...key, words, alone: false };
    }
    const make = chance.pick(kind < 0.75 ? this.#takings : this.#creations);
    return { name, as, ...key, ...make(name) };
  }

  /** The next command that makes something new, with a key. */
  creation(): Command {
    const name = `c${++this.#count}`;
    const as = this.#chance.pick(WRITERS);
    return { name, as, key: name, ...this.#chance.pick(this.#creations)(name) };
  }

  /** A command that makes so much that it is seen writing. */
  batch(): Command {
    const name = `c${++this.#count}`;
    const as = this.#chance.pick(WRITERS);
    return { name, as, key: name, ...this.#lines(name, this.#chance.whole(500, 2000)) };
  }

  /** Remembers what a command answered, for later ones to be about. */
  learn({ words, as, alone }: Command, { data }: NonNullable<Ended["answer"]>): void {
    if (words[1] === "take") {
      for (const { ref } of data) this.#held.push({ ref, by: as });
      return;
    }
    const isNew = alone && (data.version === 1 || data.items || data.refs);
    if (!isNew) return;
    const made: { ref: string; to?: string | null }[] = data.items ??
      data.refs?.map((ref: string) => ({ ref })) ?? [data];
    for (const { ref, to } of made.slice(0, 5)) {
      const { surface } = parseRef(ref)!;
      if (surface === "fan-out") continue;
      // What is in this queue is for whoever comes first.
      const wanted = surface === "queue" && words[2] === "jobs";
      const by = surface === "queue" ? (to ?? as) : as;
      if (!wanted && this.#chance.flip(0.7)) this.#fresh[surface].push({ ref, by });
      else this.#shared[surface].push(ref);
    }
  }

  readonly #text = (name: string) =>
    marked(
      name,
      this.#chance.flip(0.05) ? this.#chance.whole(500, 5000) : this.#chance.whole(0, 30),
    );

  readonly #creations: Maker[] = [
    (name) => ({
      words: ["letter", "write", `title ${name}`, "--body", this.#text(name), ...this.#maybeTo()],
      events: 1,
      alone: true,
    }),
    (name) => this.#supersede(name),
    (name) => ({
      words: ["request", "open", name, "--to", this.#someone(), "--body", this.#text(name)],
      events: 1,
      alone: true,
    }),
    (name) => ({
      words: [
        "todo",
        "add",
        name,
        "--priority",
        String(this.#chance.whole(0, 4)),
        ...this.#after(),
      ],
      events: 1,
      alone: true,
    }),
    (name) => ({
      words: ["history", "add", name, "--slug", name, "--body", "-"],
      stdin: this.#text(name),
      events: 1,
      alone: true,
    }),
    (name) => ({
      words: ["queue", "push", this.#queue(), this.#text(name)],
      events: 1,
      alone: true,
    }),
    (name) => {
      const to = WRITERS.slice(0, this.#chance.whole(2, 8));
      return {
        words: ["queue", "push", "own", this.#text(name), "--to", to.join(",")],
        events: to.length,
        alone: true,
      };
    },
    (name) => this.#lines(name, this.#chance.whole(1, 100)),
  ];

  readonly #takings: Maker[] = [
    () => ({
      words: ["queue", "take", "jobs", "--count", String(this.#chance.whole(1, 20))],
      alone: false,
    }),
    () => ({ words: ["letter", "read"], alone: false }),
  ];

  #supersede(name: string): ReturnType<Maker> {
    const old = this.#fresh.letter.splice(0, this.#chance.whole(1, 3)).map(({ ref }) => ref);
    const supersedes = old.length > 0 ? ["--supersedes", old.join(",")] : [];
    return {
      words: ["letter", "write", "--body", this.#text(name), ...supersedes],
      events: 1 + old.length,
      alone: true,
    };
  }

  #lines(name: string, count: number): ReturnType<Maker> {
    const withKeys = this.#chance.flip(0.3);
    const lines = Array.from({ length: count }, (_, line) =>
      JSON.stringify({
        payload: this.#chance.flip(0.2) ? { n: line, of: name } : marked(name, line % 7),
        ...(withKeys && { key: `${name}-${line}` }),
      }),
    );
    return {
      words: ["queue", "push", this.#queue(), "--jsonl", "-"],
      stdin: lines.join("\n"),
      events: count,
      alone: true,
    };
  }

  #move(surface: Surface, ref: string, name: string): string[] {
    const text = this.#text(name);
    const moves: Record<Surface, string[][]> = {
      letter: [
        ["letter", "start", ref, "-m", text],
        ["letter", "ack", ref, "--body", text],
        ["letter", "abandon", ref, "--reason", text],
      ],
      request: [
        ["request", "accept", ref, "-m", text],
        ["request", "done", ref, "-m", text],
        ["request", "decline", ref],
        ["request", "cancel", ref],
        ["request", "reply", ref, text],
        ["request", "assign", ref, "--to", this.#someone()],
        ["request", "edit", ref, "--title", `${name} edited`],
      ],
      todo: [
        ["todo", "start", ref],
        ["todo", "block", ref, "-m", text],
        ["todo", "done", ref],
        ["todo", "drop", ref],
        ["todo", "assign", ref, "--to", this.#someone()],
        ["todo", "edit", ref, "--body", text],
      ],
      history: [
        ["history", "commit", ref, new Bun.CryptoHasher("sha1").update(name).digest("hex")],
        ["history", "edit", ref, "--title", `${name} edited`],
      ],
      queue: [
        ["queue", "take", ref],
        ["queue", "drop", ref],
        ["queue", "reply", ref, text],
      ],
    };
    return this.#chance.pick(moves[surface]);
  }

  /** What becomes of an item that was taken. */
  #end(ref: string, name: string): string[] {
    return this.#chance.pick([
      ["queue", "done", ref, "--reply", this.#text(name)],
      ["queue", "done", ref],
      ["queue", "release", ref, "--reason", this.#text(name)],
      ["queue", "reply", ref, this.#text(name)],
    ]);
  }

  #queue = () => this.#chance.pick(["own", "jobs"]);
  #someone = () => this.#chance.pick(WRITERS);
  #maybeTo = () => (this.#chance.flip() ? ["--to", this.#someone()] : []);

  #after(): string[] {
    const known = this.#shared.todo;
    return known.length > 0 && this.#chance.flip(0.3) ? ["--after", this.#chance.pick(known)] : [];
  }
}
