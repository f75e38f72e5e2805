import { existsSync, statSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { publishAlways } from "./beside";
import type { Campaign } from "./campaign";
import { Ledger, type Entry } from "./ledger";
import { unsound } from "./sound";
import { Stage, told } from "./stage";

const WRITERS = 8;
/** A store that has grown over many rounds is slow to look at. */
const ROUNDS_A_STORE = 100;

/**
 * Makes backups while eight write without a pause: each must open, be sound and hold every write that was acknowledged
 * before it began, and no writer may fail.
 */
export async function backup(campaign: Campaign, rounds: number): Promise<string> {
  const did = (campaign.did = { made: 0, held: 0 });
  const seen = await busily(campaign, "backup", rounds, async (ledger, round) => {
    const { stage } = ledger;
    const acknowledged = ledger.acknowledged();
    const file = join(stage.home, `${round}.db`);
    const made = await stage.must(["backup", "--to", file]);
    if (made.file !== file) stage.violate(`it was written to ${made.file}, not ${file}`);
    await whole(ledger, file, acknowledged);
    did.made++;
    did.held += acknowledged.length;
    await rm(file);
  });
  return `${rounds} backups under ${WRITERS} writers, ${seen}`;
}

/**
 * Copies the live folder file by file, as an hourly job does, while eight write without a pause: each copy must hold a
 * published snapshot that opens, is sound and has what was acknowledged before the one before it was published.
 */
export async function copy(campaign: Campaign, rounds: number): Promise<string> {
  const chance = campaign.chance.fork("copies");
  let seen: Seen[] = [];
  const did = (campaign.did = { copied: 0, held: 0 });
  const said = await busily(campaign, "copy", rounds, async (ledger, round) => {
    const { stage } = ledger;
    const live = dirname(stage.store);
    const latest = "backups/coop.latest.db";
    if (round === 0) {
      seen = [];
      publishAlways(stage.store);
    }
    // Now and then by hand: a writer leaves it to the next where others are in its way.
    if (round % 3 === 0) await stage.must(["backup"]);
    seen.push({ file: statSync(join(live, latest)).ino, acknowledged: ledger.acknowledged() });
    const folder = join(stage.home, `copy-${round}`);
    await copyFolder(live, folder, chance.pick(COPIERS));
    const acknowledged = mustHold(seen);
    await whole(ledger, join(folder, latest), acknowledged);
    did.copied++;
    did.held += acknowledged.length;
    await rm(folder, { recursive: true });
  });
  return `${rounds} copies under ${WRITERS} writers, ${said}`;
}

/** Which published snapshot was there at a moment, and what had been acknowledged by then. */
interface Seen {
  file: number;
  acknowledged: Entry[];
}

/**
 * What the newest snapshot must hold: it was begun after the one before it was in place, and so after all that had been
 * acknowledged while the one before that still was.
 */
function mustHold(seen: readonly Seen[]): Entry[] {
  const before = seen.findLastIndex(({ file }) => file !== seen.at(-1)!.file);
  const first = seen
    .slice(0, Math.max(before, 0))
    .findLast(({ file }) => file !== seen[before]!.file);
  return first?.acknowledged ?? [];
}

/** Programs that copy a folder file by file, as shell commands of both folders. */
const COPIERS = ['cp -r "$0/." "$1"', 'tar -C "$0" -cf - . | tar -C "$1" -xf -'] as const;

/** Runs writers without a pause, and a round after another beside them; says how much was written. */
async function busily(
  campaign: Campaign,
  name: string,
  rounds: number,
  each: (ledger: Ledger, round: number) => Promise<void>,
): Promise<string> {
  const chance = campaign.chance.fork(name);
  let [commands, slowest] = [0, 0];
  for (let done = 0; done < rounds && campaign.violations.length === 0; done += ROUNDS_A_STORE) {
    const stage = await new Stage(campaign, `${name}-${done}`).open();
    const ledger = new Ledger(stage, chance);
    await ledger.crowd(WRITERS, async () => {
      for (let round = 0; round < Math.min(ROUNDS_A_STORE, rounds - done); round++)
        await each(ledger, round);
    });
    await ledger.audit();
    await stage.close();
    commands += ledger.entries.length;
    for (const { tries } of ledger.entries)
      slowest = Math.max(slowest, ...tries.map(({ ms }) => ms));
  }
  return `${commands} commands, the slowest ${Math.round(slowest)} ms`;
}

/** Holds a file to being a whole store with what it should hold, that coop opens and restores. */
async function whole(ledger: Ledger, file: string, acknowledged: readonly Entry[]): Promise<void> {
  const { stage } = ledger;
  if (!existsSync(file)) return stage.violate(`${file} is not there`);
  for (const wrong of unsound(file)) stage.violate(`${file}: ${wrong}`);
  ledger.holds(file, acknowledged);
  const opened = await stage.run(["--db", file, "todo", "list", "--all-scopes"]);
  if (opened.exit !== 0) stage.violate(`a copy does not open: ${told(opened)}`);
}

/** Copies a folder by another program, as it is, whatever changes meanwhile. */
async function copyFolder(from: string, to: string, copier: string): Promise<void> {
  for (;;) {
    await mkdir(to);
    const child = Bun.spawn(["sh", "-c", copier, from, to], {
      env: { ...process.env, LC_ALL: "C" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    // It may complain of what vanishes while it copies: files that are only there for moments. What it skips because it
    // was replaced at that very moment, it says, and who copies has to do it again.
    if (!(await child.stderr.text()).includes("replaced while being copied")) return;
    await rm(to, { recursive: true });
  }
}
