import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Logger } from '@nestjs/common';
import { LocalWakeUp } from '../../../src/redis/wake-up';
import { Metrics } from '../../../src/observability/metrics';
import { OutboxGauges } from '../../../src/outbox/outbox-gauges';
import { Publisher } from '../../../src/outbox/publisher';
import { startTestApp, testSettings } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { givenDelivery } from '../../support/deliveries';
import { givenEvent, givenFailedEvent, givenState, letPass } from '../../support/rows';
import { createTestVhost, type TestVhost } from '../../support/broker/rabbit';
import { ScriptedBroker } from '../../support/broker/scripted-broker';

const DIRECTORY = path.resolve(__dirname, '../../../docker/observability');
const read = (file: string): string => fs.readFileSync(path.join(DIRECTORY, file), 'utf8');

function promtool(...args: string[]): string {
  try {
    return execFileSync('promtool', args, { cwd: DIRECTORY, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: string; stdout?: string; stderr?: string };
    throw new Error(code === 'ENOENT' ? 'promtool is not installed. Run `npm run test:setup`.' : stdout + stderr, {
      cause: error,
    });
  }
}

/** `streamforge_x_bucket` is of the metric `streamforge_x`. */
const named = (text: string): Set<string> =>
  new Set([...text.matchAll(/\b(?:streamforge|process|nodejs)_[a-z0-9_]+\b/g)].map(([name]) => name));

/** contract.md, section 7. */
const PROMISED = [
  'streamforge_ingest_total',
  'streamforge_ingest_duration_seconds',
  'streamforge_ingest_batch_size',
  'streamforge_ingest_queue_depth',
  'streamforge_dedupe_hits_total',
  'streamforge_outbox_backlog',
  'streamforge_outbox_oldest_pending_seconds',
  'streamforge_outbox_published_total',
  'streamforge_outbox_lost_lease_total',
  'streamforge_worker_attempts_total',
  'streamforge_worker_retry_total',
  'streamforge_worker_dlq_total',
  'streamforge_dlq_size',
  'streamforge_end_to_end_seconds',
  'streamforge_reconciled_total',
  'streamforge_dependency_up',
];

describe('the alert rules', () => {
  it('pass the checks of promtool, together with the Prometheus configuration', () => {
    expect(promtool('check', 'rules', 'alerts.yml')).toContain('SUCCESS');
    expect(promtool('check', 'config', 'prometheus.yml')).toContain('SUCCESS');
  });

  it('fire and resolve as alerts.test.yml expects', () => {
    expect(promtool('test', 'rules', 'alerts.test.yml')).toContain('SUCCESS');
  });

  it('all have a test in alerts.test.yml', () => {
    const alerts = [...read('alerts.yml').matchAll(/alert: (\w+)/g)].map(([, name]) => name);
    const tests = read('alerts.test.yml');
    expect(alerts).toHaveLength(20);
    expect(alerts.filter((name) => !tests.includes(`alertname: ${name}`))).toEqual([]);
  });

  it('each have a runbook at an absolute URL, which is their section of docs/observability.md', () => {
    const pages = /alert: (\w+)[\s\S]*?runbook_url: '\{\{ with \$externalLabels[^']*\}\}\/runbooks\/(\w+)'/g;
    const runbooks = [...read('alerts.yml').matchAll(pages)].map(([, alert, runbook]) => ({ alert, runbook }));
    const documentation = fs.readFileSync(path.resolve(__dirname, '../../../docs/observability.md'), 'utf8');
    const headings = [...documentation.matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading);
    expect(runbooks.map(({ alert }) => alert)).toEqual(headings);
    expect(runbooks.map(({ runbook }) => runbook)).toEqual(headings);
    expect(read('prometheus.yml')).toContain("installation_url: 'http");
  });
});

