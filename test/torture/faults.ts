import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Campaign } from "./campaign";
import type { Chance } from "./chance";
import { CONFLICTS, Ledger, type Entry } from "./ledger";
import { Stage, told, type Ended, type LaunchOptions, type Running } from "./stage";
import { CALLS, canTamper, tampering, type Call } from "./tracing";

/** A command that met the fault ends with one of these: it could not, or nobody knows whether it did. */
const REFUSED: readonly number[] = [...CONFLICTS, 6, 8];

const WRITERS = 4;

/** Begins a round of its own: a store with a few records in it. */
async function scene(campaign: Campaign, name: string, round: number, chance: Chance) {
  const stage = await new Stage(campaign, `${name}-${round}`).open();
  const ledger = new Ledger(stage, chance);
  for (let n = 0; n < 4; n++) await ledger.run(ledger.note(ledger.commands.creation()));
  return { stage, ledger };
}

/** Ends a round: what was cut off or refused succeeds now, and the store is as sound as if nothing had been. */
async function recovered(ledger: Ledger, undone: readonly Entry[]): Promise<void> {
  for (const entry of undone)
    if (!entry.answer && entry.command.key !== undefined) await ledger.run(entry);
  await ledger.run(ledger.note(ledger.commands.creation()), {}, []);
  await ledger.audit();
}

/** As many violations say all that there is to say. */
const ENOUGH = 8;

/** Runs a round after another until enough is found. */
async function going(
  campaign: Campaign,
  rounds: number,
  each: (round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds && campaign.violations.length < ENOUGH; round++)
    await each(round);
}

