import { verifyChain, type KnownLink } from '../../audit/verify-chain';
import { closePool } from '../../db/close-pool';
import { createPool } from '../../db/pool';
import { say } from '../../runtime/command';

/** Verifies the audit trail and prints what was found. Sets the exit code to 1 if it was tampered with. */
export async function verifyWithReport(databaseUrl: string, known: readonly KnownLink[]): Promise<void> {
  const pool = createPool(databaseUrl, 'streamforge audit');
  try {
    const { tampering, truncated, links, rows, head, waiting } = await verifyChain(pool, { known });
    for (const { row, what } of tampering) say(`${row} ${what}.`);
    if (truncated) say('There is more. Only the first findings are listed.');
    if (waiting.rows > 0) {
      say(`${waiting.rows} rows wait for the next link, the oldest for ${Math.round(waiting.seconds)} s.`);
    }
    say(`${rows} rows in ${links} links were compared${head ? `; the last link is ${head.n}:${head.digest}` : ''}.`);
    if (tampering.length > 0) process.exitCode = 1;
    else say('Nothing was changed, removed or inserted later.');
  } finally {
    await closePool(pool);
  }
}
