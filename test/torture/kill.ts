import { BESIDES, type Beside } from "./beside";
import type { Campaign } from "./campaign";
import type { Chance } from "./chance";
import { Ledger, type Entry } from "./ledger";
import { killWhileWriting, Reaper } from "./reaper";
import { Stage, type LaunchOptions } from "./stage";
import { canTamper } from "./tracing";

/** How many rounds a store bears, and how many go by before it is looked at in full. */
const ROUNDS = { ofAStore: 25, untilAnAudit: 5 };

/**
 * Kills writing processes of every surface, each at a moment of its own, all at one, or at an exact call to the system;
 * then repeats with their keys those that may have been cut off, killing some of them again. In turns nothing else
 * goes on, or backups, restores, migrations and more do. What was acknowledged must be there, nothing else in half, and the
 * store sound and taking writes.
 */
export async function kill(campaign: Campaign, rounds: number, writers = 5): Promise<string> {
  const chance = campaign.chance.fork("kill");
  const reaper = new Reaper(chance);
  const kinds = Object.entries(BESIDES);
  const done = new Map(kinds.map(([kind]) => [kind, 0]));
  const share = Math.ceil(rounds / (kinds.length + 1));
  let [commands, number] = [0, 0];
  for (const [kind, { init = [], begin }] of kinds) {
    const most = kind === "nothing" ? rounds - share * (kinds.length - 1) : share;
    while (done.get(kind)! < most && campaign.violations.length === 0) {
      const stage = await new Stage(campaign, `kill-${number++}-${kind.replaceAll(" ", "-")}`).open(
        ...init,
      );
      const ledger = new Ledger(stage, chance);
      const beside = await begin(ledger, chance, reaper);
      const left = Math.min(beside.rounds ?? ROUNDS.ofAStore, most - done.get(kind)!);
      const audit = () => ledger.audit(beside.stores?.(), beside.together);
      for (let round = 1; round <= left; round++) {
        await killing(ledger, writers, chance, reaper, beside);
        if (round % ROUNDS.untilAnAudit === 0) await audit();
      }
      // One that is about nothing that may be gone.
      await ledger.run(ledger.note(ledger.commands.batch()));
      await audit();
      beside.end?.();
      await stage.close();
      commands += ledger.entries.length;
      done.set(kind, done.get(kind)! + left);
    }
  }
  const counts = Array.from(done, ([kind, count]) => `${count} beside ${kind}`).join(", ");
  const { killed, committed } = reaper;
  campaign.did = { commands, killed, committed };
  const exactly = canTamper ? "" : "; none at an exact call, since there is no strace here";
  return `rounds: ${counts}; ${commands} commands, ${killed} processes killed, ${committed} of them once they had committed${exactly}`;
}

/** One round: some writers at once, most of them killed, and what was cut off repeated. */
async function killing(
  ledger: Ledger,
  writers: number,
  chance: Chance,
  reaper: Reaper,
  { before, during, how = () => ({}), after, exits }: Beside,
): Promise<void> {
  const run = async (entry: Entry, options: LaunchOptions) =>
    reaper.saw(await ledger.run(entry, { ...how(), ...options }, exits));
  const cutOff = () =>
    entries.filter(
      ({ answer, command, tries }) =>
        !answer && command.key !== undefined && tries.at(-1)!.exit === null,
    );

  const way = chance.pick(["each", "together", "writing", "call", "call"] as const);
  const entries = Array.from({ length: writers }, (_, index) =>
    ledger.note(way === "writing" && index === 0 ? ledger.commands.batch() : undefined),
  );
  await before?.();
  const going = during?.();
  if (way === "writing") {
    const { store } = ledger.stage;
    await killWhileWriting(store, chance.whole(1, writers), chance.flip(), (started) =>
      Promise.all(entries.map((entry) => run(entry, { started }))),
    );
  } else {
    const moment = reaper.lifetime();
    const ends = entries.map((): LaunchOptions => {
      if (chance.flip(0.1)) return {};
      if (way === "call") return reaper.atACall();
      return { lifetime: way === "together" ? moment : reaper.lifetime() };
    });
    await Promise.all(entries.map((entry, index) => run(entry, ends[index]!)));
  }
  const again = cutOff().map((entry): [Entry, LaunchOptions] => [
    entry,
    chance.flip(0.3) ? { lifetime: reaper.lifetime() } : {},
  ]);
  await Promise.all(again.map(([entry, options]) => run(entry, options)));
  await Promise.all(cutOff().map((entry) => run(entry, {})));
  await going;
  await after?.();
}
