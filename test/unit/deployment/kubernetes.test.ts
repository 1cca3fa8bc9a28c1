import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { parseSettings } from '../../../src/config/parse-settings';
import { SETTINGS } from '../../../src/config/settings';

const DIRECTORY = path.resolve(__dirname, '../../../docker/kubernetes');

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec?: Record<string, unknown>;
  data?: Record<string, string>;
}
interface Probe {
  httpGet: { path: string };
}
interface PodSpec {
  terminationGracePeriodSeconds?: number;
  automountServiceAccountToken: boolean;
  securityContext: Record<string, unknown>;
  containers: {
    env?: { name: string; value: string }[];
    args?: string[];
    livenessProbe: Probe;
    readinessProbe: Probe;
    startupProbe: Probe;
    securityContext: Record<string, unknown>;
    resources: { requests: object; limits: { memory?: string } };
    volumeMounts?: object[];
  }[];
  volumes?: object[];
}

const read = (file: string): string => readFileSync(path.join(DIRECTORY, file), 'utf8');
const kustomization = (folder: string) =>
  parse(read(`${folder}/kustomization.yaml`)) as { apiVersion: string; kind: string; resources: string[] };
const manifestsOf = (folder: string): Manifest[] =>
  kustomization(folder)
    .resources.filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => parseAllDocuments(read(`${folder}/${file}`)).map((document) => document.toJS() as Manifest));

/** What the schemas of Kubernetes and KEDA (npm: kubernetes-models) have against each; null where nothing. */
function complaints(manifests: readonly unknown[]): (string | null)[] {
  const script = path.resolve(__dirname, '../../support/kubernetes-schemas.mjs');
  return JSON.parse(
    execFileSync(process.execPath, [script], { input: JSON.stringify(manifests), encoding: 'utf8' }),
  ) as (string | null)[];
}

const all = [...manifestsOf('base'), ...manifestsOf('keda')];
const ofKind = (kind: string): Manifest[] => all.filter((manifest) => manifest.kind === kind);
const named = (kind: string, name: string): Manifest =>
  ofKind(kind).find(({ metadata }) => metadata.name === name) as Manifest;
const podOf = ({ spec }: Manifest): PodSpec => (spec as { template: { spec: PodSpec } }).template.spec;
const ROLES = ['api', 'publisher', 'worker'];

