import type { AcceptedAnswer, Answer } from '../e2e-http';

export interface Post {
  body: string;
  /** The explicit idempotency key. */
  key: string | undefined;
  expected: { status: 202 } | { status: 200; id: string } | { status: 409 | 422; code: string };
  /** What the model adds when the post is accepted. */
  holder: Holder;
}

interface Content {
  subject: string;
  eventId: string | undefined;
  amount: number;
}

interface Holder {
  key: string | undefined;
  content: Content;
  id: string;
}

/**
 * The posts of one client, in the same order in every run, with the responses that section 3 of the contract requires.
 * No other client sends for its tenant, so the posts accepted so far decide every response.
 */
export function idempotencyRun(seed: number): IdempotencyRun {
  return new IdempotencyRun(seed);
}

class IdempotencyRun {
  private readonly holders: Holder[] = [];
  private created = 0;

  constructor(private state: number) {}

  get accepted(): number {
    return this.holders.length;
  }

  next(): Post {
    const holder = this.holders[Math.floor(this.random() * this.holders.length)];
    const choice = this.random();
    if (!holder || choice < 0.4) return this.fresh();
    if (choice < 0.65) return repeated(holder, this.random() < 0.5);
    const { key, content } = holder;
    const changed = { ...content, amount: content.amount + 1_000_000 };
    if (choice < 0.8 && key !== undefined) return refused(key, changed, 422, 'idempotency-key-reused');
    if (content.eventId === undefined) return repeated(holder, true);
    const unused = `unused-${this.created++}`;
    if (choice < 0.9) return refused(unused, changed, 409, 'event-id-conflict');
    return { ...repeated(holder, false), key: unused }; // same eventId and content under another key: the same event
  }

  /** Repeats the oldest post, the newest and some between. */
  repeats(): Post[] {
    return this.holders.filter((_, i) => i % 8 === 0 || i === this.holders.length - 1).map((h) => repeated(h, false));
  }

  /** Returns how the response differs from the expected one. Remembers accepted posts. */
  check(post: Post, { status, text, body }: Answer<AcceptedAnswer>): unknown[] {
    const { expected } = post;
    if (status === 202) this.holders.push({ ...post.holder, id: body.id });
    const right =
      status === expected.status &&
      (!('id' in expected) || body.id === expected.id) &&
      (!('code' in expected) || text.includes(`"code":"${expected.code}"`));
    return right ? [] : [{ sent: post.body, key: post.key, expected, got: { status, text } }];
  }

  private fresh(): Post {
    const n = this.created++;
    const eventId = n % 3 === 0 ? undefined : `event-${n}`;
    const content = { subject: `subject-${n}`, eventId, amount: n };
    const key = n % 2 === 0 ? `key-${n}` : undefined;
    return { body: bodyOf(content, false), key, expected: { status: 202 }, holder: { key, content, id: '' } };
  }

  private random(): number {
    this.state = (this.state * 48_271) % 2_147_483_647;
    return this.state / 2_147_483_647;
  }
}

function repeated(holder: Holder, reordered: boolean): Post {
  const { key, content, id } = holder;
  return { body: bodyOf(content, reordered), key, expected: { status: 200, id }, holder };
}

function refused(key: string, content: Content, status: 409 | 422, code: string): Post {
  return { body: bodyOf(content, false), key, expected: { status, code }, holder: { key, content, id: '' } };
}

function bodyOf({ subject, eventId, amount }: Content, reordered: boolean): string {
  const payload = reordered ? { currency: 'EUR', amount } : { amount, currency: 'EUR' };
  return JSON.stringify({ eventType: 'order.paid', subject, ...(eventId ? { eventId } : {}), payload });
}
