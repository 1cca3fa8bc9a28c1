import { existsSync } from 'node:fs';
import * as path from 'node:path';

/** Returns where `npm run build` writes the console, or undefined where it was not built. The same for `src` and `dist`. */
export function consoleDirectory(): string | undefined {
  const roots = [path.resolve(__dirname, '../../..'), path.resolve(__dirname, '../../../..')];
  return roots
    .map((root) => path.join(root, 'dist', 'console'))
    .find((directory) => existsSync(path.join(directory, 'index.html')));
}
