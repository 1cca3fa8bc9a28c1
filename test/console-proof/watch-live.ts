import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright-core';
import type { ConsolePage } from '../support/console-page';
import { postStream } from '../support/e2e-http';

export interface LiveLoad {
  perSecond: number;
  seconds: number;
  /** Rows that the list has before the measurement begins. */
  rowsBefore: number;
}

export interface LiveFigures {
  /** Of the page before any event comes. */
  idleFramesPerSecond: number;
  framesPerSecond: number;
  longestFrameMs: number;
  sentPerSecond: number;
  /** After garbage collection. */
  heapBefore: number;
  heapAfter: number;
  /** What the page says beside its list. */
  status: string;
}

const TENANT = 'live';
const BATCH_EVERY_MS = 100;
/** The page shows up to 2,000 events per second. */
const FILL_PER_SECOND = 1_500;
const IDLE_SECONDS = 2;

/** Counts frames for some time, in the page. */
const countFrames = (ms: number): string => `new Promise((resolve) => {
  let frames = 0, longest = 0, started, last;
  function tick(now) {
    started ??= now;
    if (last !== undefined) { frames += 1; longest = Math.max(longest, now - last); }
    last = now;
    if (now - started < ${ms}) requestAnimationFrame(tick);
    else resolve({ perSecond: frames / (now - started) * 1000, longest });
  }
  requestAnimationFrame(tick);
})`;

interface Frames {
  perSecond: number;
  longest: number;
}

/** Watches the live page while events come in. */
export async function watchLive({ page }: ConsolePage, url: string, load: LiveLoad): Promise<LiveFigures> {
  const sender = new Sender(url);
  const debug = await page.context().newCDPSession(page);
  await page.goto(`${url}/console/live?tenantId=${TENANT}`);
  await page.getByText('connected', { exact: true }).waitFor();
  const idle = await page.evaluate<Frames>(countFrames(IDLE_SECONDS * 1_000));
  if (load.rowsBefore > 0) {
    await sender.send(FILL_PER_SECOND, load.rowsBefore / FILL_PER_SECOND);
    await seen(page, sender.newest);
  }
  const heapBefore = await heapOf(debug);
  const startedMs = performance.now();
  const [frames] = await Promise.all([
    page.evaluate<Frames>(countFrames(load.seconds * 1_000)),
    sender.send(load.perSecond, load.seconds),
  ]);
  const tookSeconds = (performance.now() - startedMs) / 1_000;
  await seen(page, sender.newest);
  const heapAfter = await heapOf(debug);
  await sender.close();
  return {
    idleFramesPerSecond: idle.perSecond,
    framesPerSecond: frames.perSecond,
    longestFrameMs: frames.longest,
    sentPerSecond: (load.perSecond * load.seconds) / tookSeconds,
    ...{ heapBefore, heapAfter },
    status: await page.getByRole('status').first().innerText(),
  };
}

/** Waits until an event with this subject is among the newest rows. */
const seen = (page: Page, subject: string): Promise<void> =>
  page.locator('.live-row', { hasText: subject }).first().waitFor();

async function heapOf(debug: CDPSession): Promise<number> {
  await debug.send('HeapProfiler.collectGarbage');
  return (await debug.send('Runtime.getHeapUsage')).usedSize;
}

/** Sends events at a pace, whatever the responses take. */
class Sender {
  private batches = 0;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 8 });

  constructor(private readonly url: string) {}

  /** The subject of the events of the newest batch. */
  get newest(): string {
    return `batch ${this.batches} of all`;
  }

  async send(perSecond: number, seconds: number): Promise<void> {
    const size = Math.round((perSecond * BATCH_EVERY_MS) / 1_000);
    const startedMs = performance.now();
    const responses: Promise<void>[] = [];
    const batches = Math.round((seconds * 1_000) / BATCH_EVERY_MS);
    for (let n = 0; n < batches; n++) {
      responses.push(this.sendBatch(size));
      await sleep(Math.max(0, startedMs + (n + 1) * BATCH_EVERY_MS - performance.now()));
    }
    await Promise.all(responses);
  }

  async close(): Promise<void> {
    this.agent.destroy();
  }

  private async sendBatch(size: number): Promise<void> {
    this.batches += 1;
    const line = JSON.stringify({ eventType: 'order.paid', subject: this.newest, payload: { amount: 10 } });
    const { status, text } = await postStream(
      this.url,
      TENANT,
      `${line}\n`.repeat(size),
      { 'idempotency-key': this.newest.replaceAll(' ', '-') },
      this.agent,
    );
    if (status !== 202) throw new Error(`events were refused: ${status} ${text}`);
  }
}
