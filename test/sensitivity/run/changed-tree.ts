import { transformFileSync } from '@swc/core';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import type { Edit } from '../deliberate-fault';

const ROOT = path.resolve(__dirname, '../../..');
const CONFIGURATION = ['package.json', 'jest.config.js', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'];
export const SOURCES = ['src', 'test', 'migrations', 'scripts', '.env.example', 'openapi.json', ...CONFIGURATION];
const { compilerOptions } = createRequire(__filename)(path.join(ROOT, 'scripts/run-typescript.cjs')) as {
  compilerOptions: Parameters<typeof transformFileSync>[1];
};

/**
 * A copy of the source tree and its build, which takes edits and gets rid of them again. Its place stays the same for all
 * faults, so Jest compiles only what was edited.
 */
export class ChangedTree {
  constructor(readonly directory: string) {
    for (const name of [...SOURCES, 'dist']) {
      fs.cpSync(path.join(ROOT, name), this.path(name), { recursive: true, preserveTimestamps: true });
    }
    fs.symlinkSync(path.join(ROOT, 'node_modules'), this.path('node_modules'));
  }

  /** Applies the edits while `use` runs. @throws if the text of an edit does not occur exactly once */
  async with<T>(edits: readonly Edit[], use: () => Promise<T>): Promise<T> {
    const files = [...new Set(edits.map(({ file }) => file))];
    const originals = files.flatMap((file) => [file, builtFrom(file)]).map((name) => this.readWithName(name));
    try {
      for (const { file, find, replace } of edits) {
        const parts = fs.readFileSync(this.path(file), 'utf8').split(find);
        if (parts.length !== 2) throw new Error(`found ${parts.length - 1} times in ${file}: ${find}`);
        fs.writeFileSync(this.path(file), parts.join(replace));
      }
      for (const file of files) this.compile(file);
      return await use();
    } finally {
      for (const [name, text] of originals) fs.writeFileSync(this.path(name), text);
    }
  }

  path(name: string): string {
    return path.join(this.directory, name);
  }

  private readWithName(name: string): [string, string] {
    return [name, fs.readFileSync(this.path(name), 'utf8')];
  }

  /** Compiles one file without a look at its types: the whole build takes longer than many a run of tests. */
  private compile(file: string): void {
    fs.writeFileSync(this.path(builtFrom(file)), transformFileSync(this.path(file), compilerOptions).code);
  }
}

const builtFrom = (file: string): string => path.join('dist', file.replace(/\.ts$/, '.js'));
