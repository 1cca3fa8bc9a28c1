import { registerHooks } from 'node:module';
import { extname } from 'node:path';

/** The server starters of the tests import without extensions, as CommonJS does. */
registerHooks({
  resolve: (specifier, context, next) => {
    const ofTests = context.parentURL?.includes('/test/support/') && specifier.startsWith('.');
    return next(ofTests && extname(specifier) === '' ? `${specifier}.ts` : specifier, context);
  },
});

/** Loads a file of test/support/processes, which must have only syntax that can be erased. */
export async function startersOfTests<Starters>(name: string): Promise<Starters> {
  const file = new URL(`../test/support/processes/${name}.ts`, import.meta.url).href;
  return (await import(file)) as Starters;
}