/** Fills a disk up to a random byte and writes on: nothing is lost, and there is a way on once there is room. */
export async function full(campaign: Campaign, rounds: number): Promise<string> {
  const chance = campaign.chance.fork("full");
  let [refused, commands] = [0, 0];
  await going(campaign, rounds, async (round) => {
    const stage = new Stage(campaign, `full-${round}`);
    const disk = join(stage.home, "disk");
    await mkdir(disk, { recursive: true });
    await system("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk);
    try {
      stage.store = join(disk, "coop.db");
      await stage.open();
      const ledger = new Ledger(stage, chance);
      await ledger.run(ledger.note(ledger.commands.creation()));
      const { bavail, bsize } = await statfs(disk);
      const ballast = "x".repeat(chance.whole(2_000_000, bavail * bsize));
      await writeFile(join(disk, "ballast"), ballast);
      const entries: Entry[] = [];
      const allDone = () => ledger.acknowledged().length > entries.length;
      while (allDone() && entries.length < 400) {
        const more = Array.from({ length: WRITERS }, () =>
          ledger.note(chance.flip(0.2) ? ledger.commands.batch() : ledger.commands.creation()),
        );
        entries.push(...more);
        await Promise.all(more.map((entry) => ledger.run(entry, {}, REFUSED)));
      }
      const looked = await stage.run(["letter", "list", "--all-scopes", "--limit", "1"]);
      if (looked.exit !== 0 && looked.exit !== 6) stage.violate(`on a full disk: ${told(looked)}`);
      for (const { tries } of entries.filter(({ answer }) => !answer)) {
        refused++;
        const { reason } = JSON.parse(tries[0]!.err).error;
        if (tries[0]!.exit === 6 && reason !== "full")
          stage.violate(`a full disk was taken for '${reason}': ${told(tries[0]!)}`);
      }
      commands += entries.length;
      await system("mount", "-o", "remount,size=64m", disk);
      await recovered(ledger, entries);
    } finally {
      await system("umount", disk);
    }
    await stage.close();
  });
  campaign.did = { refused, committed: commands - refused };
  return `${rounds} disks filled, ${refused} of ${commands} commands refused`;
}

/** Lets no process make a file larger than a random size, which is how a quota is met. */
export async function quota(campaign: Campaign, rounds: number): Promise<string> {
  const chance = campaign.chance.fork("quota");
  let [refused, committed] = [0, 0];
  await going(campaign, rounds, async (round) => {
    const { stage, ledger } = await scene(campaign, "quota", round, chance);
    const blocks = chance.whole(1, 1200);
    const under = ["sh", "-c", `ulimit -f ${blocks}; exec "$0" "$@"`];
    const entries = Array.from({ length: WRITERS }, () =>
      ledger.note(chance.flip() ? ledger.commands.batch() : ledger.commands.creation()),
    );
    await Promise.all(entries.map((entry) => ledger.run(entry, { under }, REFUSED)));
    const acknowledged = entries.filter(({ answer }) => answer).length;
    committed += acknowledged;
    refused += entries.length - acknowledged;
    await recovered(ledger, entries);
    await stage.close();
  });
  campaign.did = { refused, committed };
  return `${rounds} quotas, ${refused} commands refused`;
}

/** Fails a random call to the system with a random error, once or from then on. */
export async function tampered(campaign: Campaign, rounds: number): Promise<string> {
  if (!canTamper) return "left out: there is no strace here";
  const chance = campaign.chance.fork("tampered");
  let refused = 0;
  const met = new Map<number | null, number>();
  await going(campaign, rounds, async (round) => {
    const { stage, ledger } = await scene(campaign, "tampered", round, chance);
    const how = (): LaunchOptions => {
      const call = chance.pick<Call>(["pwrite64", "pwrite64", "fsync", ...CALLS]);
      const nth = chance.whole(1, call === "pwrite64" ? 35 : call === "fsync" ? 4 : 2);
      const error = chance.pick(["EIO", "ENOSPC", "EDQUOT"]);
      return { under: tampering(call, chance.flip() ? nth : `${nth}+`, `error=${error}`)! };
    };
    const entries = Array.from({ length: WRITERS }, () =>
      ledger.note(
        chance.flip(0.1)
          ? ledger.commands.batch()
          : chance.flip(0.7)
            ? ledger.commands.creation()
            : undefined,
      ),
    );
    await Promise.all(entries.map((entry) => ledger.run(entry, how(), [...REFUSED, 7])));
    for (const { tries } of entries) met.set(tries[0]!.exit, (met.get(tries[0]!.exit) ?? 0) + 1);
    refused += entries.filter(({ answer }) => !answer).length;
    await recovered(ledger, entries);
    await stage.close();
  });
  campaign.did = { refused, committed: met.get(0) ?? 0 };
  const exits = Array.from(met, ([exit, count]) => `${count} × ${exit}`).join(", ");
  return `${rounds} rounds of calls that fail, exits ${exits}; ${refused} commands refused`;
}

/** Stops a process while it holds the store's lock: others are told that it is busy, and what it began goes on. */
export async function stopped(campaign: Campaign, rounds: number): Promise<string> {
  const chance = campaign.chance.fork("stopped");
  let refused = 0;
  await going(campaign, rounds, async (round) => {
    const { stage, ledger } = await scene(campaign, "stopped", round, chance);
    const { entry, writing, ended } = await stoppedWriter(ledger);
    const others = [
      ledger.note(ledger.commands.creation()),
      ledger.note(ledger.commands.creation()),
    ];
    refused += await expectBusy(ledger, others);
    const killed = chance.flip(0.3);
    writing.kill(killed ? "SIGKILL" : "SIGCONT");
    const { exit } = await ended;
    if (!killed && exit !== 0) stage.violate(`it was stopped and went on: ${told(await ended)}`);
    await recovered(ledger, [entry, ...others]);
    await stage.close();
  });
  campaign.did = { refused };
  return `${rounds} writers stopped with the lock, ${refused} commands told that it is busy`;
}

/** A command that was stopped while it had the store's lock. */
interface Stopped {
  entry: Entry;
  writing: Running;
  ended: Promise<Ended>;
}

/** Runs a command until it has the store's lock, and stops it there; some are too quick for that. */
async function stoppedWriter(ledger: Ledger, exits?: readonly number[]): Promise<Stopped> {
  for (let tries = 0; tries < TRIES; tries++) {
    const caught = await stopping(ledger, ledger.note(ledger.commands.batch()), exits);
    if (caught) return caught;
  }
  throw new Error(`of ${TRIES} commands none could be stopped while it had the lock`);
}

const TRIES = 50;

async function stopping(
  ledger: Ledger,
  entry: Entry,
  exits: readonly number[] | undefined,
): Promise<Stopped | undefined> {
  const { promise: begun, resolve: started } = Promise.withResolvers<Running>();
  const ended = ledger.run(entry, { started }, exits);
  const life = { over: false };
  void ended.then(() => (life.over = true));
  using probe = new Database(ledger.stage.store);
  const running = await begun;
  while (!life.over) {
    if (isLocked(probe)) {
      running.kill("SIGSTOP");
      await Bun.sleep(5);
      if (isLocked(probe)) return { entry, writing: running, ended };
      running.kill("SIGCONT");
    }
    await Bun.sleep(0.2);
  }
  await ended;
  return undefined;
}

function isLocked(probe: Database): boolean {
  try {
    probe.run("begin immediate");
    probe.run("rollback");
    return false;
  } catch {
    return true;
  }
}

/** Holds the store's lock for longer than commands are willing to wait. */
export async function locked(campaign: Campaign, rounds: number): Promise<string> {
  const chance = campaign.chance.fork("locked");
  let refused = 0;
  await going(campaign, rounds, async (round) => {
    const { stage, ledger } = await scene(campaign, "locked", round, chance);
    const entries = Array.from({ length: WRITERS }, () => ledger.note(ledger.commands.creation()));
    {
      using holder = new Database(stage.store);
      holder.run("begin immediate");
      refused += await expectBusy(ledger, entries);
      holder.run("rollback");
    }
    await recovered(ledger, entries);
    await stage.close();
  });
  campaign.did = { refused };
  return `${rounds} locks held, ${refused} commands told that it is busy`;
}

/** Holds commands to exit 7 while the lock is another's, and those that only read to success; says how many were told. */
async function expectBusy(ledger: Ledger, entries: readonly Entry[]): Promise<number> {
  let refused = 0;
  const { stage } = ledger;
  const wait = "0.2";
  await Promise.all(
    entries.map(async (entry) => {
      const ended = await ledger.run(entry, { flags: ["--wait", wait] }, [7]);
      if (ended.exit === 7) refused++;
      else stage.violate(`the lock is another's: ${told(ended)}`);
    }),
  );
  for (const words of [["todo", "list"], ["queue", "stats"], ["log"]])
    await stage.must([...words, "--wait", wait]);
  return refused;
}

/** What may happen to a store's file while a command has it open. */
const REMOVALS = {
  removed: async (store: string) => {
    for (const suffix of ["", "-wal", "-shm"]) await rm(store + suffix, { force: true });
  },
  "moved away": (store: string) => rename(store, `${store}.moved`),
  "replaced by another store": async (store: string, other: string) => {
    for (const suffix of ["-wal", "-shm"]) await rm(store + suffix, { force: true });
    await rename(other, store);
  },
  "in a folder that was moved": (store: string) =>
    rename(dirname(store), `${dirname(store)}.moved`),
} as const;

/**
 * Takes the store's file away from a command that has it open, in its transaction or while a text is being edited: it may
 * not say that it wrote what nobody will find.
 */
export async function removed(campaign: Campaign, rounds: number): Promise<string> {
  const chance = campaign.chance.fork("removed");
  const ways = Object.entries(REMOVALS);
  const taken = { "in a transaction": 0, "in the editor": 0 };
  await going(campaign, rounds, async (round) => {
    const [way, take] = ways[round % ways.length]!;
    const { stage, ledger } = await scene(campaign, "removed", round, chance);
    const other = await new Stage(campaign, `removed-${round}-other`).open();
    const opened = chance.flip() ? await inTheEditor(stage) : await inItsTransaction(ledger);
    taken[opened.where]++;
    await take(stage.store, other.store);
    const ended = await opened.goOn();
    // Nothing is open while a text is edited, and the other store has no such record.
    const gone = way === "replaced by another store" && opened.where === "in the editor";
    if (ended.exit !== 6 && ended.exit !== 8 && !(gone && ended.exit === 3))
      stage.violate(`its store was ${way} ${opened.when}: ${told(ended)}`);
    const after = existsSync(stage.store) ? "and another is there" : "and none is there";
    if (ended.answer) stage.violate(`it says that it wrote, ${after}`);
    await Promise.all([stage.close(), other.close()]);
  });
  campaign.did = taken;
  const counts = Object.entries(taken).map(([where, count]) => `${count} ${where}`);
  return `stores taken away: ${counts.join(", ")}`;
}

/** A command that has the store open, and waits. */
interface Opened {
  where: "in a transaction" | "in the editor";
  when: string;
  goOn(): Promise<Ended>;
}

async function inItsTransaction(ledger: Ledger): Promise<Opened> {
  const { writing, ended } = await stoppedWriter(ledger, [6, 8]);
  return {
    where: "in a transaction",
    when: "while it wrote",
    goOn: () => {
      writing.kill("SIGCONT");
      return ended;
    },
  };
}

async function inTheEditor(stage: Stage): Promise<Opened> {
  const { ref } = await stage.must(["--as", "ann", "todo", "add", "to be edited"]);
  const [begun, goOn] = [join(stage.home, "begun"), join(stage.home, "go-on")];
  const editor = join(stage.home, "editor");
  await writeFile(
    editor,
    `touch "${begun}"; while [ ! -e "${goOn}" ]; do sleep 0.02; done; echo edited >"$1"`,
  );
  const ended = stage.run(["--as", "ann", "todo", "edit", ref, "--edit"], {
    env: { VISUAL: `sh ${editor}` },
  });
  while (!existsSync(begun)) await Bun.sleep(5);
  return {
    where: "in the editor",
    when: "while its text was edited",
    goOn: async () => {
      await writeFile(goOn, "");
      return ended;
    },
  };
}

/** What may have happened to a store's bytes before a command comes to it. */
const DAMAGES: Record<string, (bytes: Buffer, chance: Chance) => Uint8Array> = {
  "cut short": (bytes, chance) => bytes.subarray(0, chance.whole(0, bytes.length)),
  "cut to nothing": () => new Uint8Array(),
  "of garbage from some byte on": (bytes, chance) => {
    const start = chance.whole(0, bytes.length - 1);
    return garbled(bytes, start, bytes.length, chance);
  },
  "with a page of garbage": (bytes, chance) => {
    const [start, end] = aPage(bytes, chance);
    return garbled(bytes, start, end, chance);
  },
  "with a page of zeros": (bytes, chance) => Buffer.from(bytes).fill(0, ...aPage(bytes, chance)),
  "with another header": (bytes, chance) => garbled(bytes, chance.whole(0, 90), 100, chance),
  "with some bytes changed": (bytes, chance) => {
    const changed = Buffer.from(bytes);
    for (let n = chance.whole(1, 40); n > 0; n--)
      changed[chance.whole(0, bytes.length - 1)] = chance.whole(0, 255);
    return changed;
  },
  "with garbage after its end": (bytes, chance) =>
    Buffer.concat([bytes, garbled(bytes, 0, chance.whole(1, bytes.length), chance)]),
};

/** Where a page begins and ends; how large pages are is in the header (https://www.sqlite.org/fileformat.html). */
function aPage(bytes: Buffer, chance: Chance): [start: number, end: number] {
  const size = bytes.readUInt16BE(16);
  const start = chance.whole(0, Math.floor(bytes.length / size) - 1) * size;
  return [start, start + size];
}

function garbled(bytes: Buffer, start: number, end: number, chance: Chance): Buffer {
  const changed = Buffer.from(bytes);
  for (let at = start; at < end; at++) changed[at] = chance.whole(0, 255);
  return changed;
}

/** What a command may say of a damaged store: nothing, if it saw none of the damage, or that the store is not well. */
const DAMAGED: readonly (number | null)[] = [0, 6];

/** Damages the store's file at random: whatever reads or writes it then says so, and never that coop has a defect. */
export async function damaged(campaign: Campaign, rounds: number): Promise<string> {
  const chance = campaign.chance.fork("damaged");
  const { stage, ledger } = await scene(campaign, "damaged", 0, chance);
  for (let n = 0; n < 40; n++) await ledger.run(ledger.note());
  const [sound, ways] = [await readFile(stage.store), Object.entries(DAMAGES)];
  let noticed = 0;
  await going(campaign, rounds, async (round) => {
    const [way, damage] = ways[round % ways.length]!;
    const bytes = damage(sound, chance);
    const commands = [
      ["letter", "list", "--all-scopes", "--limit", "0"],
      ["--as", "ann", "todo", "add", "x"],
      ["--as", "ann", "queue", "push", "jobs", "x", "--to", "ben,cyd", "--key", "k"],
      ["log", "--limit", "0"],
      ["who"],
      ["--as", "ann", "letter", "read"],
    ];
    for (const words of commands) {
      // Each comes to the damage first: what one writes would hide some of it from the next.
      for (const suffix of ["-wal", "-shm", "-journal"])
        await rm(stage.store + suffix, { force: true });
      await writeFile(stage.store, bytes);
      const ended = await stage.run([...words, "--wait", "1"]);
      noticed += Number(ended.exit === 6);
      if (!DAMAGED.includes(ended.exit)) {
        await writeFile(join(stage.home, `${round}.db`), bytes);
        stage.violate(`round ${round}, a store ${way}: ${told(ended)}`);
      }
    }
  });
  campaign.did = { noticed };
  return `${rounds} damages, noticed by ${noticed} of ${rounds * 6} commands`;
}

/** Restores from files that are damaged at random: such a file is refused, and the store stays as it is. */
export async function misrestored(campaign: Campaign, rounds: number): Promise<string> {
  const chance = campaign.chance.fork("misrestored");
  const { stage, ledger } = await scene(campaign, "misrestored", 0, chance);
  const snapshot = join(stage.home, "snapshot.db");
  await stage.must(["backup", "--to", snapshot]);
  for (let n = 0; n < 10; n++) await ledger.run(ledger.note());
  const [sound, ways] = [await readFile(snapshot), Object.entries(DAMAGES)];
  // Bytes that are still text of a store cannot be told from what was meant.
  const noticeable = ways.filter(([way]) => !/some bytes|after its end/.test(way));
  let refused = 0;
  await going(campaign, rounds, async (round) => {
    const [way, damage] = noticeable[round % noticeable.length]!;
    const file = join(stage.home, `damaged-${round}.db`);
    await writeFile(file, damage(sound, chance));
    const before = await readFile(stage.store);
    const ended = await stage.run(["--as", "dad", "restore", file]);
    if (ended.exit === 6) refused++;
    if (!DAMAGED.includes(ended.exit)) stage.violate(`from a file ${way}: ${told(ended)}`);
    if (ended.exit !== 0) return ledger.audit();
    // It fell on what holds nothing. The next is to come to the same store again.
    await stage.must(["whoami"]);
    await writeFile(stage.store, before);
    await rm(file);
  });
  await recovered(ledger, []);
  campaign.did = { refused };
  return `${rounds} damaged files, ${refused} refused`;
}

async function system(...words: string[]): Promise<void> {
  const child = Bun.spawn(words, { stdout: "ignore", stderr: "pipe" });
  const talk = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`${words.join(" ")} (needs root): ${talk}`);
}
