import { hash } from 'node:crypto';
import type { Mapping } from '../../../../src/sources/mapping/mapping';
import type { Verification } from '../../../../src/sources/verification/verification';
import { TENANTS, type Tenant } from '../tenants';

/** What a source of the run receives: one event of Stripe in each request, or lists of events. */
export type WebhookKind = 'stripe' | 'list';

export interface PlannedSource {
  id: string;
  tenant: Tenant;
  kind: WebhookKind;
  name: string;
  token: string;
  secret: string;
  provider: string;
  verification: Verification | null;
  mapping: Mapping;
}

/** The signature of lists: an HMAC over the time and the body. */
const OF_LISTS: Verification = {
  scheme: 'hmac',
  algorithm: 'sha512',
  encoding: 'base64',
  header: 'x-signature',
  signed: '{header:x-time}|{body}',
  timestamp: { header: 'x-time', unit: 'ms', toleranceSeconds: 300 },
};
const LIST: Mapping = {
  records: '/events',
  eventType: '/kind',
  subject: '/ref',
  eventId: '/id',
  occurredAt: '/at',
  partitionKey: ['/lane', '/ref'],
};

const RULES = {
  stripe: { provider: 'stripe', verification: null, mapping: {} },
  list: { provider: 'custom', verification: OF_LISTS, mapping: LIST },
} as const satisfies Record<WebhookKind, Pick<PlannedSource, 'provider' | 'verification' | 'mapping'>>;

/** Each tenant has a source of each kind. Ids and tokens are fixed, so that the load can be planned before the run. */
export const SOURCES: readonly PlannedSource[] = TENANTS.flatMap((tenant, i) =>
  (['stripe', 'list'] as const).map((kind, j) => ({
    id: `00000000-0000-7000-8000-0000000000${i}${j}`,
    tenant,
    kind,
    name: `${kind} of ${tenant}`,
    token: hash('sha256', `token of ${tenant} ${kind}`, 'base64url'),
    secret: `whsec_${hash('sha256', `secret of ${tenant} ${kind}`, 'hex')}`,
    ...RULES[kind],
  })),
);

export function sourceOf(tenant: Tenant, kind: WebhookKind): PlannedSource {
  return SOURCES.find((source) => source.tenant === tenant && source.kind === kind) as PlannedSource;
}
