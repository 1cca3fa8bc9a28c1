import type { Page } from 'playwright-core';

/** What is stored, by which the addresses of pages are made. */
export interface StoredIds {
  eventId: string;
  deadEventId: string;
  /** Of failed deliveries, and of failures of handlers. */
  group: string;
  groupOfHandlers: string;
  destinationId: string;
  pausedDestinationId: string;
  sourceId: string;
  rejectionGroup: string;
  rejectionId: string;
  replayId: string;
}

export interface ProvenPage {
  name: string;
  /** Below /console. */
  address: string | ((ids: StoredIds) => string);
  /** A selector of what is there once the page has its data. */
  shown: string;
  /** What a person does next, and what is there once the console has responded. */
  action?: { name: string; act: (page: Page) => Promise<void>; shown: string };
}

const ROW = 'tbody tr';
const press = (name: string) => (page: Page) => page.getByRole('button', { name, exact: true }).click();
const dryRun = (name: string, noun: string): ProvenPage['action'] => ({
  ...{ name, act: press('Retry all …'), shown: `text=/This changes [\\d,]+ ${noun}/` },
});
const nextPage = (name: string, count: number): ProvenPage['action'] => ({
  ...{ name, act: press('Show more'), shown: `text=/${count} events/` },
});

/** Every page of the console, one in a line or two. */
export const PAGES: readonly ProvenPage[] = [
  { name: 'Overview', address: '/', shown: '.figure-value a' },
  { name: 'Events', address: '/events', shown: ROW, action: nextPage('Events, next page', 100) },
  { name: 'Events of a tenant', address: '/events?tenantId=tenant-3', shown: ROW },
  { name: 'Events of a type', address: '/events?type=order.type3', shown: ROW },
  { name: 'Events of a prefix', address: '/events?type=order.*&tenantId=tenant-5', shown: ROW },
  {
    name: 'Events of a subject',
    address: '/events?tenantId=tenant-4&subject=order-77',
    shown: `${ROW}, .more, .empty`,
  },
  { name: 'Events in RETRYING', address: '/events?status=RETRYING', shown: ROW },
  { name: 'Events in DELIVERING', address: '/events?status=DELIVERING', shown: ROW },
  {
    name: 'Events in DLQ',
    address: '/events?status=DLQ',
    shown: ROW,
    action: nextPage('Events in DLQ, next page', 100),
  },
  { name: 'Events with a reason', address: '/events?status=DLQ&reasonCode=TIMEOUT', shown: ROW },
  {
    ...{ name: 'Events failed at a destination', shown: ROW },
    address: ({ destinationId }) => `/events?status=DLQ&destinationId=${destinationId}`,
  },
  { name: 'Events of an hour', address: `/events?from=${daysAgo(3, 0)}&to=${daysAgo(3, 1)}`, shown: ROW },
  { name: 'An event', address: ({ eventId }) => `/events/${eventId}`, shown: '.timeline li' },
  { name: 'A dead event', address: ({ deadEventId }) => `/events/${deadEventId}`, shown: '.timeline li' },
  { name: 'Dead letters', address: '/dead-letters', shown: ROW },
  { name: 'Dead letters of a tenant', address: '/dead-letters?tenantId=tenant-3', shown: ROW },
  { name: 'Dead letters with a reason', address: '/dead-letters?reasonCode=HTTP_5XX', shown: ROW },
  {
    ...{ name: 'A group of failed deliveries', address: ({ group }) => `/dead-letters/${group}`, shown: ROW },
    action: dryRun('Dry run of "retry the group"', 'dead letters'),
  },
  {
    ...{
      name: 'A group of handlers',
      address: ({ groupOfHandlers }) => `/dead-letters/${groupOfHandlers}`,
      shown: ROW,
    },
    action: dryRun('Dry run of "retry the group", of handlers', 'dead letters'),
  },
  { name: 'Rejections', address: '/rejections', shown: ROW },
  { name: 'Rejections of a tenant', address: '/rejections?tenantId=tenant-3', shown: ROW },
  { name: 'A group of rejections', address: ({ rejectionGroup }) => `/rejections/${rejectionGroup}`, shown: ROW },
  { name: 'A rejection', address: ({ rejectionId }) => `/rejections/one/${rejectionId}`, shown: '.facts' },
  { name: 'Sources', address: '/sources', shown: ROW },
  { name: 'A source', address: ({ sourceId }) => `/sources/${sourceId}`, shown: ROW },
  { name: 'Destinations', address: '/destinations', shown: `${ROW} td:nth-child(5) .badge` },
  { name: 'A destination', address: ({ destinationId }) => `/destinations/${destinationId}`, shown: '.facts' },
  { name: 'A paused destination', address: ({ pausedDestinationId: id }) => `/destinations/${id}`, shown: '.facts' },
  { name: 'Audit of a tenant', address: '/audit?tenantId=tenant-3&action=dlq.retry', shown: `${ROW}, .empty` },
  { name: 'Replays', address: '/replays', shown: ROW },
  { name: 'A replay', address: ({ replayId }) => `/replays/${replayId}`, shown: '.facts' },
  { name: 'Audit', address: '/audit', shown: ROW },
  { name: 'Tenants', address: '/tenants', shown: ROW },
  { name: 'A tenant', address: '/tenants/tenant-3', shown: ROW },
  { name: 'Operators', address: '/operators', shown: ROW },
  { name: 'Usage', address: '/usage', shown: '.chart canvas' },
  { name: 'Usage of a tenant', address: '/usage?tenantId=tenant-3', shown: '.chart canvas' },
  { name: 'Outbox', address: '/outbox', shown: ROW },
  { name: 'Health', address: '/health', shown: ROW },
  { name: 'Live', address: '/live', shown: '.live-row' },
];

/** The instant of this many days ago, and some hours later. */
function daysAgo(days: number, hours: number): string {
  return new Date(Date.now() - days * 86_400_000 + hours * 3_600_000).toISOString();
}
