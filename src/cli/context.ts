import { usage, withoutPasswords } from "../errors";
import { isKnown, knownIds, type Actor } from "../store/events";
import type { IdempotencyKey } from "../store/keys";
import type { Location } from "../store/location";
import { openStore, type Store, type Warn, type Warning } from "../store/open";
import { closingMarks, FILLED_FROM, MOVED_TO, notFilled } from "../store/schema";
import type { Sql } from "../store/sql";
import { Wait, type Clock } from "../store/wait";
import { write, type Writing } from "../store/write";
import { findWorkTree, scopeOf, type Files, type WorkTree } from "../scope";
import { isLikeMe, isMe, scope as scopeSchema } from "../words";
import type { Versions } from "./about";
import { check, readLines, type TextSources } from "./input";
import { onStore } from "./on-store";
import type { View } from "./text";

/** Everything that comes from outside the program. Made by the process edge, and by tests. */
export interface Edge extends TextSources {
  clock: Clock;
  versions(): Promise<Versions>;
  env: Readonly<Record<string, string | undefined>>;
  /** The working folder. */
  folder: string;
  pid: number;
  host(): Promise<string>;
  /** The home folder's absolute path. */
  home(): string;
  /** Whether stdout is a terminal that shows colour, and nobody asked for none. */
  colour(): Promise<boolean>;
  /**
   * Prints a text to stdout, all of it and nothing else.
   * @throws CoopError unavailable full or access.
   */
  print(text: string): Promise<void>;
  /** Prints a text to stderr, if that can be. */
  complain(text: string): Promise<void>;
  /** Shows a line that each later one replaces, "" for none; nothing where stderr is no terminal. */
  progress(line: string): Promise<void>;
  files: Files;
  /** Lets the person write a text, beginning with `initial`. */
  edit(initial: string): Promise<Uint8Array>;
  /** Keeps a text in a file of its own, and gives the file's path. */
  keep(text: Uint8Array): Promise<string>;
}

/** What the global flags and the environment say, checked. */
export interface Settings {
  id: string | undefined;
  location: () => Location;
  /** What named the store, where that was a flag. */
  storeFlag: string | undefined;
  /** The scope that was named, by flag or variable. */
  scope: string | undefined;
  /** Whether the scope was named by a flag. */
  scopeFlag: boolean;
  waitSeconds: number;
  /** Only refs are printed. */
  quiet: boolean;
  key: string | undefined;
  /** Whether the verb can write. */
  writes: boolean;
  /** Canonical, such as `todo add`. */
  verb: string;
  /** A hash of the arguments as given, with what was read in place of what names it; of lists the order counts if not sorted. */
  fingerprint: (read: Readonly<Record<string, string>>, sorted: boolean) => string;
}

/** Of how many unknown ids a command warns: many lines at once can name thousands. */
const MOST_UNKNOWN = 5;

/** What a verb works in: who speaks, where, when, and the store. */
export class Context {
  /** Whether this command has changed the store: what fails after that fails with it written. */
  wrote = false;
  readonly wait: Wait;
  #store: Promise<Store> | undefined;
  #ahead = 0;
  /** What was warned of. */
  readonly #told = new Set<string>();
  /** Every id that has written, once somebody asked. */
  #known: string[] | undefined;
  #workTree: Promise<WorkTree | undefined> | undefined;
  readonly #read: Record<string, string> = {};

  constructor(
    readonly edge: Edge,
    readonly settings: Settings,
    readonly warnings: Warning[],
  ) {
    this.wait = new Wait(settings.waitSeconds, edge.clock);
  }

  /** Milliseconds since 1970: once the store is open, by its clock where it has one. */
  now(): number {
    return this.edge.clock.now() + this.#ahead;
  }

  /** Who speaks, or undefined: reading needs no id. */
  get speaker(): string | undefined {
    return this.settings.id;
  }

  /** @throws CoopError usage, when nobody speaks. */
  requireSpeaker(): string {
    if (this.settings.id !== undefined) return this.settings.id;
    throw usage("who speaks? no id was given", "put --as ID first, or set PIPPA_COOP_ID");
  }

  /** An id as given, with `me` for the speaker. */
  resolveId(id: string): string {
    return isMe(id) ? this.requireSpeaker() : id;
  }

  /** The git work tree that the working folder is in. */
  workTree(): Promise<WorkTree | undefined> {
    this.#workTree ??= findWorkTree(this.edge.folder, this.edge.files);
    return this.#workTree;
  }

  /** The scope of new records and of lists: the one named, else the work tree's, else none (""). */
  async scope(): Promise<string> {
    return (await this.scopeOrNone()) ?? "";
  }

  /** The scope, or undefined where none was named and the working folder is in no work tree: there lists span all. */
  async scopeOrNone(): Promise<string | undefined> {
    if (this.settings.scope !== undefined) return this.settings.scope;
    const workTree = await this.workTree();
    if (!workTree && this.edge.folder.includes("\ufffd"))
      throw usage(
        "the working folder's path holds U+FFFD or is not valid UTF-8, so its project is not known",
        "name the project with --scope",
      );
    return (
      workTree &&
      check(
        scopeSchema,
        scopeOf(workTree),
        "the scope, which is the work tree's folder name (name it with --scope)",
      )
    );
  }

  /** The store, opened at first use. */
  store(): Promise<Store> {
    this.#store ??= this.#open();
    return this.#store;
  }

