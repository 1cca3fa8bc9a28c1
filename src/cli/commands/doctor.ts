import type { Command } from 'commander';
import type { Adding, Cli } from '../cli';
import { CliError, EXIT } from '../cli-error';
import { failureOf } from '../http/problem-text';
import { runInCheckout } from '../checkout';

/** One thing that was looked at. */
interface Check {
  what: string;
  state: 'ok' | 'warning' | 'error';
  sentence: string;
}

export const addDoctor: Adding = (program: Command, run) => {
  program
    .command('doctor')
    .description('check whether the installation works, and say what to do where it does not')
    .option('--local', 'check the settings and servers of this machine instead, as "npm run doctor"')
    .action(run<{ local?: boolean }>(doctor));
};

async function doctor(cli: Cli, { local }: { local?: boolean }): Promise<void> {
  if (local) return runInCheckout(cli, 'dist/src/commands/doctor.js', []);
  const checks = [...(await readiness(cli)), ...(await asOperator(cli))];
  cli.out.result({ checks }, () => {
    for (const { what, state, sentence } of checks) cli.out.line(`${cli.out.state(state)}  ${what}: ${sentence}`);
  });
  const wrong = checks.filter(({ state }) => state === 'error').length;
  if (wrong > 0) throw new CliError(`${wrong} of ${checks.length} checks failed.`, EXIT.failed);
}

interface Ready {
  status: 'ready' | 'degraded' | 'unavailable';
  role: string;
  checks: Record<string, { status: string; message?: string }>;
}

/** What everybody may ask. An installation that cannot be reached ends the command. */
async function readiness(cli: Cli): Promise<Check[]> {
  const { url } = cli.connection;
  const { status, body } = await cli.anybody().call<Ready>('/ready', { expected: [503] });
  if (body?.checks === undefined) throw failureOf(status, {}, null);
  const state = body.status === 'ready' ? 'ok' : body.status === 'degraded' ? 'warning' : 'error';
  const sick = Object.entries(body.checks).filter(([, { status: of }]) => of !== 'up');
  return [
    { what: 'installation', state, sentence: `${url} is ${body.status} (role ${body.role}).` },
    ...sick.map(([what, { status: of, message }]): Check => ({
      what,
      state: state === 'error' ? 'error' : 'warning',
      sentence: message ?? `It is ${of}.`,
    })),
  ];
}

/** What needs an operator. What this one may not see is left out. */
async function asOperator(cli: Cli): Promise<Check[]> {
  const client = await cli.operator();
  const who = (await client.call<{ kind: string; name: string | null; role: string | null }>('/v1/whoami')).body;
  const token: Check =
    who.kind === 'operator'
      ? { what: 'token', state: 'ok', sentence: `You are ${who.name} with the role ${who.role}.` }
      : { what: 'token', state: 'error', sentence: 'STREAMFORGE_TOKEN is no token of an operator.' };
  if (token.state === 'error') return [token];
  const { body: health } = await client.call<{
    findings?: { what: string; severity: string; sentence: string }[];
  }>('/v1/admin/health', { expected: [403] });
  const { body: raised } = await client.call<{
    conditions?: { kind: string; severity: string; summary: string }[];
  }>('/v1/admin/conditions', { expected: [403] });
  return [
    token,
    ...(health.findings ?? []).map(({ what, severity, sentence }): Check => ({
      what,
      state: stateOf(severity),
      sentence,
    })),
    ...(raised.conditions ?? []).map(({ kind, severity, summary }): Check => ({
      what: kind,
      state: stateOf(severity),
      sentence: summary,
    })),
  ];
}

function stateOf(severity: string): Check['state'] {
  if (severity === 'problem' || severity === 'critical' || severity === 'error') return 'error';
  return severity === 'ok' || severity === 'info' ? 'ok' : 'warning';
}
