import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** A module of the compiled application, by its path below src: what is measured is what runs in production. */
export function compiled<T>(module: string): T {
  return require(`../dist/src/${module}.js`) as T;
}
