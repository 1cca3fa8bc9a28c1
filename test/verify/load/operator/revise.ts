import type { SeededRandom } from '../random';
import { TENANTS } from '../tenants';
import type { Admin } from './admin';

/** Dead letters of which one is chosen. */
const CHOICE = 20;

/** Gives a dead letter of any tenant another payload, and retries it sometimes. Returns false if there is none. */
export async function reviseDeadLetter(admin: Admin, random: SeededRandom, again: boolean): Promise<boolean> {
  const choice = random.between(0, CHOICE - 1);
  const [retry, dryRun] = [random.chance(0.7), random.chance(0.1)];
  const amount = random.between(1, 1_000);
  const found = await admin.ask('look', 'GET', `dlq?limit=${CHOICE}`);
  const letters = ((found?.deadLetters ?? []) as { id: string; tenantId: string }[]).filter(({ tenantId }) =>
    (TENANTS as readonly string[]).includes(tenantId),
  );
  const letter = letters[choice % Math.max(1, letters.length)];
  if (!letter) return false;
  const content =
    amount % 2 === 0
      ? { payload: { amount } }
      : {
          patch: [
            { op: 'replace', path: '', value: { amount } },
            { op: 'add', path: '/patched', value: true },
          ],
        };
  const request = { ...content, retry, note: 'verify', ...(dryRun && { dryRun }) };
  await admin.act('event.revise', `events/${letter.id}/revisions`, request, again);
  return true;
}
