import type { Command } from 'commander';
import type { Adding, Cli } from '../cli';
import { CliError, EXIT, usageError } from '../cli-error';
import { originOf } from '../connection/connection';
import { checkProfileName, profilePath, readProfiles, writeProfiles, type Profile } from '../connection/profile-file';

export const addProfiles: Adding = (program: Command, run) => {
  const profiles = program.command('profiles').description('installations that you work with, and their tokens');
  profiles.command('list', { isDefault: true }).description('list the profiles').action(run(list));
  profiles
    .command('add')
    .description('add a profile or change it: --url and --tenant, and the token and key of the environment or as asked')
    .argument('<name>')
    .action(run<{ url?: string; tenant?: string }>(add));
  profiles.command('use').description('use this profile by default').argument('<name>').action(run(use));
  profiles.command('remove').description('remove a profile').argument('<name>').action(run(remove));
};

async function list(cli: Cli): Promise<void> {
  const { current, profiles } = readProfiles(profilePath(cli.around.env));
  const rows = Object.entries(profiles).map(([name, { url, tenant, token, key }]) => ({
    name,
    current: name === current,
    url: url ?? null,
    tenant: tenant ?? null,
    hasToken: token !== undefined,
    hasKey: key !== undefined,
  }));
  cli.out.result({ profiles: rows }, () =>
    cli.out.table(
      ['', 'name', 'url', 'tenant', 'token', 'key'],
      rows.map((r) => [
        r.current ? '*' : ' ',
        r.name,
        r.url,
        r.tenant,
        r.hasToken ? 'yes' : 'no',
        r.hasKey ? 'yes' : 'no',
      ]),
      'There are no profiles. "streamforge profiles add NAME" makes one.',
    ),
  );
}

async function add(cli: Cli, options: { url?: string; tenant?: string }, [name = '']: string[]): Promise<void> {
  checkProfileName(name);
  const { env } = cli.around;
  const file = profilePath(env);
  const known = readProfiles(file);
  const before: Profile = Object.hasOwn(known.profiles, name) ? (known.profiles[name] ?? {}) : {};
  const url = options.url ?? env.STREAMFORGE_URL ?? before.url ?? (await asked(cli, 'URL [http://127.0.0.1:3000]: '));
  const token = env.STREAMFORGE_TOKEN ?? (await asked(cli, 'Operator token (empty: none): ', true)) ?? before.token;
  const key = env.STREAMFORGE_KEY ?? before.key;
  const tenant = options.tenant ?? env.STREAMFORGE_TENANT ?? before.tenant;
  const profile: Profile = {
    url: originOf(url ?? 'http://127.0.0.1:3000'),
    ...(token === undefined ? {} : { token }),
    ...(key === undefined ? {} : { key }),
    ...(tenant === undefined ? {} : { tenant }),
  };
  writeProfiles(file, { current: known.current ?? name, profiles: { ...known.profiles, [name]: profile } });
  cli.out.note(`Saved the profile ${name} in ${file}.`);
}

async function asked(cli: Cli, question: string, secret = false): Promise<string | undefined> {
  if (!cli.asksPeople) return undefined;
  const answer = await cli.ask(question, secret);
  return answer === '' ? undefined : answer;
}

async function use(cli: Cli, _options: unknown, [name = '']: string[]): Promise<void> {
  const file = profilePath(cli.around.env);
  const known = existing(readProfiles(file), name);
  writeProfiles(file, { ...known, current: name });
  cli.out.note(`Using the profile ${name}.`);
}

async function remove(cli: Cli, _options: unknown, [name = '']: string[]): Promise<void> {
  const file = profilePath(cli.around.env);
  const { current, profiles } = existing(readProfiles(file), name);
  const rest = Object.fromEntries(Object.entries(profiles).filter(([one]) => one !== name));
  writeProfiles(file, { ...(current === undefined || current === name ? {} : { current }), profiles: rest });
  cli.out.note(`Removed the profile ${name}.`);
}

function existing<T extends { profiles: Record<string, Profile> }>(file: T, name: string): T {
  if (name === '') throw usageError('Name the profile.');
  if (Object.hasOwn(file.profiles, name)) return file;
  throw new CliError(`There is no profile "${name}".`, EXIT.notFound);
}
