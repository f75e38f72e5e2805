// Code signatures of Mach-O executables, as Apple's XNU lays them down in osfmk/kern/cs_blobs.h. The
// Mach-O itself is little-endian; everything inside its signature is big-endian.

const MACH_O_64 = 0xfeedfacf;
const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;
const SUPER_BLOB = 0xfade0cc0;
const CODE_DIRECTORY = 0xfade0c02;
const REQUIREMENTS = 0xfade0c01;
const CMS_WRAPPER = 0xfade0b01;

const CODE_DIRECTORY_SLOT = 0;
const REQUIREMENTS_SLOT = 2;
const CMS_SLOT = 0x10000;

const WITH_EXEC_SEGMENT = 0x20400;
const ADHOC = 0x2;
const MAIN_BINARY = 0x1;
const SHA256 = 2;
const HASH_BYTES = 32;
const PAGE_BYTES = 4096;
const HEADER_BYTES = 88;

/** Where a file keeps what a signature depends on; offsets in bytes from the file's start. */
interface Layout {
  signature: { command: number; offset: number; size: number };
  linkedit: { command: number; offset: number };
  text: { offset: number; size: number };
}

/**
 * Replaces a Mach-O executable's signature with a new ad hoc one that keeps its identifier.
 * @returns The signed file; the given one is left as it was.
 * @throws Error if the file is not a 64-bit Mach-O that ends with a signature.
 */
export function signAdHoc(file: Uint8Array): Uint8Array {
  const { signature, linkedit, text } = readLayout(file);
  if (signature.offset + signature.size !== file.length) {
    throw new Error("the Mach-O does not end with its signature");
  }
  const identifier = readIdentifier(file, signature.offset);
  const requirements = blob(REQUIREMENTS, new Uint8Array(4));
  const cms = blob(CMS_WRAPPER);
  const specials = [sha256(requirements), new Uint8Array(HASH_BYTES)];
  const hashes = HEADER_BYTES + identifier.length + specials.length * HASH_BYTES;
  const directory = new Uint8Array(hashes + Math.ceil(signature.offset / PAGE_BYTES) * HASH_BYTES);
  const index = new Uint8Array(4 + 3 * 8);
  const size = 8 + index.length + directory.length + requirements.length + cms.length;

  // The load commands are hashed with the first page, so they get their final values before it is.
  const signed = new Uint8Array(signature.offset + align(size, 16));
  signed.set(file.subarray(0, signature.offset));
  const commands = view(signed);
  const linkeditBytes = signed.length - linkedit.offset;
  commands.setUint32(signature.command + 12, signed.length - signature.offset, true);
  commands.setBigUint64(linkedit.command + 32, BigInt(align(linkeditBytes, 0x4000)), true);
  commands.setBigUint64(linkedit.command + 48, BigInt(linkeditBytes), true);

  const fields = view(directory);
  fields.setUint32(0, CODE_DIRECTORY);
  fields.setUint32(4, directory.length);
  fields.setUint32(8, WITH_EXEC_SEGMENT);
  fields.setUint32(12, ADHOC);
  fields.setUint32(16, hashes);
  fields.setUint32(20, HEADER_BYTES);
  fields.setUint32(24, specials.length);
  fields.setUint32(28, (directory.length - hashes) / HASH_BYTES);
  fields.setUint32(32, signature.offset);
  directory.set([HASH_BYTES, SHA256, 0, Math.log2(PAGE_BYTES)], 36);
  fields.setBigUint64(64, BigInt(text.offset));
  fields.setBigUint64(72, BigInt(text.size));
  fields.setBigUint64(80, BigInt(MAIN_BINARY));
  directory.set(identifier, HEADER_BYTES);
  const slots = [...specials, ...pageHashes(signed, signature.offset, PAGE_BYTES)];
  slots.forEach((hash, i) =>
    directory.set(hash, HEADER_BYTES + identifier.length + i * HASH_BYTES),
  );

  const parts = [
    [CODE_DIRECTORY_SLOT, directory],
    [REQUIREMENTS_SLOT, requirements],
    [CMS_SLOT, cms],
  ] as const;
  const entries = view(index);
  entries.setUint32(0, parts.length);
  let at = 8 + index.length;
  parts.forEach(([slot, part], i) => {
    entries.setUint32(4 + i * 8, slot);
    entries.setUint32(8 + i * 8, at);
    at += part.length;
  });
  const content = parts.map(([, part]) => part);
  signed.set(blob(SUPER_BLOB, index, ...content), signature.offset);
  return signed;
}

/**
 * Checks a Mach-O executable's signature against the file: its extent, every page and every part
 * that the code directory vouches for. Who signed it is not looked at.
 * @returns What is wrong, one sentence each; nothing if the signature holds.
 * @throws Error if the file is not a 64-bit Mach-O with a signature.
 */
