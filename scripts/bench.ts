import { mkdir } from "node:fs/promises";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { commandRows, concurrencyRow } from "./benchmark/commands";
import { readingRows, takeRows } from "./benchmark/growth";
import { batchRow, engineRows } from "./benchmark/inside";
import { FULL, QUICK, type Row } from "./benchmark/measure";
import { installPeers } from "./benchmark/peers";
import { place } from "./benchmark/place";
import { memoryRow, sizeRow } from "./benchmark/store";

const USAGE = `scripts/bench [--quick] [--only WORD] [--folder PATH]
Measures what coop costs against what its users would pick instead: all in one run, each pair in turn, as medians.
--quick takes about a minute and fills smaller stores; --only runs the parts whose name holds WORD; --folder is where
the stores are made (the system's folder for temporary files).`;

const ROOT = resolve(import.meta.dir, "..");

const PARTS = {
  commands: commandRows,
  engine: engineRows,
  batch: batchRow,
  concurrency: concurrencyRow,
  take: takeRows,
  reading: readingRows,
  size: sizeRow,
  memory: memoryRow,
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean" },
      only: { type: "string", default: "" },
      folder: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return console.log(USAGE);
  const scale = values.quick ? QUICK : FULL;
  installPeers();
  await using at = await place(values.folder);
  const started = performance.now();
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(PARTS)) {
    if (!name.includes(values.only)) continue;
    console.error(`bench: ${name}`);
    rows.push(...[await measure(at, scale)].flat());
  }
  const about = {
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}, ${process.platform} ${process.arch}`,
    fileSystem: at.fileSystem,
    bun: Bun.version,
    quick: values.quick === true,
    seconds: Math.round((performance.now() - started) / 1000),
  };
  console.log(table(rows));
  const wanted = rows.filter(({ goal }) => goal !== undefined);
  const met = wanted.filter(isMet).length;
  console.log(
    `\n${met} of ${wanted.length} goals met; medians, ${about.quick ? "quick" : "full"} run of ${about.seconds} s on ${about.machine}, ${about.fileSystem}, Bun ${about.bun}`,
  );
  await mkdir(join(ROOT, "dist"), { recursive: true });
  await Bun.write(
    join(ROOT, "dist/bench.json"),
    `${JSON.stringify({ ...about, rows }, null, 2)}\n`,
  );
}

/** To the two digits that are shown. */
const isMet = ({ ratio, goal = Infinity }: Row) => Math.round(ratio * 100) <= goal * 100;

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