  async #open(): Promise<Store> {
    const store = await openStore(this.settings.location(), this.wait, {
      warn: this.warn,
      writes: this.settings.writes,
    });
    this.#ahead = store.ahead ?? 0;
    // What writes is refused there.
    if (!this.settings.writes) await this.warnClosed(store);
    return store;
  }

  /** Warns of a store that another has taken the place of, or that is being filled from another: what is read is not all. */
  async warnClosed(on: Sql): Promise<void> {
    const marks = new Map((await closingMarks(on)).map(({ name, value }) => [name, value]));
    const [to, from] = [marks.get(MOVED_TO), marks.get(FILLED_FROM)];
    if (to !== undefined)
      this.warn("moved", `this store was moved to ${to}: what is here is as it was then`);
    if (from !== undefined) this.warn("not_filled", notFilled("this store", from));
  }

  async close(): Promise<void> {
    const store = await this.#store?.catch(() => undefined);
    this.#store = undefined;
    await store?.close();
  }

  /** Lets go of the store while `work` goes on, however long that is; what waits for locks then begins anew. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    await this.close();
    const result = await work();
    this.wait.renew();
    return result;
  }

  /** Tells something that is no failure, once. */
  readonly warn: Warn = (code, text) => {
    const message = withoutPasswords(onStore(text, this.settings.storeFlag));
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.warnings.push({ code, message });
  };

  /** Warns that a command is of all projects, or of none, where a scope was named by flag. */
  warnUnscoped(of: "all" | "none" = "all"): void {
    const { scopeFlag, verb } = this.settings;
    if (!scopeFlag) return;
    if (of === "all")
      this.warn("all_scopes", `--scope does not narrow \`coop ${verb}\`, which is of all projects`);
    else this.warn("unused_scope", `--scope changes nothing for \`coop ${verb}\``);
  }

  /**
   * Warns of the first few ids that have never written, naming the nearest that has.
   * @throws CoopError usage, for a word that is meant for the speaker: a hand-off to it would be lost.
   */
  async warnUnknown(on: Sql, ids: Iterable<string | undefined | null>): Promise<void> {
    const all = new Set(ids);
    for (const id of all)
      if (id && id !== this.speaker && isLikeMe(id) && !(await isKnown(on, id)))
        throw usage(`'${id}' is nobody's id here`, "`me` is yourself");
    let unknown = 0;
    for (const id of all) {
      if (!id || (await isKnown(on, id))) continue;
      if (++unknown > MOST_UNKNOWN) {
        this.warn("unknown_id", "other ids may be unknown too: coop who lists the known");
        return;
      }
      this.#known ??= await knownIds(on);
      const { neverKnown } = await import("./unknown");
      const warning = neverKnown(id, this.#known, id === this.speaker);
      if (warning !== undefined) this.warn("unknown_id", warning);
      // To say it of each would say nothing more.
      if (warning !== undefined && this.#known.length === 0) return;
    }
  }

  /**
   * Warns of a scope that was named by flag and that no record has: of any where it is looked in, and where it is written to
   * of one that is like another.
   */
  async warnUnknownScope(on: Sql, writes: boolean): Promise<void> {
    const { scope, scopeFlag } = this.settings;
    if (!scopeFlag || !scope) return;
    const { unknownScope } = await import("./unknown");
    const warning = await unknownScope(on, scope, writes);
    if (warning !== undefined) this.warn("unknown_scope", warning);
  }

  /**
   * Runs a writing command in one transaction, repeatable by its key.
   * @param on what is written, where it is not the store.
   * @throws CoopError usage without a speaker; conflict, busy, unavailable, unknown; and what `work` throws.
   */
  async write<T>(
    work: (writing: Writing) => Promise<T>,
    on?: Store,
  ): Promise<{ data: T; replayed: boolean }> {
    const id = this.requireSpeaker();
    const { pid, folder } = this.edge;
    const host = this.edge.host();
    const store = on ?? (await this.store());
    const actor = { id, host: await host, pid, folder };
    const { result, replayed } = await write(
      store,
      {
        actor,
        key: this.#key(actor),
        now: () => this.now(),
        warn: this.warn,
        warnings: this.warnings,
      },
      async (writing) => {
        await this.warnUnknown(writing.tx, [actor.id]);
        return work(writing);
      },
    );
    this.wrote ||= !replayed && !on;
    return { data: result, replayed };
  }

  #key({ id }: Actor): IdempotencyKey | undefined {
    const { key, verb, fingerprint } = this.settings;
    return key === undefined
      ? undefined
      : {
          author: id,
          verb,
          key,
          fingerprint: fingerprint(this.#read, true),
          inOrder: () => fingerprint(this.#read, false),
        };
  }

  /** All of a file or, for `-`, of standard input, that a flag names; `--key` covers what is read, not its name. */
  async readLines(flag: string, path: string, most: number): Promise<string> {
    const text = await (path === "-"
      ? readLines("standard input", this.edge.stdin(), most)
      : readLines(path, this.edge.file(path, most), most));
    this.#read[flag] = text;
    return text;
  }

  async view(): Promise<View> {
    // The work is done by now: its answer must not be lost to a folder whose name can be no scope.
    const scope = await this.scope().catch(() => "");
    return { now: this.now(), scope, me: this.speaker, storeFlag: this.settings.storeFlag };
  }
}
