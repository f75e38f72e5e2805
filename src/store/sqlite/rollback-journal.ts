import { leftBy } from "./refusal";

/**
 * Refuses a store beside which another one left its rollback journal, such as a backup that was copied into the place of
 * a store whose writer was killed: SQLite would put that journal's pages into the file. A journal keeps the first page as
 * it was, on which each transaction counts one up; that of the file it belongs to is the same, or one further. Only for a
 * store that this process has not opened: to close a file of it would drop its locks.
 * @throws CoopError unavailable damaged.
 */
export async function requireOwnJournal(path: string): Promise<void> {
  const journal = Bun.file(`${path}-journal`);
  if (journal.size === 0) return;
  const before = await contentOf(journal);
  if (before === undefined) return;
  const page = viewOf(await Bun.file(path).slice(0, PAGE_HEADER).bytes());
  if (page.byteLength < PAGE_HEADER) return;
  // Another transaction may have begun since, with a journal of its own.
  if ((await contentOf(journal))?.nonce !== before.nonce) return;
  if (!isOf(page, before)) throw leftBy("-journal", path);
}

/** What tells whose a journal is. */
interface Content {
  /** The number by which it is known. */
  nonce: number;
  /** How many pages the file had. */
  pages: number;
  /** The first page as it was, where the transaction changed it. */
  first: DataView | undefined;
}

/** Whether a journal is of the file whose first page is given. */
function isOf(page: DataView, { pages, first }: Content): boolean {
  if (first === undefined) return page.getUint32(PAGES) === pages;
  const further = page.getUint32(COUNTER) - first.getUint32(COUNTER);
  const isSame = page.getUint32(APPLICATION) === first.getUint32(APPLICATION);
  return isSame && (further === 0 || further === 1);
}

/**
 * What a journal says (https://www.sqlite.org/fileformat2.html#the_rollback_journal); undefined where nothing would be
 * put back, and of a journal that is larger than what is looked through.
 */
async function contentOf(journal: Bun.BunFile): Promise<Content | undefined> {
  if (journal.size > MOST_BYTES) return undefined;
  const bytes = viewOf(await journal.bytes().catch(() => new Uint8Array()));
  const isHeader = (at: number) =>
    at + JOURNAL_HEADER <= bytes.byteLength && bytes.getBigUint64(at) === MAGIC;
  if (!isHeader(0)) return undefined;
  const [nonce, pages] = [bytes.getUint32(12), bytes.getUint32(16)];
  const [sector, size] = [bytes.getUint32(20), bytes.getUint32(24)];
  if (sector === 0 || size < PAGE_HEADER) return undefined;
  let records = 0;
  let first: DataView | undefined;
  // Each part, which was made durable at once, begins on a sector of its own, and says how many pages it has.
  for (let part = 0; isHeader(part); part = Math.ceil(part / sector) * sector) {
    // Of a part that was cut off SQLite puts back what is whole.
    const whole = Math.floor((bytes.byteLength - part - sector) / (size + 8));
    const end = part + sector + Math.min(bytes.getUint32(part + 8), whole) * (size + 8);
    for (part += sector; part < end; part += size + 8) {
      records++;
      if (bytes.getUint32(part) === 1)
        first ??= new DataView(bytes.buffer, bytes.byteOffset + part + 4, size);
    }
  }
  return records === 0 ? undefined : { nonce, pages, first };
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  new DataView(buffer, byteOffset, byteLength);

const MAGIC = 0xd9d505f920a163d7n;
const JOURNAL_HEADER = 28;

/** How much of a journal is looked through. */
const MOST_BYTES = 16 * 1024 * 1024;

/** A database's header is on its first page: where its transactions and its pages are counted, and whose it is. */
const PAGE_HEADER = 100;
const COUNTER = 24;
const PAGES = 28;
const APPLICATION = 68;
