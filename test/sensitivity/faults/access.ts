import type { DeliberateFault } from '../deliberate-fault';

const KEYS_TEST = 'test/e2e/access/keys-admin.test.ts';
const CHECKS_TEST = 'test/e2e/access/key-checks.test.ts';
const CHANGES = 'src/admin/endpoint/access-changes.ts';
const TENANT_ACCESS = 'src/access/tenant-access.ts';

export const FAULTS_IN_ACCESS: readonly DeliberateFault[] = [
  {
    name: 'a revoked key stays in the memory of the processes',
    stage: 'access',
    edits: [
      {
        file: 'src/access/identity/access-directory.ts',
        find: 'if (row.revoked) rows.delete(row.id);',
        replace: 'if (row.revoked) return;',
      },
    ],
    noticedBy: { tests: [KEYS_TEST] },
  },
  {
    name: 'a change of a key is answered before every process heeds it',
    stage: 'access',
    edits: [{ file: CHANGES, find: 'await sleep(MOST_AGE_MS);', replace: 'await sleep(MOST_AGE_MS * 0);' }],
    noticedBy: { tests: [KEYS_TEST] },
  },
  {
    name: 'two requests take the last place of the keys of a tenant',
    stage: 'access',
    edits: [{ file: CHANGES, find: 'await lockAccess(db);', replace: 'if (Date.now() < 0) await lockAccess(db);' }],
    noticedBy: { tests: [KEYS_TEST] },
  },
  {
    name: 'a rotation lets the first key live longer than its own end',
    stage: 'access',
    edits: [
      {
        file: 'src/admin/keys/keys.queries.ts',
        find: 'least(now() + make_interval(secs => $3), expires_at)',
        replace: 'now() + make_interval(secs => $3)',
      },
    ],
    noticedBy: { tests: [KEYS_TEST] },
  },
  {
    name: 'the end of a key is not checked',
    stage: 'access',
    edits: [
      {
        file: TENANT_ACCESS,
        find: 'row.expiresAt !== null && row.expiresAt <= timeOfDay().toISOString()',
        replace: 'row.expiresAt === timeOfDay().toISOString()',
      },
    ],
    noticedBy: { tests: [CHECKS_TEST] },
  },
  {
    name: 'the networks of a key are not checked',
    stage: 'access',
    edits: [{ file: TENANT_ACCESS, find: 'if (row.allow && !isIn', replace: 'if (row.allow?.length === 0 && !isIn' }],
    noticedBy: { tests: [CHECKS_TEST] },
  },
  {
    name: 'the scopes of a key are not checked',
    stage: 'access',
    edits: [
      {
        file: TENANT_ACCESS,
        find: 'if (scope !== undefined && !scopes.includes(scope))',
        replace: 'if (scope !== undefined && scopes.length === 0)',
      },
    ],
    noticedBy: { tests: [CHECKS_TEST] },
  },
];