export function signatureProblems(file: Uint8Array): string[] {
  const { signature, linkedit } = readLayout(file);
  const data = view(file);
  const problems: string[] = [];
  const check = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem);
  };
  const end = signature.offset + signature.size;
  const linkeditBytes = Number(data.getBigUint64(linkedit.command + 48, true));
  check(end === file.length, `the signature ends at ${end}, the file at ${file.length}`);
  check(linkedit.offset + linkeditBytes === end, "__LINKEDIT does not end with the signature");
  check(
    data.getBigUint64(linkedit.command + 32, true) >= linkeditBytes,
    "__LINKEDIT is larger in the file than in memory",
  );

  const parts = readParts(file, signature.offset);
  const directory = parts.get(CODE_DIRECTORY_SLOT);
  if (directory === undefined) return [...problems, "there is no code directory"];
  const fields = view(directory);
  const hashes = fields.getUint32(16);
  const specials = fields.getUint32(24);
  const limit = fields.getUint32(32);
  const pageBytes = 2 ** fields.getUint8(39);
  if (fields.getUint8(36) !== HASH_BYTES || fields.getUint8(37) !== SHA256) {
    return [...problems, "the code directory's hashes are not SHA-256"];
  }
  const hashAt = (slot: number) =>
    directory.subarray(hashes + slot * HASH_BYTES, hashes + (slot + 1) * HASH_BYTES);

  check(
    limit === signature.offset,
    `the code directory covers ${limit} bytes of the ${signature.offset} before the signature`,
  );
  const found = pageHashes(file, Math.min(limit, file.length), pageBytes);
  check(
    fields.getUint32(28) === found.length,
    `the code directory has ${fields.getUint32(28)} page hashes for ${found.length} pages`,
  );
  const wrong = found.flatMap((hash, page) => (Bun.deepEquals(hash, hashAt(page)) ? [] : [page]));
  check(
    wrong.length === 0,
    `${wrong.length} of ${found.length} page hashes are wrong, the first that of page ${wrong[0]}`,
  );
  for (const [slot, part] of parts) {
    if (slot === CODE_DIRECTORY_SLOT || slot === CMS_SLOT) continue;
    check(
      slot <= specials && Bun.deepEquals(sha256(part), hashAt(-slot)),
      `the code directory does not vouch for the signature's part ${slot}`,
    );
  }
  return problems;
}

function readLayout(file: Uint8Array): Layout {
  const data = view(file);
  if (file.length < 32 || data.getUint32(0, true) !== MACH_O_64) {
    throw new Error("not a 64-bit Mach-O");
  }
  const layout: Partial<Layout> = {};
  const count = data.getUint32(16, true);
  for (let i = 0, command = 32; i < count; i++, command += data.getUint32(command + 4, true)) {
    const kind = data.getUint32(command, true);
    if (kind === LC_CODE_SIGNATURE) {
      const offset = data.getUint32(command + 8, true);
      layout.signature = { command, offset, size: data.getUint32(command + 12, true) };
    } else if (kind === LC_SEGMENT_64) {
      const name = new TextDecoder().decode(untilZero(file.subarray(command + 8, command + 24)));
      const offset = Number(data.getBigUint64(command + 40, true));
      const size = Number(data.getBigUint64(command + 48, true));
      if (name === "__LINKEDIT") layout.linkedit = { command, offset };
      if (name === "__TEXT") layout.text = { offset, size };
    }
  }
  const { signature, linkedit, text } = layout;
  if (!signature || !linkedit || !text) throw new Error("the Mach-O has no signature");
  return { signature, linkedit, text };
}

/** The signature's parts by slot, each with its own magic and length in front. */
function readParts(file: Uint8Array, at: number): Map<number, Uint8Array> {
  const data = view(file);
  if (data.getUint32(at) !== SUPER_BLOB) throw new Error("the Mach-O's signature is not readable");
  return new Map(
    Array.from({ length: data.getUint32(at + 8) }, (_, i) => {
      const slot = data.getUint32(at + 12 + i * 8);
      const start = at + data.getUint32(at + 16 + i * 8);
      return [slot, file.subarray(start, start + data.getUint32(start + 4))];
    }),
  );
}

/** The name the signature gives the program, with the zero byte that ends it. */
function readIdentifier(file: Uint8Array, at: number): Uint8Array {
  const directory = readParts(file, at).get(CODE_DIRECTORY_SLOT);
  if (directory === undefined) throw new Error("the Mach-O's signature has no code directory");
  const start = view(directory).getUint32(20);
  const name = untilZero(directory.subarray(start));
  return directory.slice(start, start + name.length + 1);
}

function pageHashes(file: Uint8Array, limit: number, pageBytes: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(limit / pageBytes) }, (_, page) =>
    sha256(file.subarray(page * pageBytes, Math.min((page + 1) * pageBytes, limit))),
  );
}

function blob(magic: number, ...contents: Uint8Array[]): Uint8Array {
  const bytes = Buffer.concat([new Uint8Array(8), ...contents]);
  bytes.writeUInt32BE(magic, 0);
  bytes.writeUInt32BE(bytes.length, 4);
  return bytes;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(bytes).digest();
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function untilZero(bytes: Uint8Array): Uint8Array {
  const zero = bytes.indexOf(0);
  return zero < 0 ? bytes : bytes.subarray(0, zero);
}

function align(size: number, to: number): number {
  return Math.ceil(size / to) * to;
}
