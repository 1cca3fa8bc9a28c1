import type { JsonDocument } from '../../expressions/json-document';
import type { DescribedBody } from './cloud-event-format';
import type { OperatorFormat } from './delivery-format';

/** What messages to people say of an event. An operator event has all of it (src/operator-events). */
interface Told {
  type: string;
  summary: string;
  isCleared: boolean;
  /** One of those that PagerDuty knows. */
  severity: (typeof SEVERITIES)[number];
  since: string | undefined;
  subject: string | undefined;
  tenantId: string | undefined;
  figures: Record<string, unknown>;
  /** Of the console, if its address is known. */
  link: string | undefined;
  incident: string;
}

const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;
/** PagerDuty takes no longer summary. */
const MOST_SUMMARY = 1_024;

/**
 * Makes the body for a chat or a pager. An event that is no operator event, such as a test, is told by its type.
 * @param transformed takes the place of the payload; a text is told as it is
 */
export function operatorBody(format: OperatorFormat, event: JsonDocument, transformed?: string): DescribedBody {
  const payload = transformed === undefined ? event.at(['payload'])?.value : (JSON.parse(transformed) as unknown);
  const body = BODIES[format](toldBy(event, payload));
  return { body: Buffer.from(JSON.stringify(body)), headers: { 'content-type': 'application/json' } };
}

function toldBy(event: JsonDocument, payload: unknown): Told {
  const given = (typeof payload === 'object' && payload !== null ? payload : {}) as Record<string, unknown>;
  const ofEvent = (name: string): string => textOf(event.at([name])?.value) ?? '';
  const type = ofEvent('type');
  const said = typeof payload === 'string' ? payload : (textOf(given.summary) ?? textOf(given.message));
  return {
    type,
    summary: cut(said ?? `${type}: ${ofEvent('subject')}`),
    isCleared: given.state === 'cleared',
    severity: SEVERITIES.find((severity) => severity === given.severity) ?? 'info',
    since: textOf(given.since),
    subject: textOf(given.subject),
    tenantId: textOf(given.tenantId),
    figures: typeof given.figures === 'object' && given.figures !== null ? { ...given.figures } : {},
    link: /^https?:\/\//.test(textOf(given.link) ?? '') ? textOf(given.link) : undefined,
    incident: textOf(given.incident) ?? ofEvent('id'),
  };
}

/** A character of two code units is kept or left out as a whole. */
const cut = (text: string): string =>
  text
    .slice(0, MOST_SUMMARY)
    .replace(/[\ud800-\udbff]$/, '')
    .toWellFormed();

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const BODIES: Record<OperatorFormat, (told: Told) => object> = {
  slack: slackBody,
  teams: teamsBody,
  pagerduty: pagerBody,
};

/** An incoming webhook of Slack. */
function slackBody({ summary, since, severity, isCleared, link, type }: Told): object {
  const facts = [type, ...(since === undefined ? [] : [`since ${since}`]), isCleared ? 'cleared' : severity];
  const lines = [`${signOf(severity, isCleared)} ${slackText(summary)}`, slackText(facts.join(' · '))];
  if (link !== undefined) lines.push(`<${slackText(link)}|Open the console>`);
  return { text: lines.join('\n'), unfurl_links: false };
}

/** Slack would take these for a mention or a link. */
const slackText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Teams takes texts and facts for Markdown: a name would become a link or a list. */
const teamsText = (text: string): string =>
  text
    .replace(/\s*[\r\n]\s*/g, ' ')
    .replace(/[\\`*[\]~]|(?<!\w)_|_(?!\w)/g, '\\$&')
    .replace(/^(\d*)([-+#>.)])(?=\s)/, '$1\\$2');

/** A workflow of Teams that posts to a channel when a webhook request is received. */
function teamsBody({ summary, since, severity, isCleared, figures, link, type }: Told): object {
  const facts = {
    Event: type,
    ...(since === undefined ? {} : { Since: since }),
    State: isCleared ? 'cleared' : severity,
    ...figures,
  };
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      { type: 'TextBlock', text: `${signOf(severity, isCleared)} ${teamsText(summary)}`, weight: 'Bolder', wrap: true },
      {
        type: 'FactSet',
        facts: Object.entries(facts).map(([title, value]) => ({
          title: teamsText(title),
          value: teamsText(String(value ?? '–')),
        })),
      },
    ],
    actions: link === undefined ? [] : [{ type: 'Action.OpenUrl', title: 'Open the console', url: link }],
  };
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card }],
  };
}

/** The Events API v2 of PagerDuty. Its routing_key is added when the request is sent (auth/routing-key.ts). */
function pagerBody({
  summary,
  since,
  severity,
  isCleared,
  figures,
  link,
  incident,
  type,
  tenantId,
  subject,
}: Told): object {
  return {
    event_action: isCleared ? 'resolve' : 'trigger',
    dedup_key: incident,
    payload: {
      summary,
      source: 'streamforge',
      severity,
      ...(since === undefined ? {} : { timestamp: since }),
      ...(subject === undefined ? {} : { component: subject }),
      ...(tenantId === undefined ? {} : { group: tenantId }),
      class: type,
      custom_details: figures,
    },
    client: 'StreamForge',
    ...(link === undefined ? {} : { client_url: link, links: [{ href: link, text: 'Open the console' }] }),
  };
}

function signOf(severity: Told['severity'], isCleared: boolean): string {
  if (isCleared) return '🟢';
  if (severity === 'info') return 'ℹ️';
  return severity === 'warning' ? '🟠' : '🔴';
}
