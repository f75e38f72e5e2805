import { mkdir } from "node:fs/promises";
import { cpus } from "node:os";
import { join, resolve } from "node:path";

import { commandRows, concurrencyRows } from "./benchmark/commands";
import { readingRows, takeRows } from "./benchmark/growth";
import { batchRows, engineRows } from "./benchmark/inside";
import { FULL, isMet, QUICK, type Row } from "./benchmark/measure";
import { installPeers } from "./benchmark/peers";
import { place } from "./benchmark/place";
import { memoryRows, sizeRow } from "./benchmark/store";
import { asked } from "./options";

const USAGE = `scripts/bench [--quick] [--only PART,…] [--folder PATH]

Measures what coop costs against what its users would pick instead: all in one run, each pair in turn, as medians.
--quick takes about a minute and fills smaller stores; --only runs some parts, and leaves dist/bench.json, which a run of
all writes, as it is; --folder is where the stores are made (the system's folder for temporary files).`;

const OPTIONS = {
  quick: { type: "boolean", default: false },
  only: { type: "string" },
  folder: { type: "string" },
} as const;

const ROOT = resolve(import.meta.dir, "..");

const PARTS = {
  commands: commandRows,
  engine: engineRows,
  batch: batchRows,
  concurrency: concurrencyRows,
  take: takeRows,
  reading: readingRows,
  size: sizeRow,
  memory: memoryRows,
};

/** The parts that are asked for. */
const partsOf = (only: string | undefined) =>
  (only?.split(",") ?? Object.keys(PARTS)) as (keyof typeof PARTS)[];

async function main(): Promise<void> {
  const { quick, only, folder } = asked(USAGE, OPTIONS, (values) => {
    const unknown = partsOf(values.only).find((name) => !Object.hasOwn(PARTS, name));
    if (unknown !== undefined)
      throw new Error(`there is no part ${unknown}; one of ${Object.keys(PARTS).join(", ")}`);
  });
  const parts = partsOf(only);
  installPeers();
  using at = await place(folder);
  const started = performance.now();
  const rows: Row[] = [];
  for (const name of parts) {
    console.error(`bench: ${name}`);
    rows.push(...[await PARTS[name](at, quick ? QUICK : FULL)].flat());
  }
  const about = {
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}, ${process.platform} ${process.arch}`,
    fileSystem: at.fileSystem,
    bun: Bun.version,
    quick,
    seconds: Math.round((performance.now() - started) / 1000),
  };
  console.log(table(rows));
  const wanted = rows.filter(({ goal }) => goal !== undefined);
  const met = wanted.filter(isMet).length;
  console.log(
    `\n${met} of ${wanted.length} goals met; medians, ${quick ? "quick" : "full"} run of ${about.seconds} s on ${about.machine}, ${about.fileSystem}, Bun ${about.bun}`,
  );
  if (only !== undefined) return;
  await mkdir(join(ROOT, "dist"), { recursive: true });
  await Bun.write(
    join(ROOT, "dist/bench.json"),
    `${JSON.stringify({ ...about, rows }, null, 2)}\n`,
  );
}

function table(rows: readonly Row[]): string {
  const header = ["what", "against", "coop", "other", "ratio", "goal", ""];
  const cells = rows.map((row) => {
    const { what, against, coop, other, unit, ratio, goal, note } = row;
    return [
      what,
      against,
      amount(coop, unit),
      amount(other, unit),
      ratio.toFixed(2),
      goal === undefined ? "" : `≤ ${goal}`,
      [isMet(row) ? "" : "missed", note].filter(Boolean).join(": "),
    ];
  });
  const widths = header.map((title, column) =>
    Math.max(title.length, ...cells.map((cell) => cell[column]!.length)),
  );
  const line = (cell: readonly string[]) =>
    cell
      .map((text, column) =>
        column >= 2 && column <= 5 ? text.padStart(widths[column]!) : text.padEnd(widths[column]!),
      )
      .join("  ")
      .trimEnd();
  return [header, ...cells].map(line).join("\n");
}

/** A time in the unit that suits it, or an amount of another unit. */
function amount(value: number, unit: string | undefined): string {
  if (unit !== undefined) return `${value.toFixed(1)} ${unit}`;
  return value < 1 ? `${(value * 1000).toFixed(0)} µs` : `${value.toFixed(1)} ms`;
}

await main();
