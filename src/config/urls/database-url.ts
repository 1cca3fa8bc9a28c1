import type { Kind } from '../setting-kinds';

/** What DATABASE_URL says. */
export interface DatabaseAddress {
  /** The URL for pg, with those options only that pg carries out. */
  url: string;
  /** From `options=-c name=value`, by name in lower case. */
  sessionSettings: ReadonlyMap<string, string>;
  applicationName: string | undefined;
  connectTimeoutMs: number | undefined;
  /** After which a statement without an answer is given up. */
  queryTimeoutMs: number | undefined;
}

interface Option {
  /** Undefined: any value. */
  values?: readonly string[];
  /** Whether pg gets it. */
  passedOn?: true;
}

const UTF8 = ['UTF8', 'UTF-8', 'utf8', 'utf-8'];

/** The options of libpq and pg that have an effect here, or whose listed values ask for what is done anyway. */
const OPTIONS: Record<string, Option> = {
  host: { passedOn: true },
  port: { passedOn: true },
  user: { passedOn: true },
  password: { passedOn: true },
  ssl: { passedOn: true, values: ['true', '1', '0', 'no-verify'] },
  sslmode: { passedOn: true, values: ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] },
  sslrootcert: { passedOn: true },
  sslcert: { passedOn: true },
  sslkey: { passedOn: true },
  sslnegotiation: { passedOn: true, values: ['postgres', 'direct'] },
  uselibpqcompat: { passedOn: true, values: ['true', 'false'] },
  options: {},
  application_name: {},
  connect_timeout: {},
  query_timeout: {},
  client_encoding: { values: UTF8 },
  target_session_attrs: { values: ['any'] },
  channel_binding: { values: ['disable', 'prefer'] },
  gssencmode: { values: ['disable', 'prefer'] },
};

/** Why an option is refused, where that is not plain. */
const INSTEAD: Record<string, string> = {
  target_session_attrs: 'there is one host, which must lead to the primary',
  channel_binding: 'pg cannot require it; use sslmode=verify-full',
  client_encoding: 'sessions use UTF8',
  connect_timeout: 'it must be a number of seconds from 1 to 600',
  query_timeout: 'it must be a number of milliseconds from 1 to 35000',
};

const ONE_HOST = 'a URL with one host, such as an address that follows the primary; several hosts are not supported';
const MOST: Record<string, number> = { connect_timeout: 600, query_timeout: 35_000 };

/** The URL of a PostgreSQL. Options that would have no effect, or another one than libpq gives them, are refused. */
export const postgresUrl: Kind<string> = {
  parse: (text) => {
    const parsed = readDatabaseUrl(text);
    return 'expected' in parsed ? parsed : { value: text };
  },
};

export function readDatabaseUrl(text: string): { value: DatabaseAddress } | { expected: string } {
  const authority = /^postgres(?:ql)?:\/\/([^/?#]*)/.exec(text)?.[1];
  if (authority?.slice(authority.lastIndexOf('@') + 1).includes(',')) return { expected: ONE_HOST };
  if (authority === undefined || !URL.canParse(text)) {
    return { expected: 'a URL that starts with postgres:// or postgresql://' };
  }
  const { searchParams } = new URL(text);
  for (const [name, value] of searchParams) {
    const refused = whyRefused(name, value, searchParams.getAll(name).length);
    if (refused !== undefined) return { expected: refused };
  }
  const sessionSettings = parseSessionOptions(searchParams.get('options') ?? '');
  if (sessionSettings === undefined) {
    return { expected: 'a URL whose options are of the form -c name=value; others are not supported' };
  }
  const numberOf = (name: string, unitMs: number): number | undefined => {
    const value = searchParams.get(name);
    return value === null ? undefined : Number(value) * unitMs;
  };
  return {
    value: {
      url: withOptionsOfPg(text),
      sessionSettings,
      applicationName: searchParams.get('application_name') ?? undefined,
      connectTimeoutMs: numberOf('connect_timeout', 1_000),
      queryTimeoutMs: numberOf('query_timeout', 1),
    },
  };
}

function whyRefused(name: string, value: string, times: number): string | undefined {
  const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  if (!option) return `a URL without the option ${name}, which is not supported`;
  if (times > 1) return `a URL that gives ${name} once`;
  if (name === 'host' && value.includes(',')) return ONE_HOST;
  const most = MOST[name];
  const isTaken =
    most === undefined
      ? (option.values?.includes(value) ?? true)
      : /^[1-9]\d{0,4}$/.test(value) && Number(value) <= most;
  if (isTaken) return undefined;
  const why = INSTEAD[name] ?? `supported are ${(option.values ?? []).join(', ')}`;
  return `a URL without this value of ${name}: ${why}`;
}

/** Cuts the other options out of the text, so that the rest reaches pg byte for byte. */
function withOptionsOfPg(text: string): string {
  const [before, query] = splitOnce(text, '?');
  if (query === undefined) return text;
  const kept = query.split('&').filter((part) => {
    const [name] = new URLSearchParams(part).keys();
    return name !== undefined && OPTIONS[name]?.passedOn;
  });
  return kept.length === 0 ? before : `${before}?${kept.join('&')}`;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Reads `-c name=value` and `--name=value` as PostgreSQL does: white space separates, a backslash protects the next
 * character. Undefined: there is something else.
 */
function parseSessionOptions(text: string): Map<string, string> | undefined {
  const words = [...text.matchAll(/(?:\\.|[^\s\\])+/gs)].map(([word]) => word.replace(/\\(.)/gs, '$1'));
  const settings = new Map<string, string>();
  while (words.length > 0) {
    const word = words.shift() as string;
    const assigned = word === '-c' ? words.shift() : /^(?:-c|--)(.+)$/s.exec(word)?.[1];
    const [, name, value] = /^([A-Za-z_][\w.-]*)=(.*)$/s.exec(assigned ?? '') ?? [];
    if (name === undefined || value === undefined) return undefined;
    settings.set(name.replaceAll('-', '_').toLowerCase(), value);
  }
  return settings;
}