describe('the runbooks', () => {
  const documentation = fs.readFileSync(path.resolve(__dirname, '../../../docs/observability.md'), 'utf8');
  const LAST_LINE = /\n\nConsole: `(\/console\/[a-z-]+)`\. Command: `([^`]+)`\.\n*$/;
  const runbooks = documentation
    .split(/^### (?=StreamForge\w+$)/m)
    .slice(1)
    .map((text) => {
      const [name = ''] = text.split('\n');
      const [, page, command] = LAST_LINE.exec(text) ?? [];
      return { name, page, command };
    });

  it('each end with the page of the console and the command that come first', () => {
    expect(runbooks).toHaveLength(20);
    expect(runbooks.filter(({ page, command }) => page === undefined || command === undefined)).toEqual([]);
    const router = fs.readFileSync(path.resolve(__dirname, '../../../console/src/router.tsx'), 'utf8');
    const pages = new Set([...router.matchAll(/path: '(\/[a-z-]+)'/g)].map(([, page]) => `/console${page}`));
    expect(runbooks.filter(({ page = '' }) => !pages.has(page))).toEqual([]);
  });

  it('name commands and endpoints that there are', () => {
    const read = (file: string) =>
      JSON.parse(fs.readFileSync(path.resolve(__dirname, '../../..', file), 'utf8')) as object;
    const { scripts } = read('package.json') as { scripts: Record<string, string> };
    const { paths } = read('openapi.json') as { paths: Record<string, object> };
    const unknown = runbooks.filter(({ command = '' }) => {
      const endpoint = /"\$URL(\/[^"?]+)/.exec(command)?.[1]?.replace('<id>', '{id}');
      const script = /^npm run (\S+)/.exec(command)?.[1];
      if (endpoint !== undefined) return !Object.hasOwn(paths, endpoint);
      return script === undefined
        ? !/^(rabbitmqctl|rabbitmq-diagnostics|docker) /.test(command)
        : !Object.hasOwn(scripts, script);
    });
    expect(unknown).toEqual([]);
  });

  it('name the page to which console_url of their alert leads, and each alert has one', () => {
    const alert = /alert: (\w+)(?:(?!alert: )[\s\S])*?console_url: '[^']*end \}\}([^']*)'/g;
    const linked = [...read('alerts.yml').matchAll(alert)].map(([, name, page]) => ({ name, page }));
    expect(linked).toEqual(runbooks.map(({ name, page }) => ({ name, page })));
  });
});

describe('the dashboard', () => {
  const { panels } = JSON.parse(read('grafana/dashboards/streamforge.json')) as {
    panels: { id: number; title: string; gridPos: { x: number; y: number; w: number; h: number } }[];
  };

  it('shows the deliveries: open ones, their success, their time and the destinations that get none', () => {
    const text = read('grafana/dashboards/streamforge.json');
    for (const metric of [
      'streamforge_delivery_queue',
      'streamforge_deliveries_in_flight',
      'streamforge_destination_deliveries_total',
      'streamforge_deliveries_total',
      'streamforge_delivery_seconds_bucket',
      'streamforge_destinations_open_circuits',
      'streamforge_destinations_disabled',
    ])
      expect(text).toMatch(new RegExp(`\\b${metric}\\b`));
  });

  it('shows where events wait, how long attempts and verifications take, and whether clocks are right', () => {
    const text = read('grafana/dashboards/streamforge.json');
    for (const metric of [
      'streamforge_stage_seconds_bucket',
      'streamforge_attempt_seconds_bucket',
      'streamforge_delivery_backlog',
      'streamforge_source_verification_seconds_bucket',
      'streamforge_clock_ahead_seconds',
    ])
      expect(text).toMatch(new RegExp(`\\b${metric}\\b`));
  });

  it('has panels of different ids that do not overlap', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});

describe('the metrics that the alert rules and the dashboard use', () => {
  let database: TestDatabase;
  let vhost: TestVhost;
  beforeAll(async () => {
    [database, vhost] = await Promise.all([createTestDatabase(), createTestVhost()]);
  });
  afterAll(async () => {
    await Promise.all([vhost.drop(), database.drop()]);
  });

  it.each(['api', 'publisher', 'worker'])('are all served by the role %s', async (role) => {
    const app = await startTestApp(database.url, { APP_ROLE: role, RABBITMQ_URL: vhost.url });
    try {
      const { text } = await app.http.get('/metrics').expect(200);
      const there = named(text);
      const used = named(read('alerts.yml') + read('grafana/dashboards/streamforge.json'));
      expect(used.size).toBeGreaterThan(15);
      expect([...used].filter((name) => !there.has(name))).toEqual([]);
      expect(PROMISED.filter((name) => !text.includes(`# TYPE ${name} `))).toEqual([]);
      for (const [, runbook] of read('alerts.yml').matchAll(/\/runbooks\/(\w+)'/g)) {
        const section = await app.http.get(`/runbooks/${runbook}`).expect(200);
        expect(section.headers['content-type']).toBe('text/plain; charset=utf-8');
        expect(section.text).toMatch(new RegExp(`^### ${runbook}\\n\\n\\S`));
        expect(section.text.match(/^#/gm)).toHaveLength(1);
      }
      const { detail } = (await app.http.get('/runbooks/StreamForgeBackLogOld').expect(404)).body as { detail: string };
      expect(detail).toContain('Did you mean StreamForgeBacklogOld?');
    } finally {
      await app.close();
    }
  });
});

