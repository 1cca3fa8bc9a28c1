import type { BenchServer } from '#bench/databases';
import { LoopProcess } from '#bench/loop-process';
import type { ServerProcess } from '#bench/processes';
import { startApi } from '#bench/streamforge';

/** The compared sides. Each has its own process, and its own database unless noted otherwise. */
export interface Sides {
  ours: ServerProcess;
  /** StreamForge on the same database with a cache that expires after a second, so PostgreSQL decides every duplicate. */
  oursUncached: ServerProcess;
  noWrite: ServerProcess;
  txPerRequest: ServerProcess;
  pgLoop: LoopProcess;
}

export async function startSides(postgres: BenchServer, atEnd: (step: () => Promise<void>) => void): Promise<Sides> {
  const serve = async (mode: string, databaseUrl: string, env: Record<string, string> = {}): Promise<ServerProcess> => {
    const server = await startApi(mode, { DATABASE_URL: databaseUrl, ...env });
    atEnd(() => server.stop());
    return server;
  };
  const ourDatabase = await postgres.createDatabase('ours');
  const pgLoop = new LoopProcess(await postgres.createDatabase('pg'));
  atEnd(() => pgLoop.stop());
  return {
    ours: await serve('ours', ourDatabase),
    oursUncached: await serve('ours', ourDatabase, { IDEMPOTENCY_TTL_SECONDS: '1' }),
    noWrite: await serve('no-write', await postgres.createDatabase('no-write')),
    txPerRequest: await serve('tx-per-request', await postgres.createDatabase('tx')),
    pgLoop,
  };
}