describe('the Kubernetes manifests', () => {
  it('are valid by their schemas, all of them', () => {
    expect(all.length).toBeGreaterThan(12);
    const found = complaints(all);
    expect(
      all.flatMap(({ kind, metadata }, i) => (found[i] === null ? [] : [`${kind} ${metadata.name}: ${found[i]}`])),
    ).toEqual([]);
  });

  it('would not be with a wrong value, or without what they need', () => {
    const worker = named('Deployment', 'streamforge-worker');
    const scaling = named('ScaledObject', 'streamforge-worker');
    const found = complaints([
      { ...worker, spec: { ...worker.spec, replicas: 'two' } },
      { ...worker, spec: { ...worker.spec, selector: undefined } },
      { ...scaling, spec: { ...scaling.spec, triggers: 'events.main' } },
    ]);
    expect(found.map((complaint) => typeof complaint)).toEqual(['string', 'string', 'string']);
  });

  it('let workers out to exactly the private networks that they may call, where the component is used', () => {
    const component = parse(read('private-destinations/kustomization.yaml')) as {
      kind: string;
      patches: { target: { kind: string; name: string }; patch: string }[];
    };
    expect(component.kind).toBe('Component');
    const patchOf = (of: string) => {
      const { target, patch } = component.patches.find(
        (one) => one.target.kind === of,
      ) as (typeof component.patches)[number];
      expect(named(target.kind, target.name)).toBeDefined();
      return parse(patch) as { path: string; value: unknown }[];
    };
    const [cidrs, https] = patchOf('ConfigMap');
    expect([cidrs?.path, https?.path]).toEqual([
      '/data/DESTINATIONS_ALLOWED_CIDRS',
      '/data/DESTINATIONS_REQUIRE_HTTPS',
    ]);
    const [egress] = patchOf('NetworkPolicy');
    expect(egress?.path).toBe('/spec/egress/-');
    const { to } = egress?.value as { to: { ipBlock: { cidr: string } }[] };
    expect(to.map(({ ipBlock }) => ipBlock.cidr).join(',')).toBe(cidrs?.value);
    const DESTINATIONS_ALLOWED_CIDRS = cidrs?.value as string;
    expect(parseSettings({ DESTINATIONS_ALLOWED_CIDRS }).DESTINATIONS_ALLOWED_CIDRS).toEqual(['10.0.0.0/8']);
  });

  it('are all listed in their kustomization', () => {
    for (const folder of ['base', 'keda']) {
      const files = globSync('*.yaml', { cwd: path.join(DIRECTORY, folder) }).filter(
        (file) => file !== 'kustomization.yaml',
      );
      expect(
        kustomization(folder)
          .resources.filter((file) => file.endsWith('.yaml'))
          .toSorted(),
      ).toEqual(files.toSorted());
      expect(kustomization(folder)).toMatchObject({
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
      });
    }
  });

  it('hold no secret', () => {
    expect(ofKind('Secret')).toEqual([]);
  });

  it.each(ROLES)('%s: alive by /health, ready by /ready, and one pod at a time may go', (role) => {
    const deployment = named('Deployment', `streamforge-${role}`);
    const [container] = podOf(deployment).containers;
    const own = role === 'api' ? [{ name: 'SPILL_DIRECTORY', value: '/spill' }] : [];
    expect(container?.env).toEqual([{ name: 'APP_ROLE', value: role }, ...own]);
    expect(container?.livenessProbe.httpGet.path).toBe('/health');
    expect(container?.startupProbe.httpGet.path).toBe('/health');
    expect(container?.readinessProbe.httpGet.path).toBe('/ready');
    const budget = named('PodDisruptionBudget', `streamforge-${role}`).spec;
    expect(budget).toMatchObject({ maxUnavailable: 1, selector: deployment.spec?.selector });
  });

  it.each([...ROLES.map((role) => ['Deployment', role] as const), ['Job', 'migrate'] as const])(
    '%s %s runs without root, rights and a writable disk',
    (kind, name) => {
      const pod = podOf(named(kind, `streamforge-${name}`));
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
      for (const { securityContext, resources } of pod.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(resources.limits.memory).toBeDefined();
      }
    },
  );

  it('give the api a volume for SPILL_DIRECTORY that is larger than SPILL_MAX_BYTES', () => {
    const pod = podOf(named('Deployment', 'streamforge-api'));
    expect(pod.containers[0]?.volumeMounts).toEqual([{ name: 'spill', mountPath: '/spill' }]);
    expect(pod.volumes).toEqual([{ name: 'spill', emptyDir: { sizeLimit: '768Mi' } }]);
    expect(768 * 1024 * 1024).toBeGreaterThan(Number(SETTINGS.SPILL_MAX_BYTES.default));
  });

  it('set only settings that there are, and leave them longer to stop than they take', () => {
    const data = named('ConfigMap', 'streamforge').data as Record<string, string>;
    expect(Object.keys(data).filter((name) => !(name in SETTINGS))).toEqual([]);
    const settings = parseSettings({
      ...data,
      APP_ROLE: 'api',
      DATABASE_URL: 'postgres://app:secret@db/x',
      REDIS_URL: 'redis://cache',
      RABBITMQ_URL: 'amqp://app:secret@broker',
      ADMIN_TOKEN: 'kX2q9vTf0Zr7LmWb4HsDy1Ce',
      TENANT_AUTH: 'key',
      DESTINATIONS_SECRET_KEY: 'Zk3vQ0x8dWm1y7Tt2cJ5bNq9RfGhLsPaEoUiXyVwK4M=',
    });
    for (const role of ROLES) {
      const seconds = podOf(named('Deployment', `streamforge-${role}`)).terminationGracePeriodSeconds ?? 0;
      expect(seconds * 1000).toBeGreaterThan(settings.SHUTDOWN_GRACE_MS + 5_000);
    }
  });

  it('scale the api by load, and workers by what waits in their queues', () => {
    expect(named('HorizontalPodAutoscaler', 'streamforge-api').spec).toMatchObject({
      scaleTargetRef: { name: 'streamforge-api' },
    });
    const triggers = named('ScaledObject', 'streamforge-worker').spec?.triggers as {
      metadata: { queueName: string };
    }[];
    expect(triggers.map(({ metadata }) => metadata.queueName)).toEqual([
      'events.main',
      'events.bundles',
      'events.retry',
    ]);
  });

  it('let nobody in but to the api', () => {
    expect(ofKind('NetworkPolicy').map(({ metadata }) => metadata.name)).toEqual([
      'streamforge',
      'streamforge-api',
      'streamforge-worker',
    ]);
  });
});
