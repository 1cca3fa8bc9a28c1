import { randomUUID } from 'node:crypto';
import type { Operation } from './openapi-inputs';

/** A body that each operation accepts. Requests that would change much are dry runs. */
const VALID: Record<string, (tenantId: string) => object> = {
  startReplay: (tenantId) => ({ tenantId, mode: 'reprocess', dryRun: true }),
  retryDeadLetters: (tenantId) => ({ tenantId, dryRun: true }),
  discardDeadLetters: (tenantId) => ({ tenantId, dryRun: true }),
  createRevision: () => ({ payload: { amount: 10.5 }, dryRun: true }),
  retryDeliveries: (tenantId) => ({ tenantId, dryRun: true }),
  discardDeliveries: (tenantId) => ({ tenantId, dryRun: true }),
  startErasure: (tenantId) => ({ tenantId, subject: 'order-1', dryRun: true }),
  resubmitRejections: (tenantId) => ({ tenantId, dryRun: true }),
  discardRejections: (tenantId) => ({ tenantId, dryRun: true }),
  startBackfill: () => ({ from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z', dryRun: true }),
  retryOutboxEntries: () => ({}),
  createDestination: (tenantId) => ({ tenantId, url: 'http://127.0.0.1:9/other' }),
  putDestination: (tenantId) => ({ tenantId, url: 'http://127.0.0.1:9/other' }),
  changeDestination: () => ({}),
  testDestination: () => ({}),
  rotateDestinationSecret: () => ({}),
  createTenant: () => ({ id: `tenant-${randomUUID()}`, name: 'A tenant' }),
  changeTenant: () => ({}),
  createKey: () => ({ name: 'a key', scopes: ['ingest'] }),
  rotateKey: () => ({ overlapSeconds: 60 }),
  createOperator: (tenantId) => ({ name: `operator ${randomUUID()}`, role: 'viewer', tenantIds: [tenantId] }),
  changeOperator: () => ({}),
  createSource: (tenantId) => ({ tenantId, name: 'shop', provider: 'stripe' }),
  putSource: (tenantId) => ({ tenantId, name: 'shop', provider: 'stripe' }),
  changeSource: () => ({}),
  putExpectation: () => ({ expectEverySeconds: 3_600 }),
  testSource: () => ({ body: '{}' }),
  rotateSourceToken: () => ({}),
  rotateSourceSecret: () => ({ secret: 'a secret of the provider' }),
};

export function validBodyOf(operation: Operation, tenantId = 'demo'): object {
  const make = VALID[operation.operationId ?? ''];
  if (!make) throw new Error(`test/support/valid-bodies.ts needs a valid body of ${operation.operationId}.`);
  return make(tenantId);
}
