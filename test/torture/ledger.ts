import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Chance } from "./chance";
import { Commands, type Command } from "./commands";
import { eventsOf, unsound, type Made } from "./sound";
import { told, type Ended, type LaunchOptions, type Stage } from "./stage";

/** A command and every process that was started to do it. */
export interface Entry {
  command: Command;
  tries: Ended[];
  /** What the first process to say so said it did. */
  answer: Ended["answer"];
}

/** The exits of commands that did nothing. */
const NOTHING_DONE = [2, 3, 4, 5, 6, 7];

/** What a command that changes a store under no fault may end with, beside 0. */
export const CONFLICTS: readonly number[] = [4, 5];

/** Runs writing commands on a stage, and keeps what they were told was done, to hold the store to it. */
export class Ledger {
  readonly entries: Entry[] = [];
  readonly commands: Commands;

  constructor(
    readonly stage: Stage,
    chance: Chance,
  ) {
    this.commands = new Commands(chance);
  }

  /** Notes a command that is about to be run. */
  note(command: Command = this.commands.next()): Entry {
    const entry: Entry = { command, tries: [], answer: undefined };
    this.entries.push(entry);
    return entry;
  }

  /**
   * Runs a command, once more if it was run before. One that is not killed must succeed, or end with one of `exits` if
   * another command can have come before it.
   */
  async run(
    entry: Entry,
    options: LaunchOptions = {},
    exits: readonly number[] = CONFLICTS,
  ): Promise<Ended> {
    const { name, as, words, stdin, key } = entry.command;
    const cwd = join(this.stage.home, "commands", name);
    await mkdir(cwd, { recursive: true });
    const argv = ["--as", as, ...words, ...(key === undefined ? [] : ["--key", key])];
    const ended = await this.stage.run(argv, {
      cwd,
      ...(stdin !== undefined && { stdin }),
      ...options,
    });
    entry.tries.push(ended);
    if (ended.answer && !entry.answer) {
      entry.answer = ended.answer;
      this.commands.learn(entry.command, ended.answer);
    }
    const { exit } = ended;
    const fits =
      exit === null ||
      exit === 0 ||
      (exits.includes(exit) && !(entry.command.alone && CONFLICTS.includes(exit)));
    if (!fits || (exit === 0 && !ended.answer))
      this.stage.violate(`${name} ended as it may not: ${told(ended)}`);
    return ended;
  }

  /** Keeps so many writers at it, one command after another, until `work` is done. */
  async crowd(writers: number, work: () => Promise<void>): Promise<void> {
    const crowd = { atWork: true };
    const writing = Array.from({ length: writers }, async () => {
      while (crowd.atWork) await this.run(this.note());
    });
    try {
      await work();
    } finally {
      crowd.atWork = false;
      await Promise.all(writing);
    }
  }

  /** What was said to be done so far. */
  acknowledged(): Entry[] {
    return this.entries.filter(({ answer }) => answer !== undefined);
  }

  /**
   * Holds the store to every command, or several files that share what was acknowledged: of each command all is there or
   * nothing, in all of them together or in each.
   */
  async audit(
    stores: readonly string[] = [this.stage.store],
    together = stores.length === 1,
  ): Promise<void> {
    // What a killed process left is for the next one to put right; a look at the file could not.
    await this.stage.must(["whoami"]);
    const { store } = this.stage;
    for (const file of stores)
      for (const wrong of unsound(file, file !== store)) this.stage.violate(`${file}: ${wrong}`);
    this.holds(stores, this.acknowledged());
    const events = stores.map(eventsOf);
    for (const made of together ? [union(events)] : events) {
      const done = byCommand(made);
      for (const entry of this.entries) {
        const wrong = halfDone(entry, done.get(entry.command.name) ?? [], together);
        if (wrong) this.stage.violate(`${wrong}: ${entry.tries.map(told).join("; then ")}`);
      }
    }
    for (const twice of givenTwice(events.flat()))
      this.stage.violate(`${stores.join(", ")}: a number was given twice: ${twice}`);
  }

  /** Holds a store, or several that may share it, to what was acknowledged. */
  holds(stores: string | readonly string[], acknowledged: readonly Entry[]): void {
    const made = byCommand(union([stores].flat().map(eventsOf)));
    for (const { command, answer } of acknowledged) {
      const gone = missing(answer!.data, command, made.get(command.name) ?? []);
      if (gone)
        this.stage.violate(
          `${[stores].flat().join(", ")}: ${command.name} was acknowledged, and ${gone} is missing: ${JSON.stringify({ ...command, answer })}`,
        );
    }
  }

  /** Whether what was acknowledged is in a store. */
  isIn(store: string, { command, answer }: Entry): boolean {
    const made = byCommand(eventsOf(store)).get(command.name) ?? [];
    return missing(answer!.data, command, made) === undefined;
  }
}

/** The events of several files, each once. */
const union = (files: readonly Made[][]): Made[] =>
  files.length === 1
    ? files[0]!
    : [
        ...new Map(
          files.flat().map((made) => [`${made.folder} ${made.ref} ${made.version}`, made]),
        ).values(),
      ];

/** Records that were made by two commands. */
function givenTwice(events: readonly Made[]): string[] {
  const makers = new Map<string, string>();
  return events.flatMap(({ ref, version, folder }) => {
    if (version !== 1) return [];
    const maker = makers.get(ref) ?? folder;
    makers.set(ref, maker);
    return maker === folder ? [] : [`${ref} by ${basename(maker)} and ${basename(folder)}`];
  });
}

const byCommand = (events: Made[]) => Map.groupBy(events, ({ folder }) => basename(folder));

/** What of an answer is not in a store; undefined when all is. */
// oxlint-disable-next-line no-explicit-any
function missing(data: any, { as, words }: Command, made: readonly Made[]): string | undefined {
  if (words[1] === "read") return undefined;
  const records: { ref: string; version?: number }[] =
    data.items ?? data.refs?.map((ref: string) => ({ ref })) ?? [data].flat();
  const there = new Set(
    made.filter(({ author }) => author === as).map(({ ref, version }) => `${ref} ${version}`),
  );
  const gone = records.find(({ ref, version = 1 }) => !there.has(`${ref} ${version}`));
  return gone && `${gone.ref} version ${gone.version ?? 1}`;
}

/** What is wrong with what a command left in the store, whatever it said: a part of it, or more than once. */
function halfDone(
  { command, tries, answer }: Entry,
  made: readonly Made[],
  whole: boolean,
): string | undefined {
  const { name, events } = command;
  const count = made.length;
  if (!whole && count === 0) return undefined;
  if (answer) {
    const refs = [answer.data].flat();
    const [read, take] = ["read", "take"].map((verb) => command.words[1] === verb);
    // A copy can be of what an earlier try did, before that was undone by a restore.
    if (!whole && (read || take)) return undefined;
    const expected = events ?? (read || take ? refs.length : 1);
    // What was read before is not marked again.
    if (read ? count > expected : count !== expected)
      return `${name} was acknowledged and made ${count} events, not ${expected}`;
    return undefined;
  }
  if (count === 0) return undefined;
  const last = tries.at(-1)?.exit;
  if (whole && typeof last === "number" && NOTHING_DONE.includes(last))
    return `${name} ended with ${last} and made ${count} events`;
  if (events !== undefined && count !== events)
    return `${name} is half done: ${count} events of ${events}`;
  return undefined;
}
