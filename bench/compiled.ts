import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Loads a module of the compiled application by its path below src, so that the bench measures what runs in production. */
export function compiled<T>(module: string): T {
  return require(`../dist/src/${module}.js`) as T;
}
