import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { exactValue } from '../../event/json/exact-value';
import type { PreparedEvent, RequestContext } from '../../event/prepare-event';
import { Problem } from '../../event/problems';
import { CurrentRules } from '../../ingest/store/current-rules';
import { foreseenResults, type IngestResult } from '../../ingest/store/store-batch';
import { answerFor, outcomeOf, type RecordResult } from '../intake/answer-request';
import { examineRequest, type Examination } from '../intake/examine-request';
import type { HandshakePlan } from '../handshakes/answer-handshake';
import { rulesOf, type LiveSource } from '../directory/live-source';
import type { PreparedRequest } from '../intake/prepare-request';
import type { ReceivedRequest } from '../request/received-request';
import type { Verdict } from '../verification/verdict';
import type { Trial, TrialEvent, TrialStep } from './trial';

const SHOWN_EVENTS = 20;

/** Takes the steps of a request without storing anything, and says what each found. */
@Injectable()
export class TryRequest {
  constructor(
    private readonly pool: Pool,
    private readonly contentRules: CurrentRules,
  ) {}

  async run(source: LiveSource, received: ReceivedRequest, correlationId: string): Promise<Trial> {
    const { tenantId } = source.row;
    const request = { tenantId, correlationId, traceparent: undefined, idempotencyKey: undefined };
    const examined = await this.examine(source, received, request);
    if ('unavailable' in examined) return ended('unavailable', [failedSignature(examined.unavailable)], 503);
    if (examined.kind === 'no-secret') {
      return ended('unavailable', [failedSignature('The source has no secret yet.')], 503);
    }
    const steps = examined.verdict ? stepsOf(examined.verdict) : [];
    if (examined.kind === 'unverified') {
      return ended('unverified', steps, new Problem(examined.verdict.code, '').status);
    }
    if (examined.kind === 'handshake') return handshakeTrial(examined.plan, steps);
    const { prepared } = examined;
    const events = prepared.records.flatMap(({ made }) => ('prepared' in made ? [made.prepared] : []));
    const foreseen = await foreseenResults(this.pool, events);
    const results = resultsOf(prepared, foreseen);
    const isFiltered = results.length > 0 && results.every(({ kind }) => kind === 'filtered');
    return {
      steps: [...steps, ...recordSteps(received, results)],
      outcome: isFiltered ? 'filtered' : outcomeOf(results),
      answer: answerFor(results, prepared.isBatch, source.rules().answers, correlationId),
      events: events.slice(0, SHOWN_EVENTS).map(shown),
    };
  }

  /** A request that cannot be examined now is no refused one: its provider is told to send it again. */
  private async examine(
    source: LiveSource,
    received: ReceivedRequest,
    request: RequestContext,
  ): Promise<Examination | { unavailable: string }> {
    try {
      const rules = rulesOf(source);
      return await examineRequest(received, { source, rules, request, content: this.contentRules.current() });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return { unavailable: error.detail };
    }
  }
}

const failedSignature = (text: string): TrialStep => ({ step: 'signature', ok: false, text });

function stepsOf(verdict: Verdict): TrialStep[] {
  if (verdict.verified) {
    const hint = verdict.keyHint === undefined ? '' : ` with the secret ${verdict.keyHint}`;
    return [
      { step: 'address', ok: true, text: 'Requests from this address are taken.' },
      { step: 'signature', ok: true, text: `The request is verified${hint}.` },
    ];
  }
  const step = verdict.code === 'address-not-allowed' ? 'address' : 'signature';
  return [{ step, ok: false, text: verdict.reason, data: { code: verdict.code, ...verdict.facts } }];
}

/** The address that a handshake would call to confirm is not called. */
function handshakeTrial({ confirm, answer }: HandshakePlan, steps: TrialStep[]): Trial {
  const text = confirm
    ? `The request checks the URL. It is answered after ${confirm.place} was called.`
    : 'The request checks the URL.';
  return { steps: [...steps, { step: 'handshake', ok: true, text }], outcome: 'handshake', answer, events: [] };
}

function ended(outcome: 'unavailable' | 'unverified', steps: TrialStep[], status: number): Trial {
  return { steps, outcome, answer: { status }, events: [] };
}

function resultsOf({ records }: PreparedRequest, foreseen: readonly (IngestResult | undefined)[]): RecordResult[] {
  let next = 0;
  return records.map((record): RecordResult => {
    const { made } = record;
    if ('filteredOut' in made) return { record, kind: 'filtered' };
    const result = 'prepared' in made ? foreseen[next++] : undefined;
    const rejection = 'rejection' in made ? made.rejection : result?.kind === 'rejected' ? result.rejection : undefined;
    if (rejection) {
      const { code, message, errors } = rejection;
      return { record, kind: 'rejected', rejectionId: '', code, message, pointer: errors[0]?.pointer ?? null };
    }
    const { id, eventId } =
      result?.kind === 'duplicate' ? result.of : (made as { prepared: PreparedEvent }).prepared.event;
    return { record, kind: result?.kind === 'duplicate' ? 'duplicate' : 'accepted', id, eventId };
  });
}

function recordSteps(received: ReceivedRequest, results: readonly RecordResult[]): TrialStep[] {
  const body = received.document();
  if ('rejection' in body) return [{ step: 'body', ok: false, text: body.rejection.message }];
  const steps: TrialStep[] = [{ step: 'body', ok: true, text: 'The body can be read.' }];
  const rejected = results.find((result) => result.kind === 'rejected');
  if (rejected) {
    const { number: record } = rejected.record;
    const { code, pointer, message } = rejected;
    const step = code === 'event-id-conflict' || code === 'idempotency-key-reused' ? 'identity' : 'mapping';
    return [...steps, { step, ok: false, text: message, data: { code, pointer, record: record ?? null } }];
  }
  steps.push({ step: 'mapping', ok: true, text: `All fields were found in ${results.length} records.` });
  const filtered = results.filter(({ kind }) => kind === 'filtered').length;
  steps.push({ step: 'filter', ok: filtered === 0, text: `${filtered} of ${results.length} records do not pass.` });
  const repeated = results.filter(({ kind }) => kind === 'duplicate').length;
  steps.push({ step: 'identity', ok: true, text: `${repeated} of ${results.length} records are stored already.` });
  return steps;
}

function shown({ event }: PreparedEvent): TrialEvent {
  const { type, subject, eventId, occurredAt, partitionKey, payloadJson } = event;
  return { type, subject, eventId, occurredAt, partitionKey, payload: exactValue(payloadJson) };
}
