import { isUtf8 } from 'node:buffer';
import { Injectable } from '@nestjs/common';
import { Problem } from '../../event/problems';
import { uuidV7 } from '../../event/uuid-v7';
import { Metrics } from '../../observability/metrics';
import { outcomeOf, type RecordResult } from '../intake/answer-request';
import type { KeptRequest } from '../request/kept-request';
import type { LiveSource, SourceRules } from '../directory/live-source';
import type { ReceivedRequest } from '../request/received-request';
import { CUSTOM_PROVIDER } from '../directory/source';
import type { Refused, Verdict, Verified } from '../verification/verdict';
import { MASK, maskedBeginning, secretsInBody } from './mask';
import { NOT_TAKEN, type RequestSample, type SampleResult } from './request-sample';
import { RequestSamples } from './request-samples';

const SHOWN_BYTES = 2_048;
const SHOWN_IDS = 10;

type Findings = Pick<RequestSample, 'result' | 'status'> &
  Partial<Pick<RequestSample, 'code' | 'reason' | 'facts' | 'keyHint' | 'eventIds' | 'rejectionIds' | 'records'>>;

/** Counts the requests of sources and keeps samples of them. */
@Injectable()
export class RequestReport {
  constructor(
    private readonly samples: RequestSamples,
    private readonly metrics: Metrics,
  ) {}

  begin(source: LiveSource, rules: SourceRules, received: ReceivedRequest, correlationId: string): OpenReport {
    return new OpenReport(this.samples, this.metrics, { source, rules, received, correlationId });
  }
}

interface OfReport {
  source: LiveSource;
  rules: SourceRules;
  received: ReceivedRequest;
  correlationId: string;
}

/** The report of one request. The first finding counts. */
export class OpenReport {
  private readonly startedMs = performance.now();
  private isDone = false;

  constructor(
    private readonly samples: RequestSamples,
    private readonly metrics: Metrics,
    private readonly of: OfReport,
  ) {}

  /** Verifies the request and measures how long that takes. A key may have to be fetched for it. */
  readonly measured = (verify: () => Verdict | Promise<Verdict>): Verdict | Promise<Verdict> => {
    const { scheme } = this.of.rules.verification;
    const startedMs = performance.now();
    const note = (result: 'verified' | 'refused' | 'unavailable'): void => {
      const durations = this.metrics.durations.verifications.of({ scheme, result });
      durations.observe((performance.now() - startedMs) / 1_000);
    };
    const ended = (verdict: Verdict): Verdict => {
      note(verdict.verified ? 'verified' : 'refused');
      return verdict;
    };
    const verdict = verify();
    if (!(verdict instanceof Promise)) return ended(verdict);
    return verdict.then(ended, (error: unknown) => {
      note('unavailable');
      throw error;
    });
  };

  handshake<A extends { status: number }>(answer: A): A {
    this.end({ result: 'handshake', status: answer.status });
    return answer;
  }

  unverified({ code, reason, facts }: Refused): void {
    this.end({ result: 'unverified', status: new Problem(code, '').status, code, reason, facts });
  }

  stored(results: readonly RecordResult[], { keyHint }: Verified, status: number): void {
    const eventIds: string[] = [];
    const rejectionIds: string[] = [];
    let code: string | null = null;
    let reason: string | null = null;
    for (const result of results) {
      if ('id' in result && eventIds.length < SHOWN_IDS) eventIds.push(result.id);
      if (result.kind !== 'rejected') continue;
      code ??= result.code;
      reason ??= result.message;
      if (rejectionIds.length < SHOWN_IDS) rejectionIds.push(result.rejectionId);
    }
    const result = resultOf(results);
    this.end({
      result,
      status,
      code,
      reason,
      keyHint: keyHint ?? null,
      eventIds,
      rejectionIds,
      records: results.length,
    });
  }

  failed(error: unknown): void {
    const problem = error instanceof Problem ? error : undefined;
    this.end({
      result: 'failed',
      status: problem?.status ?? 500,
      code: problem?.code ?? 'internal-error',
      reason: problem?.detail ?? 'An unexpected error occurred. It is logged with the correlation id.',
    });
  }

  private end(findings: Findings): void {
    if (this.isDone) return;
    this.isDone = true;
    const { source, rules, received, correlationId } = this.of;
    const provider = rules.provider?.id ?? CUSTOM_PROVIDER;
    this.metrics.sourceRequests.inc({ provider, result: findings.result });
    const durationMs = Math.round((performance.now() - this.startedMs) * 10) / 10;
    const of = { correlationId, durationMs, bodyBytes: received.facts.body.length, findings };
    this.samples.note(
      source.row.id,
      sampleMaker(of, received.keptMembers(rules.kept), shownBeginning(received, rules)),
      !NOT_TAKEN.includes(findings.result),
    );
  }
}

type OfSample = Pick<RequestSample, 'correlationId' | 'durationMs' | 'bodyBytes'> & { findings: Findings };

/** A function of its own: in that of the report, the sample would hold the whole request. */
const sampleMaker = (of: OfSample, members: string, beginning: Buffer) => (): RequestSample => ({
  ...NOTHING,
  correlationId: of.correlationId,
  durationMs: of.durationMs,
  bodyBytes: of.bodyBytes,
  ...of.findings,
  id: uuidV7(),
  request: JSON.parse(`{${members}}`) as KeptRequest,
  ...shownBody(beginning),
});

const NOTHING = {
  code: null,
  reason: null,
  facts: {},
  keyHint: null,
  eventIds: [],
  rejectionIds: [],
  records: 0,
} satisfies Partial<RequestSample>;

function resultOf(results: readonly RecordResult[]): SampleResult {
  const isFiltered = results.length > 0 && results.every(({ kind }) => kind === 'filtered');
  return isFiltered ? 'filtered' : outcomeOf(results);
}

/** A copy where the body is large, so that it can be freed. */
function shownBeginning(received: ReceivedRequest, { kept: { mask } }: SourceRules): Buffer {
  const { body } = received.facts;
  if (mask.hidden.body.size === 0 && body.length <= SHOWN_BYTES) return body;
  const document = mask.hidden.body.size === 0 ? undefined : received.document();
  // Where a body that cannot be read has its secret is not known.
  if (document && 'rejection' in document) return Buffer.from(MASK);
  return Buffer.from(maskedBeginning(body, document ? secretsInBody(document, mask) : [], SHOWN_BYTES));
}

function shownBody(beginning: Buffer): Pick<RequestSample, 'bodyText' | 'bodyBase64'> {
  const whole = beginning.length < SHOWN_BYTES ? beginning : withoutBrokenEnd(beginning);
  if (isUtf8(whole)) return { bodyText: whole.toString(), bodyBase64: null };
  return { bodyText: null, bodyBase64: beginning.toString('base64') };
}

/** Leaves out a character that the cut has broken. */
function withoutBrokenEnd(bytes: Buffer): Buffer {
  for (let end = bytes.length; end > bytes.length - 4; end--) {
    const byte = bytes[end - 1] as number;
    if (byte < 0x80) return bytes.subarray(0, end);
    if (byte >= 0xc0) return bytes.subarray(0, end - 1);
  }
  return bytes;
}
