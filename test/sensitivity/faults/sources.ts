import type { DeliberateFault } from '../deliberate-fault';
import { calm } from './runs';

const PREPARE = 'src/sources/intake/prepare-request.ts';
const STORE = 'src/sources/intake/store-request.ts';
const VERIFICATION_TESTS = 'test/unit/sources/verification';

export const FAULTS_IN_SOURCES: readonly DeliberateFault[] = [
  {
    name: 'any signature of a webhook is taken',
    stage: 'sources',
    edits: [
      {
        file: 'src/sources/verification/verify-hmac.ts',
        find: 'isEqual(signature, expected)',
        replace: '(isEqual(signature, expected) || signature.length > 0)',
      },
    ],
    noticedBy: calm('changed', 'rejection', 'strange answer'),
  },
  {
    name: 'the id that a mapping finds is no key of its event',
    stage: 'sources',
    invariant: 'I2',
    edits: [
      {
        file: 'src/event/prepare-event.ts',
        find: 'cloudEvent ? JSON.stringify([source, id]) : id);',
        replace: '`${id} ${Math.random()}`);',
      },
    ],
    noticedBy: calm('doubled'),
  },
  {
    name: 'a rejection is answered before it is committed',
    stage: 'sources',
    invariant: 'I14',
    edits: [
      {
        file: STORE,
        find: 'await this.rejections.keep(kept);',
        replace: 'void this.rejections.keep(kept).catch(() => undefined);',
      },
    ],
    // A run seldom rejects a record in the moment before its source is unavailable.
    noticedBy: { tests: ['test/e2e/sources/batches.test.ts'] },
  },
  {
    name: 'the kept body of a webhook is cut',
    stage: 'sources',
    edits: [
      {
        file: PREPARE,
        find: 'kept(isBatch || !isExactly(received) ? body : undefined, requestJson, context);',
        replace: 'kept(isBatch || !isExactly(received) ? body.subarray(0, 200) : undefined, requestJson, context);',
      },
    ],
    noticedBy: calm('changed'),
  },
  {
    name: 'the tenth record of a list is left out',
    stage: 'sources',
    invariant: 'I1',
    edits: [
      {
        file: PREPARE,
        find: '    records.push({ ...(record instanceof Promise ? await record : record), number: i + 1 });',
        replace:
          '    if (i !== 9) records.push({ ...(record instanceof Promise ? await record : record), number: i + 1 });',
      },
    ],
    noticedBy: calm('strange answer', 'lost', 'rejection'),
  },
  {
    name: 'a rejection keeps the first 100 bytes',
    stage: 'sources',
    edits: [
      {
        file: 'src/rejections/rejections.queries.ts',
        find: 'body.subarray(0, maxBytes[endpoint])',
        replace: 'body.subarray(0, Math.min(maxBytes[endpoint], 100))',
      },
    ],
    noticedBy: calm('rejection'),
  },
  {
    name: 'requests of sources are counted twice',
    stage: 'sources',
    edits: [
      {
        file: 'src/sources/inspector/request-report.ts',
        find: 'this.metrics.sourceRequests.inc({ provider, result: findings.result });',
        replace: 'this.metrics.sourceRequests.inc({ provider, result: findings.result }, 2);',
      },
    ],
    noticedBy: calm('metrics'),
  },
  {
    name: 'a webhook may be as old as it likes',
    stage: 'sources',
    edits: [
      {
        file: 'src/sources/verification/signatures/signature-time.ts',
        find: 'if (Math.abs(seconds) <= toleranceSeconds) return undefined;',
        replace: 'if (Math.abs(seconds) <= toleranceSeconds * 1_000_000) return undefined;',
      },
    ],
    noticedBy: { tests: [`${VERIFICATION_TESTS}/schemes.test.ts`] },
  },
  {
    name: 'a list without items counts as signed',
    stage: 'sources',
    edits: [
      {
        file: 'src/sources/verification/signatures/each-record.ts',
        find: 'list.value.length === 0',
        replace: 'list.value.length < 0',
      },
    ],
    noticedBy: { tests: [`${VERIFICATION_TESTS}/signatures.test.ts`] },
  },
  {
    name: 'a message of SNS can be cut into other fields',
    stage: 'sources',
    edits: [
      {
        file: 'src/sources/request/template-parts.ts',
        find: "if (text !== '' && value.includes('\\n')) return undefined;",
        replace: "if (text === '\\n' && value.includes('\\n')) return undefined;",
      },
    ],
    noticedBy: { tests: [`${VERIFICATION_TESTS}/verify-certificate.test.ts`] },
  },
  {
    name: 'a certificate may be anywhere',
    stage: 'sources',
    edits: [
      {
        file: 'src/sources/fetching/allowed-url.ts',
        find: 'places.find((one) => isIn(url, one))',
        replace: "places.find((one) => isIn(url, one) || one !== '')",
      },
    ],
    noticedBy: { tests: [`${VERIFICATION_TESTS}/verify-certificate.test.ts`] },
  },
  {
    name: 'strangers get the answers of handshakes that must be signed',
    stage: 'sources',
    edits: [
      {
        file: 'src/sources/intake/examine-request.ts',
        find: 'handshake.verified === verified ?',
        replace: 'handshake.verified || !verified ?',
      },
    ],
    noticedBy: { tests: ['test/e2e/sources/handshakes.test.ts'] },
  },
];
