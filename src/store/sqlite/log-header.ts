import { open } from "node:fs/promises";
import { statIfThere } from "../../files";

/**
 * What SQLite will make of the write-ahead log beside a store: take it in, or pass over it without a word where its header
 * is damaged, or blank.
 */
export type LogHeader = "none" | "sound" | "blank" | "damaged";

/**
 * Looks at the header of a store's write-ahead log (https://www.sqlite.org/fileformat2.html#walformat). Only where this
 * process has not opened the store: to close a file of it would drop its locks.
 * Throws what the system says where the log may not be read.
 */
export async function logHeader(store: string): Promise<LogHeader> {
  const log = `${store}-wal`;
  const there = await statIfThere(log);
  // Without a frame behind its header it holds nothing.
  if (!there || there.size <= BYTES) return "none";
  const header = Buffer.alloc(BYTES);
  const file = await open(log);
  try {
    await file.read(header, 0, BYTES, 0);
  } finally {
    await file.close();
  }
  if (isSound(header)) return "sound";
  return header.every((byte) => byte === 0) ? "blank" : "damaged";
}

const BYTES = 32;

/** The first four bytes, which also say in which order the bytes are that the checksum is made of. */
const MAGIC = { littleEndian: 0x377f0682, bigEndian: 0x377f0683 } as const;

/** Where the checksum's two numbers are; it is made of all before them. */
const CHECKSUM = [24, 28] as const;

function isSound(header: Buffer): boolean {
  const magic = header.readUInt32BE(0);
  if (magic !== MAGIC.littleEndian && magic !== MAGIC.bigEndian) return false;
  const word = (at: number) =>
    magic === MAGIC.bigEndian ? header.readUInt32BE(at) : header.readUInt32LE(at);
  let [first, second] = [0, 0];
  for (let at = 0; at < CHECKSUM[0]; at += 8) {
    first = (first + word(at) + second) >>> 0;
    second = (second + word(at + 4) + first) >>> 0;
  }
  return first === header.readUInt32BE(CHECKSUM[0]) && second === header.readUInt32BE(CHECKSUM[1]);
}
