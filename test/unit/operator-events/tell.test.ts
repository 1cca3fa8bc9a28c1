import { consoleLink } from '../../../src/operator-events/console-link';
import { preparedOperatorEvent } from '../../../src/operator-events/operator-event';
import { manyRaisedEvent, raisedEvent } from '../../../src/operator-events/tell';
import { minutes, WATCHES } from '../../../src/operator-events/watches';
import type { Observation } from '../../../src/operator-events/condition';

const NOWHERE = { CONSOLE_URL: undefined, PUBLIC_URL: undefined };
const observation = (subject: string): Observation => ({
  subject,
  tenantId: 'acme',
  name: 'erp',
  verdict: 'holds',
  since: '2026-01-01T00:00:00.000Z',
  figures: { failingSeconds: 400, reasonCode: 'HTTP_5XX', statusCode: 503 },
});
const failing = WATCHES.find(({ kind }) => kind === 'destination.failing');
if (!failing) throw new Error('there is no such watch');

describe('the link of an operator event', () => {
  it.each([
    [NOWHERE, '/console/outbox'],
    [{ ...NOWHERE, PUBLIC_URL: 'https://events.example.com/' }, 'https://events.example.com/console/outbox'],
    [
      { CONSOLE_URL: 'https://ops.example.com/x/', PUBLIC_URL: 'https://events.example.com' },
      'https://ops.example.com/x/outbox',
    ],
  ])('with %j', (settings, link) => {
    expect(consoleLink(settings, '/outbox')).toBe(link);
  });
});

it.each([
  [119, '119 seconds'],
  [7_199, '119 minutes'],
  [7_200, '2 hours'],
  [9_060, '2 hours 31 minutes'],
  [172_799, '47 hours 59 minutes'],
  [180_000, '2 days 2 hours'],
])('%d seconds are said as %s', (seconds, text) => {
  expect(minutes(seconds)).toBe(text);
});

it('a silence is said in what its rule counts', () => {
  const watch = WATCHES.find(({ kind }) => kind === 'source.silent');
  const figures = { silentSeconds: 50_400, expectEverySeconds: 3_600, usualSeconds: null };
  const says = 'has been silent for 14 hours. It is expected to send at least every 60 minutes';
  expect(watch?.says({ ...figures, activeTimeZone: null })).toBe(`${says}.`);
  expect(watch?.says({ ...figures, activeTimeZone: 'Europe/Berlin' })).toBe(`${says} of its active hours.`);
});

describe('an operator event', () => {
  it('says what, since when, how bad, and where to look', () => {
    expect(raisedEvent(failing, observation('d1'), 'i1', NOWHERE)).toEqual({
      kind: 'destination.failing',
      state: 'raised',
      severity: 'error',
      summary:
        'Destination erp of tenant acme has had no success for 6 minutes, last with HTTP_5XX. Its deliveries are tried again.',
      since: '2026-01-01T00:00:00.000Z',
      subject: 'd1',
      tenantId: 'acme',
      name: 'erp',
      count: 1,
      figures: { failingSeconds: 400, reasonCode: 'HTTP_5XX', statusCode: 503 },
      link: '/console/destinations/d1',
      incident: 'i1',
    });
  });

  it('is an event of the reserved tenant with one key for each state of an incident', () => {
    const event = raisedEvent(failing, observation('d1'), 'i1', NOWHERE);
    const first = preparedOperatorEvent(event);
    expect(first.event).toMatchObject({ tenantId: 'streamforge', type: 'destination.failing', subject: 'd1' });
    expect(preparedOperatorEvent(event).keyDigest).toBe(first.keyDigest);
    expect(preparedOperatorEvent({ ...event, state: 'cleared' }).keyDigest).not.toBe(first.keyDigest);
  });

  it('stands for as many as there are, and fits whatever their number', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => ({ ...observation(`d${i}`), name: 'n'.repeat(200) }));
    const event = manyRaisedEvent(failing, many, 'i1', NOWHERE);
    expect(event).toMatchObject({ count: 10_000, subject: null, link: '/console/destinations' });
    expect(preparedOperatorEvent(event).event.sizeBytes).toBeLessThan(10_000);
  });

  it.each(WATCHES.map((watch) => [watch.kind, watch] as const))(
    'of %s can be stored without any figure',
    (_, watch) => {
      const bare = {
        subject: '',
        tenantId: null,
        name: null,
        verdict: 'holds',
        since: '2026-01-01T00:00:00.000Z',
        figures: {},
      } as const;
      expect(preparedOperatorEvent(raisedEvent(watch, bare, 'i1', NOWHERE)).event.tenantId).toBe('streamforge');
    },
  );
});