describe('the outbox gauges', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('raise the backlog alert while the broker is down, and clear it when the broker returns', async () => {
    const { pool } = database;
    const metrics = new Metrics();
    const broker = new ScriptedBroker();
    broker.ready = false;
    const publisher = new Publisher(testSettings(), pool, broker, new LocalWakeUp(), metrics);
    const gauges = new OutboxGauges(pool, metrics);
    const age = async (): Promise<number> => {
      await publisher.runOnce();
      await gauges.runOnce();
      return (await metrics.outboxOldestPending.get()).values[0]?.value ?? Number.NaN;
    };
    const ages = [await age()];
    await givenEvent(pool);
    for (let minute = 0; minute < 4; minute++) {
      await letPass(pool, 60);
      ages.push(await age());
    }
    broker.ready = true;
    for (let minute = 0; minute < 3; minute++) ages.push(await age());
    expect(ages.map((seconds) => Math.floor(seconds / 10) * 10)).toEqual([0, 60, 120, 180, 240, 0, 0, 0]);
    expect(firings(ages)).toEqual([false, false, true, true, true, false, false, false]);
  });

  it('count only unresolved dead letters and failed deliveries in the size of the DLQ', async () => {
    const { pool } = database;
    const metrics = new Metrics();
    for (const status of ['DLQ', 'DLQ', 'DISCARDED', 'DISPATCHED'] as const) {
      const event = await givenEvent(pool);
      await givenState(pool, event, { status });
      await pool.query(
        `insert into dead_letters (event_id, tenant_id, type, reason_code, attempts, first_failed_at, last_failed_at,
                                   resolved_at)
         values ($1, 'acme', 'order.paid', 'TIMEOUT', 1, now(), now(), case when $2 then null else now() end)`,
        [event.id, status === 'DLQ'],
      );
    }
    const { id: eventId } = await givenEvent(pool);
    for (const status of ['FAILED', 'DISCARDED', 'DELIVERED', 'OPEN'] as const)
      await givenDelivery(pool, { eventId, destinationId: uuidV7(), status });
    const filled = { eventId, destinationId: uuidV7() };
    await givenDelivery(pool, { ...filled, status: 'FAILED' });
    await givenDelivery(pool, { ...filled, generation: 2, status: 'DELIVERED' });
    await givenFailedEvent(pool, 60);
    await new OutboxGauges(pool, metrics).runOnce();
    expect((await metrics.dlqSize.get()).values[0]?.value).toBe(3);
  });
});

/** Whether the alert fires at each of these minutes, as Prometheus itself decides from these values. */
function firings(ages: readonly number[]): boolean[] {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-alerts-'));
  try {
    return ages.map((_, minute) => {
      const test = {
        rule_files: [path.join(DIRECTORY, 'alerts.yml')],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: [{ series: 'streamforge_outbox_oldest_pending_seconds', values: ages.join(' ') }],
            alert_rule_test: [{ eval_time: `${minute}m`, alertname: 'StreamForgeBacklogOld', exp_alerts: [] }],
          },
        ],
      };
      const file = path.join(directory, `${minute}.yml`);
      fs.writeFileSync(file, JSON.stringify(test)); // JSON is YAML
      return outcomeOf(file);
    });
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

/** The test expects that nothing fires; promtool says what did. */
function outcomeOf(file: string): boolean {
  try {
    promtool('test', 'rules', file);
    return false;
  } catch (error) {
    if (String(error).includes('severity="page"')) return true;
    throw error;
  }
}
